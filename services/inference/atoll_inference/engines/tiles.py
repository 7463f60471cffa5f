"""Cutting a picture into overlapping tiles, and joining their enlargements without seams.

All tiles of a picture have one size, a multiple of the model's window, and begin on its grid. Their
outputs are blended over the middle of the overlap with weights that rise linearly; the quarters at
its ends, next to an edge beyond which the model saw nothing, are left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Axis:
    """How one side is cut: tiles of `size` pixels from each of `starts`."""

    size: int
    starts: tuple[int, ...]

    @classmethod
    def cut(cls, length: int, *, window: int, largest: int, overlap: int) -> "Axis":
        """The fewest tiles of at most `largest` pixels that share at least `overlap` pixels with
        the next; both are multiples of `window`, and so is `length`."""
        cells, most, shared = length // window, largest // window, overlap // window
        if cells <= most:
            return cls(length, (0,))
        count = -(-(cells - shared) // (most - shared))
        size = -(-(cells + shared * (count - 1)) // count)
        last = cells - size
        starts = tuple(window * (last * index // (count - 1)) for index in range(count))
        return cls(window * size, starts)


class TiledPicture:
    """A picture on its way through a model that enlarges it.

    Args:
        pixels: uint8 of shape (height, width, channels).
        window: the sides of a tile are multiples of it.
        largest: longest side of a tile, a multiple of `window`.
        overlap: pixels of the original that neighbours share, a multiple of `window`.
        scale: how many pixels of the result there are for one of the original.
    """

    def __init__(
        self, pixels: Pixels, *, window: int, largest: int, overlap: int, scale: int
    ) -> None:
        self._height, self._width, channels = pixels.shape
        self._scale = scale
        below, right = -self._height % window, -self._width % window
        # Mirrored with the edge itself, as the model's authors pad.
        self._padded = np.pad(pixels, ((0, below), (0, right), (0, 0)), mode="symmetric")
        height, width = self._padded.shape[:2]
        self._rows = Axis.cut(height, window=window, largest=largest, overlap=overlap)
        self._columns = Axis.cut(width, window=window, largest=largest, overlap=overlap)
        self._result: Pixels = np.empty((height * scale, width * scale, channels), np.uint8)
        self._last: Floats | None = None
        self._next_row = 0

    @property
    def rows(self) -> int:
        """How many rows of tiles there are."""
        return len(self._rows.starts)

    @property
    def columns(self) -> int:
        """How many tiles a row has."""
        return len(self._columns.starts)

    @property
    def tile_pixels(self) -> int:
        """Pixels of one tile."""
        return self._rows.size * self._columns.size

    def row(self, index: int) -> Iterator[Pixels]:
        """The tiles of a row, from the left."""
        top = self._rows.starts[index]
        for left in self._columns.starts:
            yield self._padded[top : top + self._rows.size, left : left + self._columns.size]

    def put_row(self, outputs: Sequence[Floats]) -> None:
        """Take the enlargements of the next row's tiles: float32 in [0, 255]."""
        index = self._next_row
        self._next_row += 1
        strip = _joined(outputs, self._columns, self._scale, axis=1)
        top = self._rows.starts[index] * self._scale
        if self._last is not None:
            shared = len(self._last)
            rise = _rise(shared)[:, None, None]
            strip[:shared] = self._last * (1 - rise) + strip[:shared] * rise
        if self._next_row < self.rows:
            final = (self._rows.starts[self._next_row] - self._rows.starts[index]) * self._scale
            self._last = strip[final:].copy()
            strip = strip[:final]
        self._result[top : top + len(strip)] = np.rint(strip).astype(np.uint8)

    def finished(self) -> Pixels:
        """The enlarged picture, of shape (scale * height, scale * width, channels)."""
        assert self._next_row == self.rows
        return self._result[: self._height * self._scale, : self._width * self._scale]


def _joined(parts: Sequence[Floats], cut: Axis, scale: int, *, axis: int) -> Floats:
    if len(parts) == 1:
        return parts[0]
    size, ends = cut.size * scale, [start * scale for start in cut.starts]
    height, _, channels = parts[0].shape
    whole = np.empty((height, ends[-1] + size, channels), np.float32)
    covered = 0
    for start, part in zip(ends, parts, strict=True):
        shared = max(0, covered - start)
        rise = _rise(shared)[:, None]
        whole[:, start:covered] = whole[:, start:covered] * (1 - rise) + part[:, :shared] * rise
        whole[:, max(covered, start) : start + size] = part[:, shared:]
        covered = start + size
    return whole


def _rise(length: int) -> Floats:
    """Weights of the later tile over an overlap: 0 in its first quarter, 1 in its last."""
    ramp = (np.arange(length, dtype=np.float32) + 0.5) / max(1, length)
    return np.clip(2 * ramp - 0.5, 0, 1).astype(np.float32)
