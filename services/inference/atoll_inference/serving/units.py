"""Units that wait for a forward pass, and which of them share the next one."""

import asyncio
from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Any

from atoll_inference.engines.base import BatchLimits, Unit, fits

SINGLES_IN_A_ROW = 4
"""So many batches may begin with a single request while bulk waits; the next begins with bulk."""

_WINDOW = 8
"""A batch is chosen among the first so many times its count."""


class Group:
    """The units of one round of one item, and their outputs as they come.

    Shared by the event loop and the device's thread, under the device's condition. `future` is
    touched on the event loop alone.
    """

    def __init__(self, units: Sequence[Unit], future: asyncio.Future[list[Any]]) -> None:
        self.units = units
        self.future = future
        self.outputs: list[Any] = [None] * len(units)
        self.left = len(units)
        self.dropped = False
        self.failure: BaseException | None = None
        self.queue_s = 0.0
        self.forward_s = 0.0

    @property
    def is_over(self) -> bool:
        """Whether nothing of it needs to run any more."""
        return self.dropped or self.failure is not None or self.left == 0


class Waiting:
    """One unit in the queue."""

    __slots__ = ("group", "index", "since", "unit")

    def __init__(self, group: Group, index: int, since: float) -> None:
        self.group = group
        self.index = index
        self.unit = group.units[index]
        self.since = since


class UnitQueue:
    """Two lines: single requests, and bulk. Not thread-safe by itself."""

    def __init__(self) -> None:
        self._singles: deque[Waiting] = deque()
        self._bulk: deque[Waiting] = deque()
        self._row = 0

    def __len__(self) -> int:
        return len(self._singles) + len(self._bulk)

    def put(self, group: Group, *, bulk: bool, now: float) -> None:
        """Add the units of a group."""
        line = self._bulk if bulk else self._singles
        line.extend(Waiting(group, index, now) for index in range(len(group.units)))

    def take(self, limits: BatchLimits) -> list[Waiting]:
        """The units of the next batch, shortest first; empty when none waits.

        The one that has waited longest in its line is always among them. The others are those
        nearest to it in size and not too far from it, so that little is padded.
        """
        first, second = self._singles, self._bulk
        if second and (not first or self._row >= SINGLES_IN_A_ROW):
            first, second = second, first
        candidates = _heads(first, _WINDOW * limits.count)
        rest = _heads(second, _WINDOW * limits.count)
        if not candidates:
            candidates, rest, first, second = rest, [], second, first
        if not candidates:
            return []
        self._row = self._row + 1 if first is self._singles else 0
        anchor = candidates[0]
        chosen = [anchor]
        smallest = largest = anchor.unit.size
        # Below this difference another forward pass costs more than the padding: on two cores one
        # of a single short text takes as long as some 80 of its tokens in a full batch.
        slack = 2 * limits.size // limits.count
        for line in (candidates[1:], rest):
            # Python sorts stably: among equally near ones, those that came first.
            for waiting in sorted(line, key=lambda w: abs(w.unit.size - anchor.unit.size)):
                low, high = min(smallest, waiting.unit.size), max(largest, waiting.unit.size)
                if not fits(limits, len(chosen) + 1, high) or high > 2 * low + slack:
                    break
                chosen.append(waiting)
                smallest, largest = low, high
        taken = set(map(id, chosen))
        first.extendleft(w for w in reversed(candidates) if id(w) not in taken)
        second.extendleft(w for w in reversed(rest) if id(w) not in taken)
        return sorted(chosen, key=lambda w: w.unit.size)

    def forget(self, group: Group) -> None:
        """Take the units of a group out."""
        for line in (self._singles, self._bulk):
            if any(waiting.group is group for waiting in line):
                kept = [waiting for waiting in line if waiting.group is not group]
                line.clear()
                line.extend(kept)


def _heads(line: deque[Waiting], count: int) -> list[Waiting]:
    """Remove and return the first `count` units, without those that nobody waits for."""
    heads = list(islice(line, count))
    for _ in heads:
        line.popleft()
    return [waiting for waiting in heads if not waiting.group.is_over]
