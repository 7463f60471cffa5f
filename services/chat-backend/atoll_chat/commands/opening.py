"""Taking hold of the database, as every command does that touches it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from atoll_chat.backup import BackupError
from atoll_chat.backup.restoring import refuse_unfinished
from atoll_chat.commands import CommandError
from atoll_chat.database import DatabaseBusy, WriterLock
from atoll_chat.migrations.place import PlaceError, database_file, refuse_network
from atoll_chat.migrations.runner import MigrationError
from atoll_chat.settings import DataSettings


@contextmanager
def writer(settings: DataSettings, *, restoring: bool = False) -> Iterator[Path]:
    """The database file, while this process is its one writer.

    Args:
        restoring: the caller is about to replace the data, so half-replaced ones do not matter.

    Raises:
        CommandError: the place is not fit, cannot be written, another process is the writer, or
            a restore was not finished.
    """
    try:
        database = database_file(settings)
        refuse_network(database.parent)
        _make_private(database.parent)
        lock = WriterLock(database.parent)
        lock.acquire()
    except (PlaceError, DatabaseBusy) as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(
            f"{error.filename or settings.data_dir} cannot be used: {error.strerror}. "
            "DATA_DIR has to be a folder that the user of this process may write."
        ) from error
    try:
        if not restoring:
            refuse_unfinished(database)
        yield database
    except BackupError as error:
        raise CommandError(str(error)) from error
    except MigrationError as error:
        raise CommandError(str(error)) from error
    finally:
        lock.release()


def _make_private(folder: Path) -> None:
    # A folder that an operator made keeps the permissions it was given.
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
