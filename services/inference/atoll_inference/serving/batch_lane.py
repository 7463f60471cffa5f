"""The way of requests to a model that answers batches.

A request takes a seat before anything of it is decoded; seats are bounded. Its items then wait for
a turn, since decoded inputs take memory, go through the engine's steps on a worker thread, and
leave their units on the device's queue, where they share forward passes with those of others.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from atoll_inference.engines.base import BatchEngine, Steps, Unit
from atoll_inference.serving import metrics
from atoll_inference.serving.batch_runner import BatchRunner
from atoll_inference.serving.caller import Caller
from atoll_inference.serving.cancel import Cancel
from atoll_inference.serving.device import Device
from atoll_inference.serving.failures import as_api_error
from atoll_inference.serving.lane import Ended, Lane, LaneLimits, OnEnd
from atoll_inference.serving.turns import Turns
from atoll_inference.serving.units import Group
from atoll_inference.serving.work import OnProgress, Outcome, Prepare, Tell, Work
from atoll_inference.serving.workers import Workers
from atoll_kit.errors import ApiError, DeadlineExceeded, TooManyRequests

WORKERS = 2
"""Threads that decode, preprocess and postprocess for one model."""


class Seat:
    """A request's place in a lane; left by `close`."""

    def __init__(self, lane: "BatchLane", caller: Caller, *, bulk: bool) -> None:
        self.model = lane.model
        self.caller = caller
        self.bulk = bulk
        self.arrived = time.monotonic()
        self.error: ApiError | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.works: set[Work] = set()
        self.worked = False
        self.input_tokens = self.output_tokens = 0
        self._lane = lane

    async def run(
        self,
        prepare: Prepare,
        tell: Tell = lambda result: result,
        on_progress: OnProgress | None = None,
    ) -> Outcome:
        """The result of one item.

        Args:
            prepare: makes the engine's item; called on a worker thread.
            tell: turns the engine's result into the answer; called on a worker thread.
            on_progress: told on the event loop how far a long item is.

        Raises:
            ApiError: the input, the engine, the deadline or a cancellation.
        """
        return await self._lane.run(self, prepare, tell, on_progress)

    def close(self) -> None:
        """Leave. What still runs for this request is dropped."""
        self._lane.leave(self)


@dataclass(slots=True)
class _Step:
    """Where an item is after a piece of work on a worker thread; without units it is done."""

    way: Steps
    units: Sequence[Unit] | None
    result: Any = None


class BatchLane(Lane):
    """Requests of one loaded batch model. Everything but steps and forwards is on the loop."""

    def __init__(
        self,
        model: str,
        slot: str,
        engine: BatchEngine,
        limits: LaneLimits,
        on_end: OnEnd,
        *,
        device: Device,
    ) -> None:
        self.model = model
        self.slot = slot
        self.engine: BatchEngine = engine
        self.limits = limits
        self._on_end = on_end
        self._device = device
        self._loop = asyncio.get_running_loop()
        self._runner = BatchRunner(model, engine, device, self._deliver)
        self._workers = Workers(WORKERS, f"{model}-steps")
        self._turns = Turns(engine.concurrency)
        self._seats: set[Seat] = set()
        self._drives: set[asyncio.Task[None]] = set()
        self._closed: ApiError | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._mean_seconds = 0.5
        # Set several times in every request; finding them by name costs more than setting them.
        self._running_gauge = metrics.RUNNING.labels(model)
        self._waiting_gauge = metrics.WAITING.labels(model)
        device.attach(self._runner)

    @property
    def running(self) -> int:
        """Items being worked on."""
        return self.engine.concurrency - self._turns.free

    @property
    def waiting(self) -> int:
        """Requests that wait for their turn."""
        return max(0, len(self._seats) - self.running)

    @property
    def progressing(self) -> bool:
        """See `Lane.progressing`."""
        since = self._runner.busy_since
        return since is None or time.monotonic() - since <= self.limits.stall_s

    def reserve(self, caller: Caller, cancel: Cancel, deadline: float, *, bulk: bool) -> Seat:
        """Take a seat.

        Args:
            deadline: on the monotonic clock; everything of the request fails with 504 then.
            bulk: gives way to single requests.

        Raises:
            TooManyRequests: `queue_full`.
            ApiError: the lane is closing, or `cancel` is already set.
        """
        if self._closed is not None:
            raise self._closed
        if cancel.error is not None:
            raise cancel.error
        if len(self._seats) >= self.engine.concurrency + self.limits.queue:
            metrics.FAILURES.labels(self.model, "queue_full").inc()
            raise TooManyRequests(
                f"{self.model} already has {self.waiting} requests waiting. Try again in a moment.",
                code="queue_full",
                retry_after=self._estimated_wait(),
            )
        seat = Seat(self, caller, bulk=bulk)
        self._seats.add(seat)
        self._idle.clear()
        seat.timer = self._loop.call_at(deadline, self._expire, seat)
        cancel.observe(lambda error: self._end(seat, error))
        self._gauges()
        return seat

    def leave(self, seat: Seat) -> None:
        """Give a seat back; harmless to repeat."""
        if seat not in self._seats:
            return
        self._seats.remove(seat)
        if seat.timer is not None:
            seat.timer.cancel()
        if seat.works:
            self._end(seat, seat.error or ApiError("left", status=499, code="cancelled"))
        if seat.error is not None:
            metrics.FAILURES.labels(self.model, seat.error.code).inc()
        self._on_end(
            Ended(
                model=self.model,
                slot=self.slot,
                caller=seat.caller,
                worked=seat.worked,
                input_tokens=seat.input_tokens,
                output_tokens=seat.output_tokens,
                seconds=time.monotonic() - seat.arrived,
            )
        )
        self._settle()

    async def run(
        self, seat: Seat, prepare: Prepare, tell: Tell, on_progress: OnProgress | None
    ) -> Outcome:
        """See `Seat.run`."""
        if seat.error is not None:
            raise seat.error
        work = Work(prepare, tell, seat.caller, bulk=seat.bulk, on_progress=on_progress)
        seat.works.add(work)
        drive = asyncio.create_task(self._drive(work))
        self._drives.add(drive)
        drive.add_done_callback(self._drives.discard)
        drive.add_done_callback(lambda _: self._settle())
        try:
            outcome = await work.done
        except ApiError as error:
            if error is not seat.error:
                metrics.FAILURES.labels(self.model, error.code).inc()
            raise
        except asyncio.CancelledError:
            self._abort(work, ApiError("cancelled", status=499, code="cancelled"))
            raise
        finally:
            seat.works.discard(work)
            seat.worked = seat.worked or work.started is not None
        seat.input_tokens += outcome.tokens[0]
        seat.output_tokens += outcome.tokens[1]
        self._record(work)
        return outcome

    def abort_where(self, matches: Callable[[Caller], bool], error: ApiError) -> int:
        """See `Lane.abort_where`."""
        chosen = [seat for seat in self._seats if matches(seat.caller)]
        for seat in chosen:
            self._end(seat, error)
        return len(chosen)

    async def close(self, error: ApiError, grace_s: float) -> bool:
        """See `Lane.close`."""
        self._closed = error
        drained = await self._drained(grace_s)
        if not drained:
            self.abort_where(lambda _: True, error)
            drained = await self._drained(5.0)
        self._device.detach(self._runner)
        self._workers.close()
        return drained

    async def _drained(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        return self._idle.is_set()

    async def _drive(self, work: Work) -> None:
        """Take a work through all its steps; it ends in `work.done` whatever happens."""
        turn = self._turns.request(bulk=work.bulk)
        if not turn.done():
            either: list[asyncio.Future[Any]] = [turn, work.done]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not turn.done():  # it ended while it waited, and must not keep its place in the line
            turn.cancel()
            return
        work.started = time.monotonic()
        work.queue_s = work.started - work.arrived
        self._gauges()
        ways: list[Steps] = []
        try:
            await self._steps(work, ways)
        except Exception as error:
            if not work.has_ended():
                # A refusal is not held by its traceback: that would keep the decoded input.
                work.fail(as_api_error(error, work.caller).with_traceback(None))
        finally:
            for way in ways:
                with suppress(RuntimeError):  # the workers are gone: the lane has closed
                    await self._workers.run(way.close)
            self._turns.give_back()
            self._gauges()

    async def _steps(self, work: Work, ways: list[Steps]) -> None:
        if work.has_ended():
            return
        began = time.monotonic()
        step = await self._workers.run(self._begin, work, ways)
        work.preprocess_s = time.monotonic() - began
        while step.units is not None:
            if work.has_ended():
                return
            outputs = await self._forward(work, step.units) if step.units else []
            if work.has_ended():
                return
            began = time.monotonic()
            step = await self._workers.run(self._advance, work, step.way, outputs)
            work.postprocess_s += time.monotonic() - began
        ways.clear()
        work.finish(step.result)

    async def _forward(self, work: Work, units: Sequence[Unit]) -> list[Any]:
        group = Group(units, self._loop.create_future())
        work.group = group
        # Someone who sends a great many units at once waits behind those who send a few.
        bulk = work.bulk or len(units) > self._runner.limits.count
        self._runner.put(group, bulk=bulk)
        try:
            outputs = await group.future
        finally:
            work.group = None
            work.queue_s += group.queue_s
            work.forward_s += group.forward_s
            work.last_sign = time.monotonic()
        return outputs

    def _begin(self, work: Work, ways: list[Steps]) -> _Step:
        item = work.prepare()
        work.progress(0.0, "decoded")
        way = self.engine.steps(item, work.progress)
        ways.append(way)
        try:
            return _Step(way, next(way))
        except StopIteration as end:
            return self._last(work, way, end.value)

    def _advance(self, work: Work, way: Steps, outputs: list[Any]) -> _Step:
        try:
            return _Step(way, way.send(outputs))
        except StopIteration as end:
            return self._last(work, way, end.value)

    def _last(self, work: Work, way: Steps, result: Any) -> _Step:
        work.tokens = self.engine.tokens(result)
        return _Step(way, None, work.tell(result))

    def _deliver(self, groups: list[Group]) -> None:
        """On the device's thread: hand complete and failed groups to the loop."""
        if groups:
            with suppress(RuntimeError):  # the loop is closed: the service has ended
                self._loop.call_soon_threadsafe(_settle_groups, groups)

    def _abort(self, work: Work, error: ApiError) -> None:
        if work.fail(error) and work.group is not None:
            self._runner.drop(work.group)
            if not work.group.future.done():
                work.group.future.set_result([])

    def _end(self, seat: Seat, error: ApiError) -> None:
        """End everything of a request with `error`."""
        if seat.error is None:
            seat.error = error
        for work in list(seat.works):
            self._abort(work, error)

    def _expire(self, seat: Seat) -> None:
        self._end(
            seat,
            DeadlineExceeded(
                "The time allowed for this request ran out. Send a smaller input, or try again "
                "when the service is less busy."
            ),
        )

    def _settle(self) -> None:
        self._gauges()
        if not self._seats and not self._drives:
            self._idle.set()

    def _gauges(self) -> None:
        self._running_gauge.set(self.running)
        self._waiting_gauge.set(self.waiting)

    def _record(self, work: Work) -> None:
        seconds = work.last_sign - work.arrived
        metrics.QUEUE.labels(self.model).observe(work.queue_s)
        metrics.LATENCY.labels(self.model).observe(seconds)
        self._mean_seconds += 0.2 * (seconds - self._mean_seconds)

    def _estimated_wait(self) -> float:
        rounds = 1 + self.waiting / self.engine.concurrency
        return min(60.0, max(1.0, rounds * self._mean_seconds))


def _settle_groups(groups: list[Group]) -> None:
    for group in groups:
        if group.future.done():
            continue
        if group.failure is not None:
            group.future.set_exception(group.failure)
        elif group.left == 0:
            group.future.set_result(group.outputs)
