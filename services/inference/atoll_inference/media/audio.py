"""Audio files to samples and back.

Long recordings never lie in memory as a whole: they are decoded, mixed and resampled in blocks,
and kept in a temporary file when they are large (see `spool`).
"""

import io
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soxr
from numpy.typing import NDArray

from atoll_inference.media.audio_stream import AudioStream
from atoll_inference.media.errors import MediaTooLarge, Undecodable
from atoll_inference.media.limits import MediaLimits
from atoll_inference.media.spool import SampleSpool

_BLOCK_FRAMES = 2**19
_WAV_BYTES = 2**32 - 4096
_SPACE_PER_SECOND = 2 * 48_000
"""Samples that are kept for each second of the limit on average: those of stereo at 48 kHz."""

_LOUDEST = 2.0**16
"""Float files with the range of 16-bit integers exist; beyond it no model can compute."""


@dataclass(frozen=True, slots=True, eq=False)
class Audio:
    """A recording. `samples` is float32 of shape (frames, channels), nominally in [-1, 1], finite;
    `rate` is in frames per second."""

    samples: NDArray[np.float32]
    rate: int

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples) / self.rate

    @property
    def channels(self) -> int:
        """1 for mono."""
        return int(self.samples.shape[1])


def decode_audio(
    source: Path | BinaryIO,
    limits: MediaLimits,
    *,
    rate: int | None = None,
    as_mono: bool = False,
) -> Audio:
    """Decode the first audio stream of a wav, mp3, flac, ogg, m4a, webm, mp4 or similar file.

    The containers that are taken are those of `audio_stream.CONTAINERS`. Packets that cannot be
    decoded are left out as players do, unless they are the majority.

    Args:
        source: a file, or an open one that can be sought; it is read from its beginning and
            left open.
        rate: frames per second of the result; None keeps those of the file. Resampled while
            decoding, which spares the space of the original.
        as_mono: mix all channels into one.

    Raises:
        Undecodable: damaged, empty, shorter than it declares, without an audio stream, without
            samples, or with samples that are not finite.
        Unsupported: a container, codec, rate or number of channels that is not taken.
        MediaTooLarge: `audio_too_long`, noticed while decoding.
        OSError: the disk for temporary files is full.
    """
    if isinstance(source, Path):
        with source.open("rb") as file:
            return decode_audio(file, limits, rate=rate, as_mono=as_mono)
    with AudioStream(source) as stream:
        target = rate or stream.rate
        too_long = MediaTooLarge(
            f"The recording is longer than the {limits.audio_seconds:g} s that are allowed. "
            "Cut it into shorter ones.",
            "audio_too_long",
        )
        if (stream.declared_seconds or 0) > limits.audio_seconds + 1:
            raise too_long
        frames = 0
        with SampleSpool(1 if as_mono else stream.channels) as spool:
            converter = _Resampler(stream.rate, target, spool)
            for block in stream.blocks():
                frames += len(block)
                if frames > limits.audio_seconds * stream.rate:
                    raise too_long
                _check(block, frames / stream.rate)
                converter.append(_mixed(block) if as_mono else block)
                if spool.frames * spool.channels > limits.audio_seconds * _SPACE_PER_SECOND:
                    raise MediaTooLarge(
                        "The recording has too many samples for its length. Convert it to 48 kHz "
                        "stereo or cut it into shorter ones.",
                        "audio_too_long",
                    )
            stream.check_complete(frames)
            converter.close()
            return Audio(spool.finish(), target)


def resample(audio: Audio, rate: int) -> Audio:
    """The recording at `rate` frames per second, by soxr's high quality filter.

    It gets `round(frames * rate / audio.rate)` frames; the same object when the rate is the same.
    """
    if rate == audio.rate:
        return audio
    with SampleSpool(audio.channels) as spool:
        converter = _Resampler(audio.rate, rate, spool)
        for block in _blocks(audio.samples):
            converter.append(block)
        converter.close()
        return Audio(spool.finish(), rate)


def mono(audio: Audio) -> NDArray[np.float32]:
    """The mean of the channels, of shape (frames,); a view when there is one channel."""
    if audio.channels == 1:
        return audio.samples[:, 0]
    with SampleSpool(1) as spool:
        for block in _blocks(audio.samples):
            spool.append(_mixed(block))
        return spool.finish()[:, 0]


def encode_wav(audio: Audio) -> bytes:
    """A RIFF/WAVE file with 16-bit PCM; what is above full scale is clipped.

    Raises:
        MediaTooLarge: `audio_too_long` for this format, which holds 4 GiB.
    """
    if audio.samples.size * 2 > _WAV_BYTES:
        raise MediaTooLarge("A WAV file holds at most 4 GiB.", "audio_too_long")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(audio.channels)
        file.setsampwidth(2)
        file.setframerate(audio.rate)
        for block in _blocks(audio.samples):
            scaled = np.clip(np.rint(block * 32768.0), -32768, 32767)
            file.writeframes(scaled.astype("<i2").tobytes())
    return buffer.getvalue()


class _Resampler:
    """Passes blocks on to a spool at another rate."""

    def __init__(self, rate_in: int, rate_out: int, spool: SampleSpool) -> None:
        self._ratio = rate_out / rate_in
        self._spool = spool
        self._frames = 0
        self._stream = (
            None
            if rate_in == rate_out
            else soxr.ResampleStream(rate_in, rate_out, spool.channels, dtype="float32")
        )

    def append(self, block: NDArray[np.float32]) -> None:
        self._frames += len(block)
        if self._stream is not None:
            block = self._stream.resample_chunk(np.ascontiguousarray(block))
        self._put(block)

    def close(self) -> None:
        """Flush the filter and bring the length to the exact number of frames."""
        if self._stream is None:
            return
        channels = self._spool.channels
        self._put(self._stream.resample_chunk(np.zeros((0, channels), np.float32), last=True))
        missing = self._wanted - self._spool.frames
        if missing > 0:
            self._put(np.zeros((missing, channels), np.float32))

    @property
    def _wanted(self) -> int:
        return round(self._frames * self._ratio)

    def _put(self, block: NDArray[np.float32]) -> None:
        room = self._wanted - self._spool.frames
        if len(block := block[: max(0, room)]):
            self._spool.append(block)


def _blocks(samples: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(samples), _BLOCK_FRAMES):
        yield samples[start : start + _BLOCK_FRAMES]


def _mixed(block: NDArray[np.float32]) -> NDArray[np.float32]:
    return block if block.shape[1] == 1 else block.mean(axis=1, keepdims=True, dtype=np.float32)


def _check(block: NDArray[np.float32], end: float) -> None:
    """Raises: Undecodable, for samples that no model can take."""
    loudest = float(np.abs(block).max(initial=0.0))
    if not np.isfinite(loudest):
        raise Undecodable(
            f"The recording holds samples that are no numbers (NaN or infinite), before {end:.1f} "
            "s. Export it again, as 16-bit PCM for example."
        )
    if loudest > _LOUDEST:
        raise Undecodable(
            f"The recording holds samples of up to {loudest:.3g}, where full scale is 1, before "
            f"{end:.1f} s. Export it again, as 16-bit PCM for example."
        )
