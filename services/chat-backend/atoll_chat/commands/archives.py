"""What the commands share that read or write an archive."""

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from atoll_chat.backup import BackupError
from atoll_chat.commands import CommandError
from atoll_chat.migrations.place import PlaceError
from atoll_chat.migrations.runner import MigrationError
from atoll_chat.settings import DataSettings

STREAM = "-"


@contextmanager
def failures(settings: DataSettings) -> Iterator[None]:
    """Turn what may go wrong with archives into a line for the operator."""
    try:
        yield
    except (BackupError, MigrationError, PlaceError) as error:
        raise CommandError(str(error)) from error
    except BrokenPipeError as error:
        raise CommandError("Whoever reads the backup went away before its end.") from error
    except (OSError, sqlite3.Error) as error:
        place = getattr(error, "filename", None) or settings.data_dir
        reason = getattr(error, "strerror", None) or error
        raise CommandError(f"{place}: {reason}. Nothing was changed.") from error


@contextmanager
def target(name: str) -> Iterator[BinaryIO]:
    """Where to write: the file appears under its name only when it is whole and on the disk."""
    if name == STREAM:
        if sys.stdout.isatty():
            raise BackupError("A backup is no text. Redirect it: atoll-chat backup - > FILE")
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(name)
    if path.exists():
        raise BackupError(f"{path} exists already. Name a new file.")
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


@contextmanager
def source(name: str) -> Iterator[BinaryIO]:
    """What to read: a file, or standard input."""
    if name == STREAM:
        yield sys.stdin.buffer
        return
    with Path(name).open("rb") as file:
        yield file
