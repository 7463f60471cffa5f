"""Headers of weight files, read once for as long as the file does not change."""

from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from atoll_inference.catalog.folder import Problem

T = TypeVar("T")


class BadHeader(Exception):
    """The file is damaged; the message says where it stops making sense."""


class Headers(Generic[T]):
    """What `read` found in files of one format, damage included.

    Args:
        read: reads one file; raises `BadHeader` or a subclass when it is damaged.
    """

    def __init__(self, read: Callable[[Path], T]) -> None:
        self._read = read
        self._known: dict[Path, tuple[tuple[int, int], T | BadHeader]] = {}

    def read(self, file: Path) -> T:
        """The header of `file`.

        Raises:
            Problem: it is damaged or cannot be read.
        """
        try:
            stat = file.stat()
            mark = (stat.st_size, stat.st_mtime_ns)
            known = self._known.get(file)
            if known is None or known[0] != mark:
                known = self._known[file] = (mark, self._try(file))
        except (OSError, ValueError) as error:
            raise Problem(f"{file} cannot be read: {error}.") from error
        header = known[1]
        if isinstance(header, BadHeader):
            raise Problem(f"{file} is damaged: {header}. Delete it and fetch the checkpoint again.")
        return header

    def _try(self, file: Path) -> T | BadHeader:
        try:
            return self._read(file)
        except BadHeader as error:
            # Without its traceback, which would keep the parser's state alive.
            return error.with_traceback(None)
