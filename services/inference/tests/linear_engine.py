"""The smallest model there is, a matrix, with switches for what goes wrong in large ones."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atoll_inference.engines.base import (
    BatchEngine,
    BatchLimits,
    InvalidInput,
    OutOfMemory,
    Progress,
    Unit,
)

WEIGHTS = np.arange(12, dtype=np.float64).reshape(4, 3)
POISON = -1.0


@dataclass(frozen=True)
class Item:
    """Vectors of length 4, one unit each. `refused` makes preprocessing refuse the item."""

    vectors: tuple[tuple[float, ...], ...]
    refused: bool = False

    @property
    def expected(self) -> list[list[float]]:
        return (np.array(self.vectors) @ WEIGHTS).tolist()  # type: ignore[no-any-return]


def item(*starts: float) -> Item:
    return Item(tuple((s, s + 1, s + 2, s + 3) for s in starts))


@dataclass
class LinearEngine(BatchEngine):
    """Multiplies by `WEIGHTS`.

    `fits` is the largest batch that the pretended device has memory for. `gate`, when closed,
    holds the forward pass up. A vector that begins with POISON breaks its batch.
    """

    count: int = 8
    fits: int = 1000
    concurrency: int = 16
    batches: list[int] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    entered: threading.Event = field(default_factory=threading.Event)
    closed_ways: int = 0

    def __post_init__(self) -> None:
        self.gate.set()

    @property
    def limits(self) -> BatchLimits:
        return BatchLimits(count=self.count, size=1000)

    def bytes_estimate(self) -> int:
        return int(WEIGHTS.nbytes)

    def load(self, progress: Progress) -> None:
        progress(1.0, "loaded")

    def warmup(self) -> None:
        self.run(item(0))

    def unload(self) -> None:
        return

    def steps(self, item: Item, progress: Progress) -> Any:
        try:
            if item.refused:
                raise InvalidInput("this item is refused", "inputs")
            outputs = yield [Unit(np.array(v)) for v in item.vectors]
            progress(0.5, "half")
            return [output.tolist() for output in outputs]
        finally:
            self.closed_ways += 1

    def forward(self, units: Sequence[Unit]) -> list[NDArray[np.float64]]:
        self.batches.append(len(units))
        self.entered.set()
        assert self.gate.wait(30)
        if len(units) > self.fits:
            raise OutOfMemory("no room")
        if any(unit.data[0] == POISON for unit in units):
            raise ValueError("a poisoned input")
        return list(np.stack([unit.data for unit in units]) @ WEIGHTS)
