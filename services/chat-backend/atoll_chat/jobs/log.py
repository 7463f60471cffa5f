"""The events of one job: each says how it stands, so that the newest is all a reader needs."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

# Between two events of one reader; what happens meanwhile is in the second.
PAUSE_SECONDS = 0.1
FINAL = frozenset({"done", "error"})


@dataclass(frozen=True, slots=True)
class Event:
    """One event. Ids rise within a job; exactly one event, the last, is final."""

    id: int
    name: str
    data: dict[str, Any]


class JobLog:
    """The newest event of a job that is not finished, and then its final one.

    Writing never waits, and what a slow reader has missed is not kept for it.

    Args:
        end: id of the last event there has been.
    """

    def __init__(self, end: int = 0) -> None:
        self.end = end
        self.newest: Event | None = None
        self.closed = False
        self._changed = asyncio.Event()

    def write(self, name: str, data: dict[str, Any]) -> Event:
        """Add an event under the next id and wake the readers."""
        event = Event(self.end + 1, name, data)
        self.add(event)
        return event

    def add(self, event: Event) -> None:
        """Add an event that has its id. Nothing follows a final one."""
        if self.ended:
            return
        self.end, self.newest = event.id, event
        self._wake()

    def close(self) -> None:
        """Let the readers go without a final event: the job goes on in another process."""
        self.closed = True
        self._wake()

    @property
    def ended(self) -> bool:
        """Whether the final event is there."""
        return self.newest is not None and self.newest.name in FINAL

    async def changed(self) -> None:
        """Wait until the next event."""
        await self._changed.wait()

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


class JobReader:
    """One reader of a log, from after the event `after`."""

    def __init__(self, log: JobLog, after: int = 0) -> None:
        self._log = log
        self._position = after
        self._told = 0.0

    @property
    def ended(self) -> bool:
        """Whether nothing is left to read and nothing will come."""
        return (self._log.ended or self._log.closed) and not self._fresh()

    async def next(self, wait: float) -> list[Event]:
        """The newest event if it was not read yet; empty when none came in `wait` seconds."""
        await asyncio.sleep(self._told + PAUSE_SECONDS - time.monotonic())
        if not self._fresh() and not self.ended:
            try:
                async with asyncio.timeout(wait):
                    await self._log.changed()
            except TimeoutError:
                return []
        if not self._fresh():
            return []
        assert self._log.newest
        self._position, self._told = self._log.newest.id, time.monotonic()
        return [self._log.newest]

    def _fresh(self) -> bool:
        return self._log.newest is not None and self._log.newest.id > self._position
