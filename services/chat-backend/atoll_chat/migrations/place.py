"""Where the database is, and whether that place can hold one."""

from pathlib import Path

from sqlalchemy.engine import make_url

from atoll_chat.database import sqlite_url
from atoll_chat.settings import DataSettings

# SQLite's locks and shared memory do not work over a network; databases there get corrupted.
NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "fuse.sshfs"})


class PlaceError(RuntimeError):
    """The database cannot be kept there; the message says why and what to do."""


def database_file(settings: DataSettings) -> Path:
    """The SQLite file that `settings` name.

    Raises:
        PlaceError: DATABASE_URL names another kind of database.
    """
    url = make_url(settings.database_url or sqlite_url(settings.database_path))
    if url.drivername != "sqlite+aiosqlite" or not url.database or url.database == ":memory:":
        raise PlaceError(
            "DATABASE_URL: must be of the form sqlite+aiosqlite:////folder/file.db; "
            "leave it unset for the default."
        )
    return Path(url.database).absolute()


def refuse_network(folder: Path, mounts: str | None = None) -> None:
    """Refuse a folder on a network file system.

    Args:
        folder: an absolute path; it need not exist yet.
        mounts: the text of `/proc/mounts`, which is read when this is None.

    Raises:
        PlaceError: the folder is on NFS, CIFS or the like.
    """
    if mounts is None:
        mounts = Path("/proc/mounts").read_text(errors="replace")
    folder = folder.resolve()
    kind, point = "", Path("/")
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        mounted = Path(_unescaped(fields[1]))
        # Later lines cover earlier ones, deeper ones cover shallower ones.
        if folder.is_relative_to(mounted) and len(mounted.parts) >= len(point.parts):
            kind, point = fields[2], mounted
    if kind in NETWORK:
        raise PlaceError(
            f"{folder} is on a network file system ({kind} at {point}), where an SQLite database "
            "gets damaged. Set DATA_DIR to a folder on a local disk."
        )


def _unescaped(text: str) -> str:
    for code, letter in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, letter)
    return text
