"""Results of jobs, kept until the one who asked has fetched them."""

import asyncio
import shutil
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from atoll_inference.api.replies import FileReply
from atoll_inference.api.task_schema import FileOut
from atoll_kit.errors import NotFound

KEEP_S = 15 * 60
"""A result that nobody fetches is deleted after so many seconds."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One result on disk."""

    path: Path
    media_type: str
    user: str | None
    until: float


class ResultStore:
    """Files by random name under one folder, which is emptied at start."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[str, Kept] = {}

    def open(self) -> None:
        """Remove what a former process left and make the folder; blocking."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True, exist_ok=True)

    async def keep(self, reply: FileReply, user: str | None) -> FileOut:
        """Keep a result for its user."""
        identifier = uuid.uuid4().hex
        path = self._folder / identifier
        await asyncio.to_thread(reply.save, path)
        self._kept[identifier] = Kept(path, reply.media_type, user, time.monotonic() + KEEP_S)
        self._forget_old()
        size = path.stat().st_size
        return FileOut(id=identifier, media_type=reply.media_type, bytes=size, name=reply.name)

    def find(self, identifier: str, user: str | None) -> Kept:
        """The result of that name.

        Raises:
            NotFound: it was fetched already, is too old, or belongs to somebody else.
        """
        self._forget_old()
        kept = self._kept.get(identifier)
        if kept is None or kept.user != user:
            raise NotFound(
                "There is no such result. It is kept for 15 minutes and can be fetched once.",
                code="result_not_found",
            )
        return kept

    def forget(self, identifier: str) -> None:
        """Delete a result; harmless to repeat."""
        kept = self._kept.pop(identifier, None)
        if kept is not None:
            kept.path.unlink(missing_ok=True)

    def _forget_old(self) -> None:
        now = time.monotonic()
        for identifier in [i for i, kept in self._kept.items() if kept.until < now]:
            self.forget(identifier)
