"""Cuts a long signal into overlapping windows and joins what became of them without clicks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Windows:
    """Where the windows of a signal begin; all have the same length.

    Two neighbours have at least `fade` frames in common, and are crossfaded in the middle of what
    they have in common, where both have heard something of either side.
    """

    starts: tuple[int, ...]
    length: int
    fade: int


def cut(frames: int, longest: int, fade: int, multiple: int) -> Windows:
    """As few windows as will do, of about equal shares of the signal.

    Args:
        frames: length of the signal, 1 or more.
        longest: most frames of a window, a few more by rounding.
        multiple: two or more windows get a length that is a multiple of this.
    """
    if frames <= longest:
        return Windows((0,), frames, fade)
    count = -(-(frames - fade) // (longest - fade))
    # One frame more than the fade, so that rounding the starts leaves room for it.
    length = -(-(frames + (count - 1) * (fade + 1)) // count)
    length = min(frames, -(-length // multiple) * multiple)
    rest = frames - length
    starts = tuple(index * rest // (count - 1) for index in range(count))
    return Windows(starts, length, fade)


class Joiner:
    """Takes the windows of a signal in order and gives back the signal.

    The ramps of a crossfade are straight and add up to one, so windows that agree come out as they
    are.
    """

    def __init__(self, windows: Windows) -> None:
        self._windows = windows
        self._next = 0
        self._tail: NDArray[np.float32] | None = None
        up = (np.arange(windows.fade, dtype=np.float32) + np.float32(0.5)) / np.float32(
            windows.fade
        )
        self._up = up[:, None]
        self._down = np.float32(1) - self._up

    def add(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        """The part of the signal that this window completes.

        Args:
            window: the next one, of shape (windows.length, channels).
        """
        index, fade = self._next, self._windows.fade
        start = self._windows.starts[index]
        self._next += 1
        is_last = self._next == len(self._windows.starts)
        begin = 0 if index == 0 else self._seam(index - 1) - start
        end = self._windows.length if is_last else self._seam(index) + fade - start
        piece = window[begin:end].copy()
        if self._tail is not None:
            piece[:fade] *= self._up
            piece[:fade] += self._tail
        if is_last:
            return piece
        self._tail = piece[-fade:] * self._down
        return piece[:-fade]

    def _seam(self, index: int) -> int:
        """Where the crossfade between a window and the next begins."""
        starts, length = self._windows.starts, self._windows.length
        shared = starts[index] + length - starts[index + 1]
        return starts[index + 1] + (shared - self._windows.fade) // 2
