"""File contents on the disk, named by id and never by what a user called them."""

import asyncio
import errno
import hashlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from atoll_kit.errors import ApiError, TooLarge
from atoll_kit.logs import get_logger

log = get_logger(__name__)
_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class Stored:
    """What was written."""

    size: int
    sha256: str


class Storage:
    """Contents under `root`: `ab/abcdef…` for the id `abcdef…`; unfinished ones in `.partial`."""

    def __init__(self, root: Path, max_bytes: int) -> None:
        self._root = root
        self._partial = root / ".partial"
        self._max_bytes = max_bytes

    def path(self, file_id: str) -> Path:
        """Where the content of a stored file is. `file_id` must come from the database."""
        return self._root / file_id[:2] / file_id

    def prepare(self) -> None:
        """Make the folder, for this process's user alone, and delete what a crash left in it.

        Raises:
            OSError: the folder cannot be written.
        """
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in self._partial.glob("*"):
            left.unlink(missing_ok=True)

    async def write(self, file_id: str, chunks: AsyncIterator[bytes]) -> Stored:
        """Store `chunks` under `file_id`, on the disk for good and whole, or not at all.

        Raises:
            TooLarge: more than the allowed bytes.
            ApiError: 507 `storage_full`.
        """
        partial = self._partial / file_id
        try:
            await asyncio.to_thread(self._partial.mkdir, parents=True, exist_ok=True)
            with await asyncio.to_thread(partial.open, "xb") as file:
                stored = await self._copy(chunks, file)
                await asyncio.to_thread(_flush, file)
            await asyncio.to_thread(_move, partial, self.path(file_id))
        except BaseException as error:
            partial.unlink(missing_ok=True)
            if isinstance(error, OSError) and error.errno in _FULL:
                log.error("storage_full", folder=str(self._root))
                raise ApiError(
                    "The server's disk is full, so the file was not stored. Ask an administrator.",
                    status=507,
                    code="storage_full",
                ) from None
            raise
        return stored

    def delete(self, file_id: str) -> None:
        """Delete a content; nothing happens when there is none."""
        self.path(file_id).unlink(missing_ok=True)

    async def _copy(self, chunks: AsyncIterator[bytes], file: BinaryIO) -> Stored:
        size, digest = 0, hashlib.sha256()
        async for chunk in chunks:
            size += len(chunk)
            if size > self._max_bytes:
                raise TooLarge(
                    f"A file may have at most {self._max_bytes} bytes.",
                    code="file_too_large",
                    param="file",
                )
            await asyncio.to_thread(_append, file, digest, chunk)
        return Stored(size, digest.hexdigest())


def _append(file: BinaryIO, digest: "hashlib._Hash", chunk: bytes) -> None:
    digest.update(chunk)
    file.write(chunk)


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _move(partial: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    partial.rename(target)
    # The rename itself is on the disk once its folder is.
    for folder in (target.parent, target.parent.parent):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
