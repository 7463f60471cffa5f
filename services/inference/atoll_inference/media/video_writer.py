"""Pictures with their times to a video file."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np
from av.container.output import OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation
from av.video.stream import VideoStream
from numpy.typing import NDArray

from atoll_inference.media.errors import MediaTooLarge
from atoll_inference.media.limits import MediaLimits
from atoll_inference.media.video import VideoInfo, open_container
from atoll_inference.media.video_sound import SoundTrack

MAX_SIDE = 16384
"""Most pixels of a side that H.264 can code."""


class VideoWriter:
    """An mp4 file with H.264, written beside `target` and renamed when it is complete.

    Used with `with`, it is abandoned unless `finish` was called.
    """

    def __init__(
        self, target: Path, *, like: VideoInfo, scale: int, sound_of: Path, threads: int = 1
    ) -> None:
        """Begin a video with the timing of `like` and `scale` times its width and height.

        Args:
            sound_of: the video whose sound track is taken over, if it has one.
            threads: of the encoder.

        Raises:
            MediaTooLarge: `video_too_large` for the format.
            Undecodable, Unsupported: the sound track.
            OSError: the file cannot be written.
            ValueError: an odd width or height, which the format cannot have.
        """
        self._target = target
        self._width, self._height = like.width * scale, like.height * scale
        if self._width % 2 or self._height % 2:
            raise ValueError(f"{self._width} x {self._height} is odd")
        if max(self._width, self._height) > MAX_SIDE:
            raise MediaTooLarge(
                f"The enhanced video would have {self._width} x {self._height} pixels, and a side "
                f"of an mp4 file has at most {MAX_SIDE}. Send a smaller one.",
                "video_too_large",
            )
        self._base = like.time_base
        self._durations: dict[int, int] = {}
        self._sound: SoundTrack | None = None
        self._sound_file: Any = None
        self._sound_source: Any = None
        self._container: OutputContainer | None = None
        self._part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
        try:
            self._open(like, sound_of, threads)
        except BaseException:
            self.abandon()
            raise

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.abandon()

    def write(self, pixels: NDArray[np.uint8], pts: int, duration: int) -> None:
        """Add a frame: uint8 RGB of shape (height, width, 3), its times in ticks of the source.

        Raises:
            OSError: the file cannot be written, for want of space above all.
        """
        assert self._container is not None
        if self._sound is not None:
            self._sound.write_until(float(pts * self._base))
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24").reformat(
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            interpolation=Interpolation.BICUBIC | Interpolation.ACCURATE_RND,
            threads=1,
        )
        frame.pts, frame.time_base, frame.duration = pts, self._base, duration
        self._durations[pts] = duration
        self._mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Write what is left and give the file its name.

        Raises:
            OSError: as of `write`.
        """
        assert self._container is not None
        self._mux(self._stream.encode(None))
        if self._sound is not None:
            self._sound.write_rest()
        self._container.close()
        self._container = None
        with self._part.open("rb") as file:
            os.fsync(file.fileno())
        self._part.replace(self._target)
        self.abandon()

    def abandon(self) -> None:
        """Remove what is unfinished. Harmless to repeat, and after `finish`."""
        container, self._container = self._container, None
        if container is not None:
            # Closing writes the end of the file, for which a full disk has no room either.
            with suppress(av.FFmpegError):
                container.close()
        if self._sound_source is not None:
            self._sound_source.close()
        if self._sound_file is not None:
            self._sound_file.close()
        self._part.unlink(missing_ok=True)

    def _mux(self, packets: "list[Packet[VideoStream]]") -> None:
        assert self._container is not None
        for packet in packets:
            # The encoder tells the average, which is wrong for the last frame at least.
            if packet.pts is not None and packet.time_base == self._base:
                packet.duration = self._durations.pop(packet.pts, packet.duration)
            self._container.mux_one(packet)

    def _open(self, like: VideoInfo, sound_of: Path, threads: int) -> None:
        self._container = av.open(
            str(self._part), "w", format="mp4", options={"movflags": "+faststart"}
        )
        # Without B-frames every packet is written at its time of display, so that the container
        # can tell the length of each frame exactly, also where it varies.
        stream = self._container.add_stream(
            "libx264",
            rate=like.rate,
            options={"crf": "17", "preset": "medium", "bf": "0"},
            width=self._width,
            height=self._height,
            pix_fmt="yuv420p",
            time_base=self._base,
        )
        context = stream.codec_context
        context.thread_count = threads
        context.sample_aspect_ratio = like.pixel_aspect
        context.colorspace = Colorspace.ITU709
        context.color_range = ColorRange.MPEG
        context.color_primaries = ColorPrimaries.BT709
        context.color_trc = ColorTrc.BT709
        self._stream = stream
        if like.has_audio:
            self._sound_file = sound_of.open("rb")
            self._sound_source = open_container(self._sound_file, MediaLimits())
            self._sound = SoundTrack(self._sound_source, self._container)
