"""Runs the batches of one model on its device's thread, and survives what goes wrong in them.

A batch that fails is taken apart: out of memory halves it and remembers what fitted, anything else
runs its units alone, so that one bad input fails by itself.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

from atoll_inference.engines.base import BatchEngine, BatchLimits, EngineError, OutOfMemory
from atoll_inference.serving import metrics
from atoll_inference.serving.device import Device
from atoll_inference.serving.units import Group, UnitQueue, Waiting
from atoll_kit.logs import get_logger

log = get_logger(__name__)

Deliver = Callable[[list[Group]], None]


class BatchRunner:
    """The queue of units of one model and the loop body of its device's thread.

    Args:
        deliver: given the groups that a batch completed or failed, on the device's thread.
    """

    def __init__(self, model: str, engine: BatchEngine, device: Device, deliver: Deliver) -> None:
        self.model = model
        self.limits: BatchLimits = engine.limits
        """Bounds of a batch; they shrink when the device runs out of memory."""
        self.busy_since: float | None = None
        """When the forward pass that runs now began, on the monotonic clock."""
        self._engine = engine
        self._device = device
        self._deliver = deliver
        self._queue = UnitQueue()

    def put(self, group: Group, *, bulk: bool) -> None:
        """Queue the units of a group."""
        with self._device.condition:
            self._queue.put(group, bulk=bulk, now=time.monotonic())
            self._device.condition.notify()

    def drop(self, group: Group) -> None:
        """Nobody waits for this group any more."""
        with self._device.condition:
            group.dropped = True
            self._queue.forget(group)

    def has_work(self) -> bool:
        """See `Runner.has_work`."""
        return len(self._queue) > 0

    def run(self) -> None:
        """See `Runner.run`."""
        with self._device.condition:
            batch = self._queue.take(self.limits)
        if not batch:
            return
        now = time.monotonic()
        for waiting in batch:
            waiting.group.queue_s = max(waiting.group.queue_s, now - waiting.since)
        self.busy_since = now
        touched = {id(w.group): w.group for w in batch}
        try:
            self._work_off(batch)
        finally:
            self.busy_since = None
            self._deliver([group for group in touched.values() if group.is_over])

    def _work_off(self, batch: list[Waiting]) -> None:
        parts = [batch]
        after_split = False
        while parts:
            part = [w for w in parts.pop() if not w.group.is_over]
            if not part:
                continue
            failure = self._forward(part)
            if failure is None:
                if after_split:
                    self._remember(part)
                    after_split = False
                continue
            # Outside the `except` block, so that no traceback keeps the failed batch in memory.
            if isinstance(failure, OutOfMemory | MemoryError):
                self._engine.release()
                metrics.OOM_SPLITS.labels(self.model).inc()
                if len(part) > 1:
                    middle = len(part) // 2
                    parts += [part[middle:], part[:middle]]
                    after_split = True
                    continue
            elif len(part) > 1:
                log.warning("batch_failed", model=self.model, units=len(part), error=str(failure))
                parts += [[waiting] for waiting in part]
                continue
            part[0].group.failure = failure

    def _forward(self, part: Sequence[Waiting]) -> BaseException | None:
        """Run the units of `part`; the failure, stripped of its traceback, or None."""
        started = time.monotonic()
        self.busy_since = started
        failure: BaseException | None = None
        outputs: list[Any] = []
        try:
            outputs = self._engine.forward([w.unit for w in part])
            if len(outputs) != len(part):
                failure = EngineError(f"{len(outputs)} outputs for {len(part)} units")
        except Exception as error:
            failure = error.with_traceback(None)
            failure.__context__ = failure.__cause__ = None
        seconds = time.monotonic() - started
        metrics.FORWARD.labels(self.model).observe(seconds)
        metrics.BATCH.labels(self.model).observe(len(part))
        if failure is None:
            for waiting, output in zip(part, outputs, strict=True):
                waiting.group.outputs[waiting.index] = output
                waiting.group.left -= 1
        for group in {id(w.group): w.group for w in part}.values():
            group.forward_s += seconds
        return failure

    def _remember(self, part: Sequence[Waiting]) -> None:
        """What fitted after a split is the bound from now on."""
        largest = max(w.unit.size for w in part)
        self.limits = BatchLimits(
            count=min(self.limits.count, len(part)),
            size=min(self.limits.size, len(part) * largest),
        )
        log.warning(
            "batch_limit_lowered",
            model=self.model,
            count=self.limits.count,
            size=self.limits.size,
        )
