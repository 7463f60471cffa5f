"""A job that is not finished, as this process knows it."""

import asyncio
from typing import Literal

from atoll_chat.jobs.log import JobLog

Reason = Literal["cancelled", "interrupted"]


class LiveJob:
    """Its owner, its events, and the request that it end."""

    def __init__(self, id: str, user_id: str, key_id: str | None, *, events_end: int = 0) -> None:
        self.id = id
        self.user_id = user_id
        self.key_id = key_id
        self.log = JobLog(events_end)
        self.position: int | None = None
        self.reason: Reason | None = None
        self.ended = asyncio.Event()
        self.settled = asyncio.Event()
        """Set when the work on it is over and its end is stored."""

    def end(self, reason: Reason) -> None:
        """Ask whoever works on it to stop. The first reason stands."""
        self.reason = self.reason or reason
        self.ended.set()

    def queue_at(self, position: int) -> None:
        """Tell the readers its place in the queue, when that has changed."""
        if position != self.position:
            self.position = position
            self.log.write("queued", {"position": position})
