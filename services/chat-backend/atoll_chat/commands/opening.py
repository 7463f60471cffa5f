"""Taking hold of the database, as every command does that touches it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from atoll_chat.commands import CommandError
from atoll_chat.database import DatabaseBusy, WriterLock
from atoll_chat.migrations.place import PlaceError, database_file, refuse_network
from atoll_chat.migrations.runner import MigrationError
from atoll_chat.settings import Settings


@contextmanager
def writer(settings: Settings) -> Iterator[Path]:
    """The database file, while this process is its one writer.

    Raises:
        CommandError: the place is not fit, cannot be written, or another process is the writer.
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
        yield database
    except MigrationError as error:
        raise CommandError(str(error)) from error
    finally:
        lock.release()


def _make_private(folder: Path) -> None:
    # A folder that an operator made keeps the permissions it was given.
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
