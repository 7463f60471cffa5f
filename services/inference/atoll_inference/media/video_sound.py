"""The sound track of a video on its way into another file."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, cast

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container.input import InputContainer
from av.container.output import OutputContainer
from av.packet import Packet

from atoll_inference.media.errors import Undecodable, Unsupported

_COPIED = frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"})
"""Codecs whose packets go into an mp4 file as they are; the others become AAC."""

_AAC_RATES = frozenset(
    {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000}
)
_AAC_LAYOUTS = frozenset({"mono", "stereo", "3.0", "4.0", "5.0", "5.1"})
_TICKS = Fraction(1, 1_000_000)


class SoundTrack:
    """Copies the best audio stream of `source` into `target`, at the same times.

    It is asked to keep up with the pictures, so that neither waits for the other in memory.
    """

    def __init__(self, source: InputContainer, target: OutputContainer) -> None:
        """Add the stream to `target`; before anything is written there.

        Raises:
            Unsupported: FFmpeg has no decoder, and mp4 does not take the packets as they are.
        """
        best = source.streams.best("audio")
        assert isinstance(best, AudioStream)
        self._source = source
        self._target = target
        self._stream = best
        start = source.start_time
        self._base = best.time_base or _TICKS
        self._start = 0 if start is None else round(start * _TICKS / self._base)
        # PyAV's types do not say that it is None where FFmpeg lacks the codec.
        context = cast(Any, best.codec_context)
        if context is None:
            raise Unsupported("The codec of the sound is not known. Send the video as MP4.")
        self._parts = self._copied() if context.codec.canonical_name in _COPIED else self._encoded()
        self._next: Packet[AudioStream] | None = None
        self._next = next(self._parts, None)

    def write_until(self, seconds: float) -> None:
        """Write what is heard before `seconds` from the start of the file."""
        while self._next is not None and _time(self._next) < seconds:
            self._target.mux_one(self._next)
            self._next = next(self._parts, None)

    def write_rest(self) -> None:
        """Write all that is left."""
        self.write_until(float("inf"))

    def _copied(self) -> "Iterator[Packet[AudioStream]]":
        stream = self._target.add_stream_from_template(self._stream)
        last: int | None = None
        for packet in self._packets():
            if packet.dts is None or packet.pts is None:
                continue
            packet.pts -= self._start
            packet.dts -= self._start
            if last is not None and packet.dts <= last:
                continue
            last = packet.dts
            packet.stream = stream
            yield packet

    def _encoded(self) -> "Iterator[Packet[AudioStream]]":
        context = self._stream.codec_context
        rate = context.sample_rate if context.sample_rate in _AAC_RATES else 48_000
        layout = context.layout.name
        if layout not in _AAC_LAYOUTS:
            layout = "mono" if context.layout.nb_channels == 1 else "stereo"
        stream = self._target.add_stream("aac", rate=rate, layout=layout)
        stream.codec_context.bit_rate = 96_000 * stream.codec_context.layout.nb_channels
        resampler = AudioResampler(format="fltp", layout=layout, rate=rate, frame_size=1024)
        for frame in self._frames():
            for part in resampler.resample(frame):
                yield from stream.encode(part)
        for part in resampler.resample(None):
            yield from stream.encode(part)
        yield from stream.encode(None)

    def _frames(self) -> Iterator[AudioFrame]:
        for packet in self._packets():
            try:
                frames = packet.decode()
            except (av.FFmpegError, ValueError):
                continue  # left out, as players do
            for frame in frames:
                if frame.pts is not None and frame.time_base is not None:
                    frame.pts -= round(self._start * self._base / frame.time_base)
                yield frame

    def _packets(self) -> "Iterator[Packet[AudioStream]]":
        try:
            yield from self._source.demux(self._stream)
        except (av.FFmpegError, ValueError) as error:
            if not isinstance(error, av.error.EOFError):
                raise Undecodable(f"The sound of the video is damaged: {error}.") from error


def _time(packet: "Packet[AudioStream]") -> float:
    """Seconds; before everything else where the packet does not say."""
    return -1.0 if packet.dts is None else float(packet.dts * packet.time_base)
