"""Takes a backup beside the running server, which notices nothing."""

import errno
import fcntl
import hashlib
import io
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple

from atoll_chat import __version__
from atoll_chat.backup import BackupError
from atoll_chat.backup.contents import contents
from atoll_chat.backup.format import (
    CONFIG,
    DATA,
    DATABASE,
    FILES,
    HEADER,
    MANIFEST,
    SECRETS,
    VERSION,
    Entry,
    Header,
    Manifest,
    is_member,
)
from atoll_chat.backup.restoring import refuse_unfinished
from atoll_chat.files.storage import Storage
from atoll_chat.migrations.backup import copy_database, reading
from atoll_chat.migrations.place import database_file
from atoll_chat.migrations.runner import Schema, inspect
from atoll_chat.settings import DataSettings

# How often the database is copied anew because a file went while the copy was made.
ATTEMPTS = 20
CHUNK = 1024 * 1024
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Taken:
    """What went into an archive."""

    revision: str
    rows: int
    files: int
    bytes: int
    faults: list[str]


class _Stored(NamedTuple):
    id: str
    size: int
    sha256: str


def take(
    settings: DataSettings, out: BinaryIO, config: Mapping[str, bytes], say: Say = lambda _: None
) -> Taken:
    """Write an archive of the data to `out`, which needs no seeking.

    The database is copied as it is at one moment, with the contents of exactly the files that it
    names then, also while files are uploaded and deleted.

    Args:
        config: more to put in, by name: the configuration of the installation.
        say: told what is going on.

    Raises:
        BackupError: there is nothing to back up, or another backup is being taken.
        OSError, sqlite3.Error, MigrationError: something cannot be read or written.
    """
    database = database_file(settings)
    state, revision = inspect(database)
    if state is Schema.ABSENT or revision is None:
        raise BackupError(f"There is no database at {database}, so there is nothing to back up.")
    refuse_unfinished(database)
    with _scratch(database, settings.files_dir) as (copy, links):
        files, faults = _snapshot(database, settings.files_dir, copy, links)
        _, revision = inspect(copy)
        tables = contents(copy)
        kept = _config(config) | _secrets(settings.data_dir)
        size = copy.stat().st_size + sum(f.size for f in files) + sum(map(len, kept.values()))
        header = Header(
            version=VERSION,
            release=__version__,
            revision=revision or "",
            created_at=datetime.now(UTC),
            bytes=size,
        )
        say(f"{len(files)} files, {size} bytes")
        with tarfile.open(
            fileobj=out, mode="w|", bufsize=CHUNK, format=tarfile.PAX_FORMAT
        ) as archive:
            writer = _Writer(archive)
            writer.add_bytes(HEADER, header.model_dump_json().encode())
            writer.add_file(DATABASE, copy)
            for file in files:
                entry = writer.add_file(f"{FILES}{file.id[:2]}/{file.id}", links / file.id)
                if (entry.size, entry.sha256) != (file.size, file.sha256):
                    faults.append(f"the content of file {file.id} is not what was uploaded")
            for name, content in sorted(kept.items()):
                writer.add_bytes(name, content)
            manifest = Manifest(entries=writer.entries[1:], tables=tables, faults=faults)
            writer.add_bytes(MANIFEST, manifest.model_dump_json().encode())
    rows = sum(table.rows for table in tables.values())
    return Taken(revision or "", rows, len(files), size, faults)


class _Writer:
    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive
        self.entries: list[Entry] = []

    def add_bytes(self, path: str, content: bytes) -> None:
        self._add(path, io.BytesIO(content), len(content))

    def add_file(self, path: str, source: Path) -> Entry:
        with source.open("rb") as file:
            return self._add(path, file, os.fstat(file.fileno()).st_size)

    def _add(self, path: str, source: BinaryIO, size: int) -> Entry:
        info = tarfile.TarInfo(path)
        info.size, info.mode, info.mtime = size, 0o600, int(datetime.now(UTC).timestamp())
        hashed = _Hashed(source)
        self._archive.addfile(info, hashed)
        entry = Entry(path=path, size=size, sha256=hashed.digest.hexdigest())
        self.entries.append(entry)
        return entry


class _Hashed(io.RawIOBase):
    """Hashes what is read through it."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        chunk = self._source.read(size)
        self.digest.update(chunk)
        return chunk


@contextmanager
def _scratch(database: Path, files: Path) -> Iterator[tuple[Path, Path]]:
    """A name for the copy of the database and a folder for links to files, both gone afterwards.

    Raises:
        BackupError: another backup is being taken.
    """
    folder, links = database.parent / ".backup", files / ".backup"
    lock = os.open(database.parent / ".backup.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(
                "Another backup of these data is being taken. Try again when it is done."
            ) from None
        try:
            for place in (folder, links):
                # A backup that was killed leaves them behind.
                shutil.rmtree(place, ignore_errors=True)
                place.mkdir(mode=0o700, parents=True)
            yield folder / DATABASE, links
        finally:
            for place in (folder, links):
                shutil.rmtree(place, ignore_errors=True)
    finally:
        os.close(lock)


def _snapshot(
    database: Path, files_dir: Path, copy: Path, links: Path
) -> tuple[list[_Stored], list[str]]:
    """Copy the database and link the content of every file that the copy names.

    A file may be deleted between the two; then the database is copied again.
    """
    storage = Storage(files_dir, 0)
    for _ in range(ATTEMPTS):
        copy.unlink(missing_ok=True)
        copy_database(database, copy)
        files, faults, gone = [], [], False
        for file in _stored(copy):
            if _link(storage.path(file.id), links / file.id):
                files.append(file)
            elif _known(database, file.id):
                faults.append(f"the content of file {file.id} is missing")
            else:
                gone = True
                break
        if not gone:
            return files, faults
    raise BackupError(
        f"Files were deleted during each of {ATTEMPTS} attempts. Try again when less goes on."
    )


def _link(content: Path, link: Path) -> bool:
    """Whether there is such a content, which from now on is also at `link`."""
    try:
        os.link(content, link)
    except FileExistsError:
        return True
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        try:
            shutil.copyfile(content, link)
        except FileNotFoundError:
            link.unlink(missing_ok=True)
            return False
    return True


def _stored(database: Path) -> list[_Stored]:
    with closing(reading(database)) as connection:
        rows = connection.execute("SELECT id, size, sha256 FROM files ORDER BY id").fetchall()
    return [_Stored(*row) for row in rows]


def _known(database: Path, file_id: str) -> bool:
    with closing(reading(database)) as connection:
        found = connection.execute("SELECT 1 FROM files WHERE id = ?", (file_id,)).fetchone()
    return found is not None


def _secrets(data_dir: Path) -> dict[str, bytes]:
    found = {}
    for name in SECRETS:
        try:
            found[DATA + name] = (data_dir / name).read_bytes()
        except FileNotFoundError:
            continue
        except PermissionError as error:
            raise BackupError(
                f"{data_dir / name} cannot be read by this account, and a backup without it would "
                "sign everybody out. Take the backup as the account that the server runs under."
            ) from error
    return found


def _config(config: Mapping[str, bytes]) -> dict[str, bytes]:
    named = {CONFIG + name: content for name, content in config.items()}
    for name in named:
        if not is_member(name):
            raise BackupError(f"{name.removeprefix(CONFIG)!r} is no name that a backup can hold.")
    return named
