"""Samples that arrive piece by piece: in memory while they are few, else in a file without name."""

import tempfile
from types import TracebackType
from typing import IO

import numpy as np
from numpy.typing import NDArray

IN_MEMORY_BYTES = 64 * 2**20
"""Up to here the samples stay in memory: 17 minutes of mono at 16 kHz."""


class SampleSpool:
    """Collects blocks of samples and gives them back as one array.

    The array of a long recording is mapped from a temporary file in the folder that TMPDIR names.
    The file has no name any more, so it goes when the array does, also after a crash.
    """

    def __init__(self, channels: int, in_memory_bytes: int = IN_MEMORY_BYTES) -> None:
        self.channels = channels
        self.frames = 0
        self._in_memory_bytes = in_memory_bytes
        self._blocks: list[NDArray[np.float32]] = []
        self._file: IO[bytes] | None = None

    def __enter__(self) -> "SampleSpool":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._blocks.clear()
        if self._file is not None:
            self._file.close()

    def append(self, block: NDArray[np.float32]) -> None:
        """Add a block of shape (frames, channels). The block must not change afterwards.

        Raises:
            OSError: the disk is full.
        """
        self.frames += len(block)
        if self._file is None and self.frames * self.channels * 4 <= self._in_memory_bytes:
            self._blocks.append(block)
            return
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="atoll-samples-")  # noqa: SIM115
            for kept in self._blocks:
                self._write(self._file, kept)
            self._blocks.clear()
        self._write(self._file, block)

    def finish(self) -> NDArray[np.float32]:
        """All samples, of shape (frames, channels). Nothing may be appended afterwards."""
        if self._file is None:
            if not self._blocks:
                return np.zeros((0, self.channels), np.float32)
            samples = np.concatenate(self._blocks)
            self._blocks.clear()
            return samples
        self._file.flush()
        shape = (self.frames, self.channels)
        # Copy on write: whoever changes the array changes his pages, never the file.
        return np.asarray(np.memmap(self._file, np.float32, mode="c", shape=shape))

    @staticmethod
    def _write(file: IO[bytes], block: NDArray[np.float32]) -> None:
        file.write(np.ascontiguousarray(block, np.float32).data)
