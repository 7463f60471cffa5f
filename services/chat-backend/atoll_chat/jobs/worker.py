"""Takes queued jobs in their turn and works on them, a few at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from atoll_kit.logs import get_logger

log = get_logger(__name__)

AFTER_FAILURE = 1.0


class Worker:
    """Loops that call `work` again and again.

    Args:
        work: works on the next job and returns True, or False at once when none waits.
        loops: how many jobs are worked on at the same time.
    """

    def __init__(self, work: Callable[[], Awaitable[bool]], *, loops: int) -> None:
        self._work = work
        self._count = loops
        self._loops: list[asyncio.Task[None]] = []
        self._added = asyncio.Event()
        self._stopping = False

    def start(self) -> None:
        """Begin."""
        self._loops = [asyncio.create_task(self._loop()) for _ in range(self._count)]

    def wake(self) -> None:
        """Say that a job was added."""
        added, self._added = self._added, asyncio.Event()
        added.set()

    async def stop(self, seconds: float) -> bool:
        """Take no more jobs and wait for those in hand, which have been asked to end.

        False when some did not end in `seconds` and were cut off.
        """
        self._stopping = True
        self.wake()
        if not self._loops:
            return True
        _, late = await asyncio.wait(self._loops, timeout=seconds)
        for loop in late:
            loop.cancel()
            with suppress(asyncio.CancelledError):
                await loop
        self._loops = []
        return not late

    async def _loop(self) -> None:
        while not self._stopping:
            added = self._added
            try:
                worked = await self._work()
            except Exception as error:
                # Nothing of one job may end the work on all others.
                log.error("worker_failed", exc_info=error)
                await asyncio.sleep(AFTER_FAILURE)
                continue
            if not worked and not self._stopping:
                await added.wait()
