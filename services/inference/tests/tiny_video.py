"""Small video files whose frames and sounds are known."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container.output import OutputContainer
from numpy.typing import NDArray

MILLISECOND = Fraction(1, 1000)
TONE = 1000.0
"""Hz of the tone that marks a moment in the sound track."""


def shade(index: int) -> int:
    """The grey of frame `index`, far from that of its neighbours."""
    return 40 + index * 53 % 160


def frame(width: int, height: int, index: int) -> NDArray[np.uint8]:
    """A grey frame with a red patch in its upper left corner and a blue one at its lower right."""
    pixels = np.full((height, width, 3), shade(index), np.uint8)
    pixels[: height // 4, : width // 4] = (200, 30, 30)
    pixels[-(height // 4) :, -(width // 4) :] = (30, 30, 200)
    return pixels


def make_video(
    path: Path,
    *,
    size: tuple[int, int] = (64, 48),
    times: Sequence[int] = tuple(range(0, 400, 40)),
    codec: str = "libx264",
    container: str | None = None,
    sound: str | None = None,
    sound_rate: int = 48_000,
    sound_from: float = 0.0,
    rotation: int = 0,
    pixel_format: str = "yuv420p",
    pictures: Sequence[NDArray[np.uint8]] | None = None,
    options: dict[str, str] | None = None,
    late: int = 0,
) -> Path:
    """Write a video of one frame for each of `times`, in milliseconds; the last lasts 40 ms.

    Args:
        sound: codec of a sound track as long as the video: silence, and a tone during the third
            of the frames.
        sound_from: seconds by which the sound begins after the pictures.
        late: milliseconds by which all times of the file are shifted.
    """
    with av.open(str(path), "w", format=container, options=options or {}) as output:
        # An AVI file has a constant rate and counts in frames.
        base = Fraction(1, 25) if path.suffix == ".avi" else MILLISECOND
        stream: Any = output.add_stream(
            codec, rate=25, width=size[0], height=size[1], time_base=base
        )
        stream.codec_context.pix_fmt = pixel_format
        if codec == "libx264":
            stream.options = {"bf": "0", "crf": "10"}
        if rotation:
            stream.set_display_rotation(rotation)
        track = None if sound is None else _Track(output, sound, sound_rate)
        for index, time in enumerate(times):
            pixels = frame(*size, index) if pictures is None else pictures[index]
            picture = av.VideoFrame.from_ndarray(pixels, "rgb24")
            following = times[index + 1] if index + 1 < len(times) else time + 40
            picture.pts = round((time + late) * MILLISECOND / base)
            picture.duration = round((following - time) * MILLISECOND / base)
            picture.time_base = base
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))
        if track is not None:
            end = (times[-1] + 40) / 1000
            start = times[2] / 1000 if len(times) > 2 else end
            stop = times[3] / 1000 if len(times) > 3 else end
            track.write(sound_from, end, (start, stop), late / 1000)
    return path


class _Track:
    def __init__(self, output: OutputContainer, codec: str, rate: int) -> None:
        self._output = output
        self._rate = rate
        self._stream: Any = output.add_stream(codec, rate=rate, layout="mono")

    def write(self, begin: float, end: float, tone: tuple[float, float], late: float) -> None:
        times = np.arange(round(begin * self._rate), round(end * self._rate)) / self._rate
        wave = 0.5 * np.sin(2 * np.pi * TONE * times)
        wave[(times < tone[0]) | (times >= tone[1])] = 0
        resampler = av.AudioResampler(
            format=self._stream.codec_context.format.name,
            layout="mono",
            rate=self._rate,
            frame_size=self._stream.codec_context.frame_size or 1024,
        )
        block = av.AudioFrame.from_ndarray(
            (wave * 32767).astype(np.int16)[None], format="s16", layout="mono"
        )
        block.sample_rate = self._rate
        block.pts = round((begin + late) * self._rate)
        block.time_base = Fraction(1, self._rate)
        for part in [*resampler.resample(block), *resampler.resample(None)]:
            self._output.mux(self._stream.encode(part))
        self._output.mux(self._stream.encode(None))


def tone_of(path: Path) -> tuple[float, float]:
    """Seconds at which the tone in the sound track begins and ends, as a player has it."""
    with av.open(str(path)) as source:
        stream = source.streams.audio[0]
        start = (source.start_time or 0) / 1e6
        loud: list[float] = []
        for block in source.decode(stream):
            samples = block.to_ndarray().astype(np.float64)
            if block.format.name.startswith("s16"):
                samples /= 32768
            mono = (
                samples.reshape(-1, block.layout.nb_channels).T
                if not (block.format.is_planar)
                else samples
            )
            assert block.time is not None
            at = block.time - start + np.nonzero(np.abs(mono[0]) > 0.1)[0] / block.sample_rate
            loud += at.tolist()
    return min(loud), max(loud)
