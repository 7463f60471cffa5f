"""The event log of one run: appended to by the run, read by any number of readers."""

import asyncio
from bisect import bisect_right
from collections.abc import Iterable
from itertools import islice
from typing import Any

from atoll_chat.runs.events import Event, merged

AT_ONCE = 65_536


class RunLog:
    """Events in memory, bounded by the length of one answer.

    Appending never waits. Each reader keeps its own position and is woken at once.
    """

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.events = list(events)
        self._changed = asyncio.Event()

    def append(self, name: str, data: dict[str, Any]) -> Event:
        """Add an event under the next id and wake the readers."""
        event = Event(self.end + 1, name, data)
        self.add(event)
        return event

    def add(self, event: Event) -> None:
        """Add an event that has its id and wake the readers."""
        self.events.append(event)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    @property
    def end(self) -> int:
        """Id of the last event; 0 when there is none."""
        return self.events[-1].id if self.events else 0

    @property
    def ended(self) -> bool:
        """Whether the final event is there."""
        return bool(self.events) and self.events[-1].is_final

    async def changed(self) -> None:
        """Wait until the next event."""
        await self._changed.wait()


class Reader:
    """One reader of a log, from after the event `after`."""

    def __init__(self, log: RunLog, after: int = 0) -> None:
        self._log = log
        self._position = bisect_right(log.events, after, key=lambda event: event.id)

    @property
    def ended(self) -> bool:
        """Whether the final event was read."""
        return self._log.ended and self._position >= len(self._log.events)

    async def next(self, wait: float) -> list[Event]:
        """Some of the events not read yet, deltas merged; empty when none came in `wait` seconds.

        At most about `AT_ONCE` characters of text, so that a reader far behind buffers little.
        """
        if self._position >= len(self._log.events) and not self.ended:
            try:
                async with asyncio.timeout(wait):
                    await self._log.changed()
            except TimeoutError:
                return []
        fresh: list[Event] = []
        size = 0
        for event in islice(self._log.events, self._position, None):
            fresh.append(event)
            size += len(event.data.get("text", ""))
            if size >= AT_ONCE:
                break
        self._position += len(fresh)
        return merged(fresh)
