"""One item on its way through a batch lane."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from atoll_inference.engines.base import Stopped
from atoll_inference.serving.caller import Caller
from atoll_inference.serving.units import Group
from atoll_kit.errors import ApiError

Prepare = Callable[[], Any]
"""Makes the engine's item, decoding included; called on a worker thread when it is its turn."""

Tell = Callable[[Any], Any]
"""Turns the engine's result into what the route answers, encoding included; on a worker thread."""

OnProgress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Timings:
    """Where the time of one item went, in seconds."""

    queue: float
    preprocess: float
    forward: float
    postprocess: float
    total: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one item; `tokens` are those read and those generated."""

    result: Any
    timings: Timings
    tokens: tuple[int, int]


class Work:
    """State of one item. The event loop owns it; `progress` alone is called on worker threads."""

    def __init__(
        self,
        prepare: Prepare,
        tell: Tell,
        caller: Caller,
        *,
        bulk: bool,
        on_progress: OnProgress | None,
    ) -> None:
        self.prepare = prepare
        self.tell = tell
        self.tokens = (0, 0)
        self.caller = caller
        self.bulk = bulk
        self.error: ApiError | None = None
        self.group: Group | None = None
        self.arrived = self.last_sign = time.monotonic()
        self.started: float | None = None
        self.queue_s = self.preprocess_s = self.forward_s = self.postprocess_s = 0.0
        self._loop = asyncio.get_running_loop()
        self._on_progress = on_progress
        self.done: asyncio.Future[Outcome] = self._loop.create_future()

    def has_ended(self) -> bool:
        """Whether it has an end."""
        return self.done.done()

    def progress(self, fraction: float, stage: str) -> None:
        """Tell how far it is.

        Raises:
            Stopped: nobody waits for the result any more.
        """
        self.last_sign = time.monotonic()
        if self.error is not None:
            raise Stopped("the request was ended")
        if self._on_progress is not None:
            self._loop.call_soon_threadsafe(self._on_progress, fraction, stage)

    def finish(self, result: Any) -> None:
        """End with a result, unless it has an end."""
        self.last_sign = time.monotonic()
        if not self.done.done():
            total = self.last_sign - self.arrived
            timings = Timings(
                self.queue_s, self.preprocess_s, self.forward_s, self.postprocess_s, total
            )
            self.done.set_result(Outcome(result, timings, self.tokens))

    def fail(self, error: ApiError) -> bool:
        """End with `error`, unless it has an end; whether it had none."""
        if self.done.done():
            return False
        self.error = error
        self.done.set_exception(error)
        self.done.exception()  # whoever waited may be gone; that is no fault
        return True
