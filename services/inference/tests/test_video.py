"""Video files become upright frames with times, and frames become a video with its sound."""

import os
import resource
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import psutil
import pytest
from tiny_video import frame, make_video, shade, tone_of

from atoll_inference.media.errors import MediaTooLarge, Undecodable, Unsupported
from atoll_inference.media.limits import MediaLimits
from atoll_inference.media.video import Frame, VideoInfo, VideoReader
from atoll_inference.media.video_writer import VideoWriter

LIMITS = MediaLimits()
EVEN = tuple(range(0, 400, 40))
UNEVEN = (0, 40, 110, 210, 250, 320, 420, 460)


def read(path: Path, limits: MediaLimits = LIMITS) -> tuple[VideoInfo, list[Frame]]:
    with VideoReader(path, limits) as reader:
        return reader.info, list(reader.frames())


def milliseconds(info: VideoInfo, frames: list[Frame]) -> list[int]:
    return [round(f.pts * info.time_base * 1000) for f in frames]


def doubled(source: Path, target: Path) -> Path:
    with (
        VideoReader(source, LIMITS) as reader,
        VideoWriter(target, like=reader.info, scale=2, sound_of=source) as writer,
    ):
        for picture in reader.frames():
            writer.write(picture.pixels.repeat(2, 0).repeat(2, 1), picture.pts, picture.duration)
        writer.finish()
    return target


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "libx264"),
        ("a.mov", "libx264"),
        ("a.mkv", "libx264"),
        ("a.webm", "libvpx-vp9"),
        ("a.avi", "mpeg4"),
        ("a.ts", "libx264"),
    ],
)
def test_containers_are_read_frame_by_frame(tmp_path: Path, name: str, codec: str) -> None:
    info, frames = read(make_video(tmp_path / name, codec=codec))
    assert (info.width, info.height, info.has_audio) == (64, 48, False)
    assert info.seconds == pytest.approx(0.4, abs=0.05)
    assert info.rate == 25
    assert info.frames == 10
    assert milliseconds(info, frames) == list(EVEN)
    for index, picture in enumerate(frames):
        assert picture.pixels.dtype == np.uint8
        assert np.abs(picture.pixels.astype(int) - frame(64, 48, index)).mean() < 8
        assert abs(int(picture.pixels[24, 32, 0]) - shade(index)) < 6


@pytest.mark.parametrize("name", ["a.mp4", "a.webm"])
def test_times_that_vary_are_kept_to_the_millisecond(tmp_path: Path, name: str) -> None:
    codec = "libvpx-vp9" if name.endswith("webm") else "libx264"
    info, frames = read(make_video(tmp_path / name, times=UNEVEN, codec=codec))
    assert milliseconds(info, frames) == list(UNEVEN)
    info, frames = read(doubled(tmp_path / name, tmp_path / "twice.mp4"))
    assert milliseconds(info, frames) == list(UNEVEN)
    assert info.seconds == pytest.approx(0.5, abs=0.002)
    assert (info.width, info.height) == (128, 96)


def test_a_video_that_does_not_begin_at_zero_begins_there_afterwards(tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.ts", sound="aac", late=7000)
    info, frames = read(source)
    assert milliseconds(info, frames)[0] in range(40)
    info, frames = read(doubled(source, tmp_path / "twice.mp4"))
    assert np.diff(milliseconds(info, frames)).tolist() == [40] * 9
    assert info.seconds == pytest.approx(0.4, abs=0.06)
    assert tone_of(tmp_path / "twice.mp4") == pytest.approx(tone_of(source), abs=0.005)


@pytest.mark.parametrize(
    ("name", "video", "sound", "rate", "kept"),
    [
        ("a.mp4", "libx264", "aac", 48_000, "aac"),
        ("a.mkv", "libx264", "libmp3lame", 44_100, "mp3"),
        ("a.webm", "libvpx-vp9", "libopus", 48_000, "opus"),
        ("a.mkv", "libx264", "flac", 44_100, "flac"),
        ("a.mkv", "libx264", "pcm_s24le", 44_100, "aac"),
        ("a.avi", "mpeg4", "pcm_s16le", 22_050, "aac"),
        ("a.mov", "libx264", "pcm_s16le", 192_000, "aac"),
        ("a.ts", "libx264", "aac", 48_000, "aac"),
    ],
)
def test_the_sound_is_kept_at_its_time(
    tmp_path: Path, name: str, video: str, sound: str, rate: int, kept: str
) -> None:
    times = tuple(range(0, 1600, 40))
    source = make_video(tmp_path / name, codec=video, times=times, sound=sound, sound_rate=rate)
    info, frames = read(doubled(source, tmp_path / "twice.mp4"))
    assert info.has_audio
    assert len(frames) == 40
    with av.open(str(tmp_path / "twice.mp4")) as result:
        stream = result.streams.audio[0]
        assert stream.codec_context.codec.canonical_name == kept
        assert stream.duration is not None
        assert stream.time_base is not None
        assert float(stream.duration * stream.time_base) == pytest.approx(1.6, abs=0.06)
    assert tone_of(source) == pytest.approx((0.08, 0.12), abs=0.025)
    assert tone_of(tmp_path / "twice.mp4") == pytest.approx(tone_of(source), abs=0.005)


@pytest.mark.parametrize("sound", ["aac", "pcm_s16le"])
def test_sound_that_begins_late_still_does(tmp_path: Path, sound: str) -> None:
    times = tuple(range(0, 800, 40))
    source = make_video(
        tmp_path / "a.mkv", times=times, sound=sound, sound_from=0.04, sound_rate=48_000
    )
    doubled(source, tmp_path / "twice.mp4")
    assert tone_of(tmp_path / "twice.mp4")[0] == pytest.approx(0.08, abs=0.02)


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_the_rotation_of_a_telephone_is_applied(tmp_path: Path, rotation: int) -> None:
    info, frames = read(make_video(tmp_path / "a.mp4", rotation=rotation))
    assert (info.width, info.height) == ((64, 48) if rotation == 180 else (48, 64))
    red = {90: (-4, 4), 180: (-4, -4), 270: (4, -4)}[rotation]
    pixel = frames[0].pixels[red].astype(int)
    assert pixel[0] > 150
    assert max(pixel[1:]) < 80
    info, frames = read(doubled(tmp_path / "a.mp4", tmp_path / "twice.mp4"))
    assert (info.width, info.height) == ((128, 96) if rotation == 180 else (96, 128))
    assert frames[0].pixels[red][0] > 150


@pytest.mark.parametrize("height", [48, 720])
def test_colours_survive_the_way_through(tmp_path: Path, height: int) -> None:
    colours = ((220, 30, 30), (30, 200, 30), (30, 30, 220), (128, 128, 128), (255, 255, 255))
    pictures = [np.full((height, 64, 3), colour, np.uint8) for colour in colours]
    times = tuple(range(0, 200, 40))
    source = make_video(tmp_path / "a.mp4", size=(64, height), times=times, pictures=pictures)
    before = [f.pixels[5, 5].astype(int) for f in read(source)[1]]
    after = [f.pixels[5, 5].astype(int) for f in read(doubled(source, tmp_path / "b.mp4"))[1]]
    assert np.abs(np.subtract(before, after)).max() <= 4
    if height == 48:  # the test file has the colours of standard definition
        assert np.abs(np.subtract(before, colours)).max() <= 4


@pytest.mark.parametrize("size", [(31, 17), (1, 1), (2, 2)])
def test_odd_sizes_are_doubled_exactly(tmp_path: Path, size: tuple[int, int]) -> None:
    source = make_video(
        tmp_path / "a.mkv", size=size, codec="ffv1", pixel_format="bgr0", times=EVEN[:3]
    )
    info, frames = read(doubled(source, tmp_path / "twice.mp4"))
    assert (info.width, info.height) == (2 * size[0], 2 * size[1])
    assert len(frames) == 3


def test_pixels_that_are_not_square_stay_so(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25, width=64, height=48)
        stream.codec_context.sample_aspect_ratio = Fraction(16, 11)
        for index in range(3):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(frame(64, 48, index), "rgb24")))
        output.mux(stream.encode(None))
    assert read(path)[0].pixel_aspect == Fraction(16, 11)
    assert read(doubled(path, tmp_path / "b.mp4"))[0].pixel_aspect == Fraction(16, 11)


def test_a_recording_without_a_length_is_measured(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.webm", codec="libvpx-vp9", options={"live": "1"})
    with av.open(str(path)) as source:
        assert source.duration is None, "as browsers record it"
    info, frames = read(path)
    assert info.seconds == pytest.approx(0.4, abs=0.05)
    assert len(frames) == 10
    with pytest.raises(MediaTooLarge) as refusal:
        make_video(path, codec="libvpx-vp9", options={"live": "1"}, times=(0, 1000, 5000))
        read(path, MediaLimits(video_seconds=2))
    assert refusal.value.code == "video_too_long"


def test_limits_hold_before_anything_is_decoded(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", size=(640, 480), times=(0, 3000, 6000))
    assert len(read(path, MediaLimits(image_pixels=640 * 480, video_seconds=7))[1]) == 3
    with pytest.raises(MediaTooLarge, match="640 x 480") as refusal:
        VideoReader(path, MediaLimits(image_pixels=640 * 480 - 1))
    assert refusal.value.code == "video_too_large"
    with pytest.raises(MediaTooLarge, match="2 s") as refusal:
        VideoReader(path, MediaLimits(video_seconds=2))
    assert refusal.value.code == "video_too_long"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", Undecodable),
        (b"hello world " * 100, Undecodable),
        (b"\0\0\0\x20ftypisom" + bytes(200), Undecodable),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", Unsupported),
        (
            b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data",
            Unsupported,
        ),
    ],
)
def test_what_is_no_video_is_refused(tmp_path: Path, data: bytes, kind: type[Exception]) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(data)
    with pytest.raises(kind, match=r"MP4"):
        VideoReader(path, LIMITS)


def test_a_play_list_reads_no_other_file(tmp_path: Path) -> None:
    secret = make_video(tmp_path / "secret.ts")
    path = tmp_path / "a.mp4"
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{secret}\n#EXT-X-ENDLIST\n")
    with pytest.raises((Undecodable, Unsupported)):
        VideoReader(path, LIMITS)


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "a.m4a"
    with av.open(str(path), "w", format="mp4") as output:
        stream = output.add_stream("aac", rate=48_000, layout="mono")
        block = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), "fltp", "mono")
        block.sample_rate = 48_000
        output.mux(stream.encode(block))
        output.mux(stream.encode(None))
    with pytest.raises(Undecodable, match="no video track"):
        VideoReader(path, LIMITS)


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.7])
@pytest.mark.parametrize("name", ["a.mp4", "fast.mp4", "a.avi", "a.mkv"])
def test_a_truncated_video_is_refused(tmp_path: Path, name: str, kept: float) -> None:
    noise = np.random.default_rng(3).integers(0, 255, (50, 64, 96, 3), dtype=np.uint8)
    path = make_video(
        tmp_path / name,
        size=(96, 64),
        times=range(0, 2000, 40),
        codec="mpeg4" if name.endswith("avi") else "libx264",
        pictures=list(noise),
        options={"movflags": "+faststart"} if name == "fast.mp4" else None,
    )
    assert len(read(path)[1]) == 50
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(Undecodable, match=r"damaged|cut off"):
        read(path)


def test_damage_in_the_middle_is_told(tmp_path: Path) -> None:
    noise = np.random.default_rng(3).integers(0, 255, (10, 64, 96, 3), dtype=np.uint8)
    path = make_video(tmp_path / "a.mp4", size=(96, 64), pictures=list(noise))
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 12_000] = bytes(12_000)
    path.write_bytes(data)
    with pytest.raises(Undecodable, match="damaged"):
        read(path)


def test_a_finished_video_stands_alone(tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mp4", sound="aac")
    doubled(source, tmp_path / "twice.mp4")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.mp4", "twice.mp4"]


def test_an_abandoned_video_leaves_nothing(tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mp4", sound="aac")
    target = tmp_path / "b.mp4"
    with (
        pytest.raises(RuntimeError, match="stop"),
        VideoReader(source, LIMITS) as reader,
        VideoWriter(target, like=reader.info, scale=2, sound_of=source) as writer,
    ):
        for picture in reader.frames():
            pixels = picture.pixels.repeat(2, 0).repeat(2, 1)
            writer.write(pixels, picture.pts, picture.duration)
            assert len(list(tmp_path.glob(".b.mp4.*.part"))) == 1
            raise RuntimeError("stop")
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize("room", [0, 600, 20_000])
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, room: int) -> None:
    noise = np.random.default_rng(3).integers(0, 255, (60, 64, 96, 3), dtype=np.uint8)
    source = make_video(
        tmp_path / "a.mp4", size=(96, 64), pictures=list(noise), times=range(0, 2400, 40)
    )
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with VideoReader(source, LIMITS) as reader:
        frames = list(reader.frames())
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
        try:
            with (
                pytest.raises(OSError) as failure,
                VideoWriter(
                    tmp_path / "b.mp4", like=reader.info, scale=2, sound_of=source
                ) as writer,
            ):
                for f in frames:
                    writer.write(f.pixels.repeat(2, 0).repeat(2, 1), f.pts, f.duration)
                writer.finish()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert failure.value.errno == 27, "EFBIG stands in for ENOSPC here"
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    size = (320, 240)
    short = make_video(tmp_path / "a.mp4", size=size, times=range(0, 40 * 30, 40), sound="aac")
    long = make_video(tmp_path / "b.mp4", size=size, times=range(0, 40 * 200, 40), sound="aac")
    process = psutil.Process(os.getpid())
    doubled(short, tmp_path / "twice.mp4")
    before = process.memory_info().rss
    doubled(long, tmp_path / "twice.mp4")
    grown = process.memory_info().rss - before
    assert grown < 40e6, f"{grown / 1e6:.0f} MB, where the frames would take 184 MB"
