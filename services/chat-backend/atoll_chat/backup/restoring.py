"""Puts a backup in the place of the data, and keeps what was there.

A marker beside the database says that this has begun. While it is there, nothing but another
restore opens the data: one that was killed is run again, and ends in the same state.
"""

import errno
import fcntl
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from atoll_chat.backup import BackupError
from atoll_chat.backup.format import CONFIG, DATA, DATABASE, FILES, SECRETS
from atoll_chat.backup.reading import Unpacked, unpack
from atoll_chat.migrations.runner import inspect
from atoll_chat.settings import DataSettings

MARKER = ".restoring"
_SCRATCH = ".restore-"
_SIDES = ("", "-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put in place, and where the data from before are; None when there were none."""

    backup: Unpacked
    replaced: Path | None


def refuse_unfinished(database: Path) -> None:
    """Refuse data that a restore has replaced only in part.

    Raises:
        BackupError: with what to do.
    """
    if (database.parent / MARKER).exists():
        raise BackupError(
            "A restore of these data was not finished. Run it again with the same backup, or with "
            "another: atoll-chat restore FILE"
        )


@contextmanager
def scratch(parent: Path) -> Iterator[Path]:
    """An empty folder below `parent`, gone afterwards."""
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in parent.glob(f"{_SCRATCH}*"):
        with _held(left) as stale:
            if stale:
                shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=parent))
    with _held(folder):
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Whether nobody else holds the lock of this folder; if so, it is ours meanwhile."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield False
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        yield False
        return
    try:
        yield True
    finally:
        os.close(descriptor)


def verify(stream: BinaryIO, parent: Path) -> Unpacked:
    """Restore a backup into a scratch folder below `parent`, compare everything, remove it.

    Raises:
        BackupError: see `unpack`.
        MigrationError: this release cannot use the schema.
    """
    with scratch(parent) as folder:
        unpacked = unpack(stream, folder)
        inspect(unpacked.database)
        return unpacked


def restore(
    settings: DataSettings, database: Path, stream: BinaryIO, config_to: Path | None
) -> Restored:
    """Replace database, files and secrets. The caller is the one writer.

    Nothing is touched before the whole backup was unpacked and compared.

    Args:
        config_to: folder for the configuration in the backup; None leaves it out.

    Raises:
        BackupError: see `unpack`.
        MigrationError: this release cannot use the schema.
        OSError: something cannot be written.
    """
    with scratch(settings.data_dir) as staged:
        unpacked = unpack(stream, staged)
        inspect(unpacked.database)
        (staged / FILES).mkdir(mode=0o700, exist_ok=True)
        if config_to is not None and (staged / CONFIG).is_dir():
            shutil.copytree(staged / CONFIG, config_to, dirs_exist_ok=True)
        marker = database.parent / MARKER
        _write(marker, unpacked.header.model_dump_json().encode())
        try:
            replaced = _replace(settings, database, staged)
        except OSError as error:
            raise BackupError(
                f"The data are replaced only in part ({error}). Nothing opens them now; run the "
                "restore again."
            ) from error
        marker.unlink()
        _sync(marker.parent)
        return Restored(unpacked, replaced)


def _replace(settings: DataSettings, database: Path, staged: Path) -> Path | None:
    """Move the data away and those in `staged` into their place; where the old ones are."""
    data = settings.data_dir
    secrets = [name for name in SECRETS if (staged / DATA / name).exists()]
    # Containers and host processes keep them in different files, and those of before must not win
    # over the restored ones.
    aside = SECRETS if secrets else ()
    replaced = data / f"replaced-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
    _gather(database)
    moves = [
        (database.with_name(database.name + end), f"db/conversation.db{end}") for end in _SIDES
    ]
    moves += [(settings.files_dir, "files"), *((data / name, name) for name in aside)]
    for place, name in moves:
        _move(place, replaced / name)
    _move(staged / DATABASE, database)
    _move(staged / FILES, settings.files_dir)
    for name in aside:
        if (replaced / name).exists():
            # Secrets may be read-only; what only waits to be deleted need not be.
            (replaced / name).chmod(0o600)
    for name in secrets:
        _move(staged / DATA / name, data / name)
    return replaced if replaced.exists() else None


def _gather(database: Path) -> None:
    # One file is moved, or not; so what SQLite has in a log beside it goes into it first.
    if database.exists():
        with suppress(sqlite3.Error), closing(sqlite3.connect(database)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _move(source: Path, target: Path) -> None:
    """Move a file or folder, also to another file system. Nothing happens when there is none."""
    if not source.exists():
        return
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        source.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        partial = target.with_name(f".{target.name}.partial")
        if source.is_dir():
            shutil.rmtree(partial, ignore_errors=True)
            shutil.copytree(source, partial)
        else:
            shutil.copy2(source, partial)
        os.sync()
        partial.rename(target)
        shutil.rmtree(source) if source.is_dir() else source.unlink()
    _sync(target.parent)
    _sync(source.parent)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
