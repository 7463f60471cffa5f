"""Threads for what must not run on the event loop.

A `ThreadPoolExecutor` makes two futures, a lock and a wake-up of the loop for every call, which is
as much work as a short text takes to prepare. Here calls go through one queue that is written in C,
and the ends of calls that come close together reach the loop in one wake-up.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

_Call = tuple[asyncio.Future[Any], Callable[..., Any], tuple[Any, ...]]


class Workers:
    """A few threads of one event loop, started when they are first needed.

    Args:
        count: most threads.
        name: of the threads, without their number.
    """

    def __init__(self, count: int, name: str) -> None:
        self._count = count
        self._name = name
        self._loop = asyncio.get_running_loop()
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._ends: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._waking = threading.Lock()
        self._threads = 0
        self._under_way = 0
        self._closed = False

    def run(self, call: Callable[..., Any], *arguments: Any) -> "asyncio.Future[Any]":
        """What `call(*arguments)` gives, on a thread. Called on the event loop.

        Raises:
            RuntimeError: the workers are closed.
        """
        if self._closed:
            raise RuntimeError("the workers are closed")
        if self._under_way >= self._threads < self._count:
            self._threads += 1
            # A daemon: a call stuck in native code must not keep the process alive.
            threading.Thread(
                target=self._serve, name=f"{self._name}_{self._threads}", daemon=True
            ).start()
        self._under_way += 1
        future = self._loop.create_future()
        self._calls.put((future, call, arguments))
        return future

    def close(self) -> None:
        """End the threads when they have done what was begun; what was not is cancelled."""
        self._closed = True
        with suppress(Empty):
            while (waiting := self._calls.get_nowait()) is not None:
                waiting[0].cancel()
        for _ in range(self._threads):
            self._calls.put(None)

    def _serve(self) -> None:
        while (taken := self._calls.get()) is not None:
            future, call, arguments = taken
            result: Any = None
            failure: BaseException | None = None
            try:
                # Harmless without the loop's lock: at worst a call runs for nobody.
                if not future.cancelled():
                    result = call(*arguments)
            except StopIteration as error:  # a future does not take it
                failure = RuntimeError(f"{call} ended with StopIteration")
                failure.__cause__ = error
            except BaseException as error:
                failure = error
            self._ends.append((future, result, failure))
            # Nothing of a call is kept until the next one comes.
            del taken, future, call, arguments, result, failure
            if self._waking.acquire(blocking=False):
                with suppress(RuntimeError):  # the loop is closed: the service has ended
                    self._loop.call_soon_threadsafe(self._settle)

    def _settle(self) -> None:
        # Released first: an end that is added from here on wakes the loop again.
        self._waking.release()
        while self._ends:
            future, result, failure = self._ends.popleft()
            self._under_way -= 1
            if future.done():
                continue
            if failure is not None:
                future.set_exception(failure)
            else:
                future.set_result(result)
