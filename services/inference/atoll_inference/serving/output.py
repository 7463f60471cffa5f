"""The bounded buffer between an engine's thread and the reader of one answer.

Text is joined while the reader is away, so a slow reader costs the bytes of its text and nothing
per token. When the buffer is full the producing thread waits, alone: the other streams of the
batch have threads and buffers of their own, and the engine goes on with their tokens. Meanwhile
the runtime holds what it generates for the waiting stream, which the context length bounds.
"""

import asyncio
import threading
import time
from dataclasses import dataclass

from atoll_inference.engines.chat import Delta, Finished
from atoll_inference.serving.cancel import slow_client
from atoll_kit.errors import ApiError

PACE_S = 0.02
"""Text that follows sooner than this after the last is joined with what comes next, in seconds.

Nobody reads faster, and every piece costs each process on its way a turn that the engine's threads
are then without. The first piece and the end are not held back by it.
"""


@dataclass(frozen=True, slots=True)
class Queued:
    """The request waits; `position` 1 is next, and 0 says that it has begun."""

    position: int


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing has happened for a while; a reader may tell its client that it is still there."""


OutputEvent = Queued | Idle | Delta | Finished


class OutputBuffer:
    """Events of one answer, written by one thread and read by one coroutine.

    Args:
        limit: bytes of unread text at which the writer waits.
        slow_client_s: seconds a full buffer is tolerated before the answer is dropped.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, *, limit: int, slow_client_s: float
    ) -> None:
        self._loop = loop
        self._limit = limit
        self._slow_client_s = slow_client_s
        self._state = threading.Condition()
        self._texts: list[str] = []
        self._bytes = 0
        self._position: int | None = None
        self._finished: Finished | None = None
        self._error: ApiError | None = None
        self._parked: asyncio.Future[None] | None = None
        self._given = float("-inf")
        self.blocked = False
        """Whether the writer waits for the reader at this moment."""

    @property
    def error(self) -> ApiError | None:
        """Why the answer ended early, if it did."""
        return self._error

    def put(self, event: Delta | Finished) -> bool:
        """Add an event, from the engine's thread; True when generation should stop."""
        with self._state:
            if self._error is not None:
                return True
            if isinstance(event, Finished):
                self._finished = event
            else:
                self._texts.append(event.text)
                self._bytes += len(event.text.encode())
            self._wake_from_thread()
            if self._bytes > self._limit:
                self._wait_for_reader()
            return self._error is not None

    def fail(self, error: ApiError) -> None:
        """End the answer with `error`, from the event loop; the first end counts."""
        with self._state:
            if self._error is None and self._finished is None:
                self._error = error
                self._state.notify_all()
            self._wake()

    def announce(self, position: int) -> None:
        """Tell the reader its place in the queue; a newer place replaces an unread one."""
        with self._state:
            self._position = position
            self._wake()

    async def get(self, idle_s: float) -> OutputEvent:
        """The next event, or `Idle` after `idle_s` seconds without one.

        Raises:
            ApiError: why the answer ended early, after the text before it was read.
        """
        while True:
            await self._keep_pace()
            with self._state:
                event = self._take()
                if event is not None:
                    return event
                if self._error is not None:
                    raise self._error
                parked = self._parked = self._loop.create_future()
            try:
                async with asyncio.timeout(idle_s):
                    await parked
            except TimeoutError:
                return Idle()

    async def _keep_pace(self) -> None:
        early = self._given + PACE_S - time.monotonic()
        if early > 0 and self._error is None and self._finished is None:
            await asyncio.sleep(early)

    def _take(self) -> OutputEvent | None:
        if self._texts:
            text = "".join(self._texts)
            self._texts.clear()
            self._bytes = 0
            self._given = time.monotonic()
            self._state.notify_all()
            return Delta(text)
        if self._position is not None:
            position, self._position = self._position, None
            return Queued(position)
        return self._finished

    def _wait_for_reader(self) -> None:
        self.blocked = True
        freed = self._state.wait_for(
            lambda: self._bytes <= self._limit or self._error is not None, self._slow_client_s
        )
        self.blocked = False
        if not freed:
            self._error = slow_client(self._slow_client_s)
            self._texts.clear()
            self._bytes = 0
            self._wake_from_thread()

    def _wake_from_thread(self) -> None:
        if self._parked is not None:
            # Cleared here so that tokens that follow before the loop turns make no further calls.
            parked, self._parked = self._parked, None
            try:
                self._loop.call_soon_threadsafe(_release, parked)
            except RuntimeError:  # the loop is closed: nobody reads any more
                self._error = self._error or slow_client(0)

    def _wake(self) -> None:
        if self._parked is not None:
            parked, self._parked = self._parked, None
            _release(parked)


def _release(parked: asyncio.Future[None]) -> None:
    # The reader may have been cancelled, or have given up waiting, in the meantime.
    if not parked.done():
        parked.set_result(None)
