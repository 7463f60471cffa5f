"""The models folder while something is fetched into it.

One fetch at a time; unfinished work lives in `MODELS_DIR/.cache`; a checkpoint appears under its
final name only when it is complete.
"""

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from atoll_inference.catalog.folder import SETTINGS_NAME
from atoll_inference.catalog.lock import LOCK_NAME, Lock, write_record

Say = Callable[[str], None]

CACHE_NAME = ".cache"
STARTERS_NAME = "starters"
"""The folder beside the catalog with what the release carries; no checkpoint is served from it."""
TELL_EVERY_S = 1.0
"""Time between two lines of progress."""


class FetchFailed(Exception):
    """Nothing was installed; the message says why and what to do."""


@contextmanager
def fetching(models_dir: Path, say: Say) -> Iterator[Path]:
    """Hold the fetch lock of the models folder and give its cache folder.

    The lock is freed by the system when the process dies.

    Raises:
        FetchFailed: a file cannot be written, here or in the body.
    """
    cache = models_dir / CACHE_NAME
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / "fetch.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say("another fetch is running; waiting for it")
                fcntl.flock(file, fcntl.LOCK_EX)
            yield cache
    except OSError as error:
        raise FetchFailed(
            f"{error.filename or models_dir}: {error.strerror or error}. Check the free space and "
            "that this user may write there."
        ) from error


def empty(folder: Path) -> Path:
    """The folder, with nothing in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def place(stage: Path, folder: Path, lock: Lock) -> None:
    """Give a complete checkpoint its record and its final name.

    An operator's own settings are kept; whatever else was under that name is replaced.
    """
    if (folder / SETTINGS_NAME).is_file():
        shutil.copy2(folder / SETTINGS_NAME, stage / SETTINGS_NAME)
    write_record(stage / LOCK_NAME, lock)
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists():
        shutil.rmtree(folder)
    stage.rename(folder)
