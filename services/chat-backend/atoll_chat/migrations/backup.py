"""A copy of the database from before a migration."""

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

KEPT = 5


def reading(database: Path) -> sqlite3.Connection:
    """A connection that can neither write nor checkpoint, beside the one writer."""
    # The path is data, not part of the address: a question mark in it must stay one.
    return sqlite3.connect(f"file:{quote(str(database))}?mode=ro", uri=True)


def copy_database(database: Path, target: Path) -> None:
    """Copy `database`, as it is at one moment, to the new file `target` (mode 0600), on the disk.

    Raises:
        OSError, sqlite3.Error: the copy could not be made, for instance because the disk is full.
    """
    descriptor = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with closing(reading(database)) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
            # One file, complete by itself, that can be read in a folder which cannot be written.
            copy.execute("PRAGMA journal_mode = DELETE")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def back_up(database: Path, label: str) -> Path:
    """Copy `database` to `backups/` beside it through SQLite's online-backup API.

    The copy appears under its name only when it is whole and on the disk. The newest five are
    kept.

    Args:
        label: put in the file name, such as the revision the copy is at.

    Raises:
        OSError, sqlite3.Error: the copy could not be made, for instance because the disk is full.
    """
    folder = database.parent / "backups"
    folder.mkdir(mode=0o700, exist_ok=True)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    target = folder / f"{database.stem}-{stamp}-{label}.db"
    partial = target.with_suffix(".partial")
    try:
        copy_database(database, partial)
        partial.rename(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    for old in sorted(folder.glob(f"{database.stem}-*.db"))[:-KEPT]:
        old.unlink()
    return target
