"""Video files to pictures with their times."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, cast

import av
import numpy as np
from av.container.input import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, Interpolation
from av.video.stream import VideoStream
from numpy.typing import NDArray

from atoll_inference.media.errors import MediaTooLarge, Undecodable, Unsupported
from atoll_inference.media.limits import MediaLimits

CONTAINERS = (
    "mov", "mp4", "m4a", "3gp", "3g2", "mj2", "matroska", "webm", "avi", "asf", "flv", "mpeg",
    "mpegts", "ogg",
)  # fmt: skip
"""FFmpeg's names of the containers that are opened. Play lists and others that name further files
or addresses are not among them: they would read what the sender may not."""

MAX_RATE = 240
"""Frames a second that a video may have on average over the longest length that is taken."""

_TICKS = Fraction(1, 1_000_000)
_UNSPECIFIED = 2
_TALLEST_SD = 576
_NO_VIDEO = (
    "The file holds no video that can be decoded. It is empty, damaged, cut off or no video file. "
    "Send it as MP4, WebM, Matroska, MOV, AVI or MPEG."
)
_CUT_OFF = "The video is cut off: {there} of the {said} that its header declares are there."
_DAMAGE = (av.FFmpegError, ValueError, OSError)
"""What PyAV raises on damaged files; OSError for seeking where such a file points to."""


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What is known before the frames are read.

    Attributes:
        width, height: pixels of an upright frame.
        time_base: seconds of one tick, in which the times of the frames are told.
        rate: frames a second on average.
        seconds: length as the header declares or, where it does not, the packets show.
        frames: how many there are; an estimate where the header does not tell.
        pixel_aspect: width of a pixel over its height; 1 for square ones.
        has_audio: whether there is a sound track.
    """

    width: int
    height: int
    time_base: Fraction
    rate: Fraction
    seconds: float
    frames: int
    pixel_aspect: Fraction
    has_audio: bool


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """`pixels` is uint8 RGB of shape (height, width, 3), upright; `pts` and `duration` are in
    ticks from the start of the file, and `pts` grows from frame to frame."""

    pixels: NDArray[np.uint8]
    pts: int
    duration: int


class VideoReader:
    """The best video stream of a file, frame by frame. Close it, or use it with `with`."""

    def __init__(self, source: Path, limits: MediaLimits) -> None:
        """Open the file and decode its first frame.

        Raises:
            Undecodable: damaged, empty, or without a video stream.
            Unsupported: a container or codec that is not taken.
            MediaTooLarge: `video_too_large` by the pixels of a frame, or `video_too_long`.
            OSError: the file cannot be opened.
        """
        self._limits = limits
        self._file = source.open("rb")
        self._container: InputContainer | None = None
        try:
            self._container = open_container(self._file, limits)
            self._stream = _video_stream(self._container)
            self.info = self._probe(self._container)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "VideoReader":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Harmless to repeat."""
        if self._container is not None:
            self._container.close()
        self._file.close()

    def frames(self) -> Iterator[Frame]:
        """All frames in the order they are shown, once; at most a few are in memory.

        Raises:
            Undecodable: a frame is damaged, or the file ends before what its header declares.
            MediaTooLarge: `video_too_long`, where the header did not tell.
        """
        longest = self._limits.video_seconds
        last: int | None = None
        for count, frame in enumerate(self._decoded, 1):
            step = self._step(frame)
            # Some containers have no times, and some have the same time twice.
            if frame.pts is not None:
                pts = frame.pts - self._start
            else:
                pts = 0 if last is None else last + step
            if last is not None:
                pts = max(pts, last + 1)
            last = pts
            if pts * self.info.time_base > longest or count > longest * MAX_RATE:
                raise self._too_long()
            yield Frame(self._pixels(frame), pts, step)
        self._check_complete()

    def _probe(self, container: InputContainer) -> VideoInfo:
        stream = self._stream
        time_base = stream.time_base or _TICKS
        # Others write the number of ticks there, or a guess.
        self._counts_frames = stream.frames > 0 and container.format.name.startswith("mov,")
        start = container.start_time
        self._start = 0 if start is None else round(start * _TICKS / time_base)
        self._declared = _seconds(container, stream)
        seconds = self._declared
        if seconds is None:
            seconds = self._measured(container, float(time_base))
        if seconds > self._limits.video_seconds + 1:
            raise self._too_long()
        self._check_pixels(stream.width, stream.height)
        stream.codec_context.thread_count = 1
        self._packets, self._end = 0, 0.0
        self._decoded = self._decode(container)
        first = next(self._decoded, None)
        if first is None:
            raise Undecodable(_NO_VIDEO)
        self._decoded = _chained(first, self._decoded)
        self._turns = round(first.rotation / 90) % 4
        self._size = (first.width, first.height)
        self._check_pixels(*self._size)
        width, height = self._size if self._turns % 2 == 0 else self._size[::-1]
        aspect = stream.sample_aspect_ratio or Fraction(1)
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        return VideoInfo(
            width=width,
            height=height,
            time_base=time_base,
            rate=rate,
            seconds=seconds,
            frames=stream.frames if self._counts_frames else max(1, round(seconds * rate)),
            pixel_aspect=aspect if self._turns % 2 == 0 else 1 / aspect,
            has_audio=bool(container.streams.audio),
        )

    def _decode(self, container: InputContainer) -> Iterator[VideoFrame]:
        offset = (container.start_time or 0) / 1_000_000
        try:
            for packet in container.demux():
                time = packet.dts if packet.pts is None else packet.pts
                if time is not None:
                    end = float((time + (packet.duration or 0)) * packet.time_base)
                    self._end = max(self._end, end - offset)
                if packet.stream.index == self._stream.index:
                    self._packets += packet.size > 0
                    yield from cast("Packet[VideoStream]", packet).decode()
        except av.error.EOFError:
            return
        except _DAMAGE as error:
            raise Undecodable(
                f"The video is damaged near frame {self._packets}: {error}. Send it anew, or "
                "repair it with a video editor."
            ) from error

    def _check_complete(self) -> None:
        """Raises: Undecodable, when clearly less is there than the header declares."""
        declared = self._stream.frames
        if self._counts_frames and self._packets < declared:
            raise Undecodable(
                _CUT_OFF.format(there=f"{self._packets} frames", said=f"{declared} frames")
            )
        seconds = self._declared
        if seconds is not None and seconds - self._end > 0.25 + 0.001 * seconds:
            raise Undecodable(_CUT_OFF.format(there=f"{self._end:.1f} s", said=f"{seconds:.1f} s"))

    def _measured(self, container: InputContainer, tick: float) -> float:
        """Seconds by the times of the packets, for recordings of browsers, which tell no length."""
        end = 0.0
        try:
            for packet in container.demux(self._stream):
                if packet.pts is not None:
                    end = max(end, (packet.pts - self._start + (packet.duration or 0)) * tick)
                    if end > self._limits.video_seconds + 1:
                        raise self._too_long()
            container.seek(0)
        except _DAMAGE as error:
            raise Undecodable(_NO_VIDEO) from error
        return end

    def _step(self, frame: VideoFrame) -> int:
        return frame.duration or max(1, round(1 / (self.info.rate * self.info.time_base)))

    def _pixels(self, frame: VideoFrame) -> NDArray[np.uint8]:
        width, height = self._size
        if (frame.width, frame.height) != self._size:
            self._check_pixels(frame.width, frame.height)
        converted = frame.reformat(
            width=width,
            height=height,
            format="rgb24",
            src_colorspace=_colours(frame),
            interpolation=Interpolation.BICUBIC | Interpolation.ACCURATE_RND,
            threads=1,
        )
        pixels: NDArray[Any] = converted.to_ndarray()
        return np.ascontiguousarray(np.rot90(pixels, self._turns))

    def _check_pixels(self, width: int, height: int) -> None:
        if width * height > self._limits.image_pixels:
            raise MediaTooLarge(
                f"The frames of the video have {width} x {height} pixels, and at most "
                f"{self._limits.image_pixels} pixels are taken. Send a smaller one.",
                "video_too_large",
            )

    def _too_long(self) -> MediaTooLarge:
        return MediaTooLarge(
            f"The video is longer than the {self._limits.video_seconds:g} s that are allowed. "
            "Cut it into shorter ones.",
            "video_too_long",
        )


def open_container(file: BinaryIO, limits: MediaLimits) -> InputContainer:
    """Open a video file for reading, whatever it refers to left unread.

    Raises: Undecodable, Unsupported.
    """
    try:
        return av.open(
            file,
            "r",
            options={
                "format_whitelist": ",".join(CONTAINERS),
                "protocol_whitelist": "none",
                # Opening decodes a little already; FFmpeg refuses larger frames itself.
                "max_pixels": str(limits.image_pixels),
            },
            metadata_errors="ignore",
        )
    except av.error.ArgumentError as error:
        raise Unsupported(
            "This container is not taken. Send MP4, WebM, Matroska, MOV, AVI or MPEG."
        ) from error
    except _DAMAGE as error:
        raise Undecodable(_NO_VIDEO) from error


def _video_stream(container: InputContainer) -> VideoStream:
    streams = [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic
    ]
    if not streams:
        raise Undecodable("The file has no video track.")
    # PyAV's types do not say that it is None where FFmpeg lacks the codec.
    known = [stream for stream in streams if cast(Any, stream.codec_context) is not None]
    if not known:
        raise Unsupported("The codec of the video is not known. Send it as MP4 with H.264.")
    return max(known, key=lambda stream: stream.width * stream.height)


def _seconds(container: InputContainer, stream: VideoStream) -> float | None:
    """The length that the header declares: that of the longest stream."""
    if container.format.name == "avi" and stream.frames and stream.time_base is not None:
        # FFmpeg shortens the length of an AVI file to what is there; the count of ticks it keeps.
        return float(stream.frames * stream.time_base)
    if container.duration is not None:
        return container.duration / 1_000_000
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return None


def _chained(first: VideoFrame, others: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
    yield first
    yield from others


def _colours(frame: VideoFrame) -> int | None:
    """How the frame codes colours; where it does not say, what players take by its height."""
    if frame.colorspace != _UNSPECIFIED:
        return None
    return Colorspace.ITU709 if frame.height > _TALLEST_SD else Colorspace.ITU601
