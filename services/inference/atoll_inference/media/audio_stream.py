"""The audio stream of a container file, block by block, through FFmpeg (PyAV)."""

import io
import struct
from collections.abc import Iterator
from types import TracebackType
from typing import Any, BinaryIO

import av
import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from atoll_inference.media.errors import Undecodable, Unsupported

CONTAINERS = (
    "wav", "w64", "aiff", "au", "caf", "mp3", "flac", "ogg", "aac", "ac3", "amr", "ape", "wv",
    "tta", "mov", "mp4", "m4a", "3gp", "3g2", "mj2", "matroska", "webm", "avi", "asf", "flv",
    "mpeg", "mpegts",
)  # fmt: skip
"""FFmpeg's names of the containers that are opened. Play lists and others that name further files
or addresses are not among them: they would read what the sender may not."""

MAX_CHANNELS = 8
MIN_RATE = 1000
MAX_RATE = 384_000

_BLOCK_FRAMES = 2**16
_EXACT = {"wav", "w64", "aiff", "au", "caf", "flac", "mov,mp4,m4a,3gp,3g2,mj2"}
"""Containers that declare the length of a stream instead of guessing it from the bit rate."""

_FULL_SCALE = {"u8": 2.0**7, "s16": 2.0**15, "s32": 2.0**31, "s64": 2.0**63, "flt": 1.0, "dbl": 1.0}
_STREAMED_WAV = 0x7FFF_0000
"""Programs that write to a pipe put a data size from here on, or 0, into the header."""

_NO_SOUND = (
    "The file holds no recording that can be decoded. It is empty, damaged, cut off or no audio "
    "file. Send it as WAV, FLAC, MP3, Ogg, M4A, MP4 or WebM."
)


class AudioStream:
    """The first audio stream of an open file.

    Attributes:
        rate: frames per second.
        channels: 1 to 8.
        declared_seconds: length as the header says; None when it does not, or only guesses.
    """

    def __init__(self, source: BinaryIO) -> None:
        """Raises: Undecodable, Unsupported."""
        wav_seconds = _wav_seconds(source)
        source.seek(0)
        try:
            self._container = av.open(
                source,
                "r",
                options={"format_whitelist": ",".join(CONTAINERS), "protocol_whitelist": "none"},
                metadata_errors="ignore",
            )
        except av.error.ArgumentError as error:
            raise Unsupported(
                "This container is not taken. Send WAV, FLAC, MP3, Ogg, M4A, MP4 or WebM."
            ) from error
        except (av.FFmpegError, ValueError, EOFError) as error:
            raise Undecodable(_NO_SOUND) from error
        try:
            self._open(wav_seconds)
        except BaseException:
            self._container.close()
            raise

    def _open(self, wav_seconds: float | None) -> None:
        if not self._container.streams.audio:
            raise Undecodable("The file has no sound track.")
        self._stream = self._container.streams.audio[0]
        context: Any = self._stream.codec_context
        if context is None:
            raise Unsupported("The codec of the sound track is not known. Send it as WAV or FLAC.")
        self._frames = self._decoded()
        try:
            self._first: AudioFrame | None = next(self._frames, None)
        except (av.FFmpegError, ValueError) as error:
            raise Undecodable(_NO_SOUND) from error
        if self._first is None:
            raise Undecodable(_NO_SOUND)
        # The decoder knows better than the container, which may announce half the rate (HE-AAC).
        self.rate = int(self._first.sample_rate)
        self.channels = int(self._first.layout.nb_channels)
        if not MIN_RATE <= self.rate <= MAX_RATE:
            raise Unsupported(
                f"The recording has {self.rate} samples a second; {MIN_RATE} to {MAX_RATE} are "
                "taken."
            )
        if not 1 <= self.channels <= MAX_CHANNELS:
            raise Unsupported(
                f"The recording has {self.channels} channels; at most {MAX_CHANNELS} are taken."
            )
        self.declared_seconds = wav_seconds
        duration, base = self._stream.duration, self._stream.time_base
        if wav_seconds is None and duration and base and self._container.format.name in _EXACT:
            self.declared_seconds = float(duration * base)

    def __enter__(self) -> "AudioStream":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._container.close()

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Arrays of shape (frames, channels), once.

        Raises:
            Undecodable: more packets were damaged than not.
            Unsupported: rate or channels change on the way.
        """
        assert self._first is not None
        waiting = [_samples(self._first)]
        size = len(waiting[0])
        self._first = None
        for frame in self._frames:
            if (frame.sample_rate, frame.layout.nb_channels) != (self.rate, self.channels):
                raise Unsupported(
                    "The number of channels or the sample rate changes within the recording. "
                    "Convert it to WAV first."
                )
            waiting.append(_samples(frame))
            size += len(waiting[-1])
            if size >= _BLOCK_FRAMES:
                yield np.concatenate(waiting)
                waiting, size = [], 0
        if size:
            yield np.concatenate(waiting)

    def check_complete(self, frames: int) -> None:
        """Raises: Undecodable, when `frames` are clearly fewer than the header declares."""
        declared = self.declared_seconds
        if declared is None:
            return
        seconds = frames / self.rate
        if declared - seconds > max(0.1, 0.02 * declared):
            raise Undecodable(
                f"The recording is cut off: its header declares {declared:.1f} s and {seconds:.1f} "
                "s are there. Send the whole file."
            )

    def _decoded(self) -> Iterator[AudioFrame]:
        good = damaged = 0
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, av.error.EOFError):
                break
            except (av.FFmpegError, ValueError):
                damaged += 1
                break
            try:
                frames = packet.decode()
            except (av.FFmpegError, ValueError):
                damaged += 1
                continue
            for frame in frames:
                good += 1
                if frame.samples:
                    yield frame
        if damaged > good:
            raise Undecodable(_NO_SOUND)


def _samples(frame: AudioFrame) -> NDArray[np.float32]:
    kind = frame.format.name.removesuffix("p")
    scale = _FULL_SCALE.get(kind)
    if scale is None:
        raise Unsupported(f"Samples of the type {kind} are not taken. Send the recording as WAV.")
    array: NDArray[Any] = frame.to_ndarray()
    array = array.T if frame.format.is_planar else array.reshape(-1, frame.layout.nb_channels)
    if kind in {"flt", "dbl"}:
        with np.errstate(over="ignore"):  # becomes infinite, which is refused with a message
            return np.ascontiguousarray(array, np.float32)
    middle = 128.0 if kind == "u8" else 0.0
    values: NDArray[np.float64] = (array.astype(np.float64) - middle) / scale
    return np.ascontiguousarray(values, np.float32)


def _wav_seconds(source: BinaryIO) -> float | None:
    """The length that the header of a RIFF file declares.

    FFmpeg shortens it to what the file holds, so that a cut-off file would look whole.
    """
    source.seek(0)
    head = source.read(12)
    if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
        return None
    bytes_per_second = 0
    while len(chunk := source.read(8)) == 8:
        name, size = struct.unpack("<4sI", chunk)
        if name == b"fmt " and size >= 16:
            bytes_per_second = struct.unpack("<I", source.read(16)[8:12].ljust(4, b"\0"))[0]
            size -= 16
        elif name == b"data":
            known = 0 < size < _STREAMED_WAV and bytes_per_second > 0
            return size / bytes_per_second if known else None
        source.seek(size + size % 2, io.SEEK_CUR)
    return None
