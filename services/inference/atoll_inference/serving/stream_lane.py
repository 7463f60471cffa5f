"""The way of requests to a model that streams: admission, queue, limits, measurement.

The engine batches by itself, so a lane admits as many requests as the engine has slots, each on a
thread of its own (the runtime's call blocks), and keeps the rest in a bounded queue. A place is
taken before any work is done for a request, and a request over the bound is refused at once.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from atoll_inference.engines.base import EngineError, StreamingEngine
from atoll_inference.engines.chat import ChatRequest
from atoll_inference.serving import metrics
from atoll_inference.serving.caller import Caller
from atoll_inference.serving.cancel import Cancel
from atoll_inference.serving.failures import as_api_error
from atoll_inference.serving.generation import Generation
from atoll_inference.serving.lane import Ended, Lane, LaneLimits, OnEnd
from atoll_inference.serving.output import OutputBuffer
from atoll_kit.errors import ApiError, DeadlineExceeded, TooManyRequests

ANNOUNCE_AFTER_S = 1.0
"""A wait shorter than this is not worth telling; after it the client learns its place."""


class StreamLane(Lane):
    """Requests of one loaded model. Everything but the engine's threads is on the event loop."""

    def __init__(
        self,
        model: str,
        slot: str,
        engine: StreamingEngine,
        limits: LaneLimits,
        on_end: OnEnd,
    ) -> None:
        self.model = model
        self.slot = slot
        self.engine: StreamingEngine = engine
        self.limits = limits
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Generation] = deque()
        self._running: set[Generation] = set()
        self._closed: ApiError | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._mean_seconds = 1.0

    @property
    def running(self) -> int:
        """Requests on the engine."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """Requests in the queue."""
        return len(self._waiting)

    @property
    def progressing(self) -> bool:
        """False when a request runs and the engine has been silent for too long."""
        return not self._running or not all(
            generation.is_stalled(self.limits.stall_s) for generation in self._running
        )

    def submit(
        self, request: ChatRequest, caller: Caller, cancel: Cancel, deadline: float
    ) -> Generation:
        """Take a place and return the generation, started or queued.

        Args:
            deadline: on the monotonic clock; the generation fails with 504 when it passes.

        Raises:
            TooManyRequests: `queue_full`.
            ApiError: the lane is closing, or `cancel` is already set.
        """
        if self._closed is not None:
            raise self._closed
        if cancel.error is not None:
            raise cancel.error
        free = len(self._running) < self.engine.slots
        if not free and len(self._waiting) >= self.limits.queue:
            metrics.FAILURES.labels(self.model, "queue_full").inc()
            raise TooManyRequests(
                f"{self.model} already has {len(self._waiting)} requests waiting. "
                "Try again in a moment.",
                code="queue_full",
                retry_after=self._estimated_wait(),
            )
        output = OutputBuffer(
            self._loop,
            limit=self.limits.buffer_bytes,
            slow_client_s=self.limits.slow_client_s,
        )
        generation = Generation(request, caller, output, deadline)
        self._idle.clear()
        if free:
            self._start(generation)
        else:
            self._waiting.append(generation)
            self._gauges()
            self._loop.call_later(ANNOUNCE_AFTER_S, self._announce, generation)
        generation.timer = self._loop.call_at(deadline, self._expire, generation)
        cancel.observe(lambda error: self.abort(generation, error))
        return generation

    def abort(self, generation: Generation, error: ApiError) -> None:
        """End a generation with `error`: at once in the queue, at the next step when running."""
        generation.fail(error)
        if generation in self._waiting:
            self._waiting.remove(generation)
            self._record(generation)
            self._shift()
            self._settle()

    def abort_where(self, matches: Callable[[Caller], bool], error: ApiError) -> int:
        """See `Lane.abort_where`."""
        chosen = [g for g in [*self._waiting, *self._running] if matches(g.caller)]
        for generation in chosen:
            self.abort(generation, error)
        return len(chosen)

    async def close(self, error: ApiError, grace_s: float) -> bool:
        """See `Lane.close`."""
        self._closed = error
        if await self._drained(grace_s):
            return True
        self.abort_where(lambda _: True, error)
        return await self._drained(5.0)

    async def _drained(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return self._idle.is_set()
        return True

    def _start(self, generation: Generation) -> None:
        now = time.monotonic()
        generation.started = generation.last_sign = now
        self._running.add(generation)
        if generation.announced:
            generation.output.announce(0)  # the wait is over; what follows is the prompt being read
        metrics.QUEUE.labels(self.model).observe(now - generation.arrived)
        metrics.BATCH.labels(self.model).observe(len(self._running))
        self._gauges()
        # A daemon thread: an engine stuck in native code must not keep the process from ending.
        threading.Thread(
            target=self._run, args=(generation,), name=f"{self.model}-stream", daemon=True
        ).start()

    def _run(self, generation: Generation) -> None:
        error: ApiError | None = None
        try:
            self.engine.stream(generation.request, generation.emit)
        except Exception as failure:
            error = as_api_error(failure, generation.caller)
        with suppress(RuntimeError):  # the loop is closed: the service has ended
            self._loop.call_soon_threadsafe(self._ended, generation, error)

    def _ended(self, generation: Generation, error: ApiError | None) -> None:
        self._running.discard(generation)
        if not generation.finished:
            generation.fail(
                error
                or generation.output.error
                or as_api_error(EngineError("it stopped before the end"), generation.caller)
            )
        self._record(generation)
        while self._waiting and len(self._running) < self.engine.slots:
            self._start(self._waiting.popleft())
        self._shift()
        self._settle()

    def _expire(self, generation: Generation) -> None:
        where = "in the queue" if generation.started is None else "before the answer was complete"
        self.abort(
            generation,
            DeadlineExceeded(
                f"The time allowed for this request ran out {where}. Ask for fewer tokens, or try "
                "again when the service is less busy."
            ),
        )

    def _announce(self, generation: Generation) -> None:
        generation.announced = True
        self._shift()

    def _shift(self) -> None:
        """Tell those who wait where they are now."""
        for position, generation in enumerate(self._waiting, 1):
            if generation.announced:
                generation.output.announce(position)

    def _settle(self) -> None:
        self._gauges()
        if not self._running and not self._waiting:
            self._idle.set()

    def _gauges(self) -> None:
        metrics.RUNNING.labels(self.model).set(len(self._running))
        metrics.WAITING.labels(self.model).set(len(self._waiting))

    def _record(self, generation: Generation) -> None:
        now = time.monotonic()
        if generation.timer is not None:
            generation.timer.cancel()
        if generation.started is not None:
            seconds = now - generation.started
            metrics.FORWARD.labels(self.model).observe(seconds)
            self._mean_seconds += 0.2 * (seconds - self._mean_seconds)
        if generation.first_text is not None:
            metrics.FIRST_TOKEN.labels(self.model).observe(
                generation.first_text - generation.arrived
            )
        if generation.failure is None:
            metrics.LATENCY.labels(self.model).observe(now - generation.arrived)
        else:
            metrics.FAILURES.labels(self.model, generation.failure.code).inc()
        metrics.PROMPT_TOKENS.labels(self.model).inc(generation.prompt_tokens)
        metrics.GENERATED_TOKENS.labels(self.model).inc(generation.completion_tokens)
        self._on_end(
            Ended(
                model=self.model,
                slot=self.slot,
                caller=generation.caller,
                worked=generation.started is not None,
                input_tokens=generation.prompt_tokens,
                output_tokens=generation.completion_tokens,
                seconds=generation.last_sign - generation.arrived,
            )
        )

    def _estimated_wait(self) -> float:
        rounds = len(self._waiting) / self.engine.slots
        return min(60.0, max(1.0, rounds * self._mean_seconds))
