"""A copy of the database from before a migration."""

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

KEPT = 5


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
        with (
            closing(sqlite3.connect(f"file:{quote(str(database))}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(partial)) as copy,
        ):
            source.backup(copy)
        partial.chmod(0o600)
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.rename(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    for old in sorted(folder.glob(f"{database.stem}-*.db"))[:-KEPT]:
        old.unlink()
    return target
