"""Recordings in every usual container, and those that are refused."""

import io
import struct
import wave
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from atoll_inference.media import spool
from atoll_inference.media.audio import Audio, decode_audio, encode_wav, mono, resample
from atoll_inference.media.errors import MediaError, MediaTooLarge, Undecodable, Unsupported
from atoll_inference.media.limits import MediaLimits

LIMITS = MediaLimits(audio_seconds=60)
CONTAINERS = [
    # container, codec, rate, layout
    ("wav", "pcm_s16le", 16000, "mono"),
    ("wav", "pcm_u8", 8000, "mono"),
    ("wav", "pcm_s24le", 44100, "stereo"),
    ("wav", "pcm_f64le", 48000, "stereo"),
    ("wav", "pcm_mulaw", 8000, "mono"),
    ("mp3", "libmp3lame", 44100, "stereo"),
    ("flac", "flac", 22050, "mono"),
    ("ogg", "vorbis", 44100, "stereo"),
    ("ogg", "libopus", 48000, "mono"),
    ("ipod", "aac", 44100, "stereo"),
    ("mp4", "aac", 48000, "5.1"),
    ("webm", "libopus", 48000, "stereo"),
    ("adts", "aac", 32000, "mono"),
    ("mpegts", "aac", 48000, "stereo"),
]


def tone(seconds: float, rate: int, channels: int = 1) -> NDArray[np.float32]:
    """440 Hz at half scale in the first channel, an octave more in each following one."""
    time = np.arange(round(seconds * rate)) / rate
    waves = [0.5 * np.sin(2 * np.pi * 440 * (c + 1) * time) for c in range(channels)]
    return np.stack(waves, axis=1).astype(np.float32)


def contained(container: str, codec: str, rate: int, layout: str, seconds: float = 2.0) -> bytes:
    """A tone in a file, with a picture track before the sound where the container is for films."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream: Any = output.add_stream(codec, rate=rate, layout=layout)
        stream.codec_context.options = {"strict": "experimental"}  # for the Vorbis encoder
        samples = tone(seconds, rate, stream.layout.nb_channels)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), "fltp", layout)
        frame.sample_rate = rate
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return buffer.getvalue()


def wav(
    frames: int = 16000,
    rate: int = 16000,
    channels: int = 1,
    claimed: int | None = None,
    values: NDArray[Any] | None = None,
) -> bytes:
    """A WAV file by hand, whose header may claim another number of data bytes."""
    if values is None:
        values = np.full(frames * channels, 1000, "<i2")
    kind, width = (3 if values.dtype.kind == "f" else 1), values.dtype.itemsize
    size = values.nbytes if claimed is None else claimed
    layout = struct.pack(
        "<HHIIHH", kind, channels, rate, rate * channels * width, channels * width, 8 * width
    )
    riff = struct.pack("<4sI4s4sI", b"RIFF", min(36 + size, 2**32 - 1), b"WAVE", b"fmt ", 16)
    return riff + layout + struct.pack("<4sI", b"data", size) + values.tobytes()


def decoded(data: bytes, limits: MediaLimits = LIMITS, **options: Any) -> Audio:
    return decode_audio(io.BytesIO(data), limits, **options)


def pitch(samples: NDArray[np.float32], rate: int) -> float:
    """The loudest frequency in Hz."""
    return float(np.abs(np.fft.rfft(samples)).argmax() * rate / len(samples))


@pytest.mark.parametrize(("container", "codec", "rate", "layout"), CONTAINERS)
def test_every_usual_container_keeps_rate_channels_length_and_sound(
    container: str, codec: str, rate: int, layout: str
) -> None:
    audio = decoded(contained(container, codec, rate, layout))
    assert (audio.rate, audio.channels) == (rate, av.AudioLayout(layout).nb_channels)
    assert audio.samples.dtype == np.float32
    assert audio.seconds == pytest.approx(2, abs=0.06)
    for channel in (0, 1)[: audio.channels]:
        middle = audio.samples[rate // 2 : rate // 2 + rate, channel]
        assert pitch(middle, rate) == pytest.approx(440 * (channel + 1), abs=2)
        loudness = float(np.sqrt(np.square(middle).mean()))
        assert loudness == pytest.approx(0.5 / np.sqrt(2), abs=0.05)


def test_the_sound_of_a_film_is_found_behind_its_pictures() -> None:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as output:
        video: Any = output.add_stream("mpeg4", rate=5)
        video.width = video.height = 64
        video.pix_fmt = "yuv420p"
        sound: Any = output.add_stream("aac", rate=16000, layout="mono")
        for _ in range(5):
            output.mux(
                video.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24"))
            )
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(tone(1, 16000).T), "fltp", "mono")
        frame.sample_rate = 16000
        output.mux(sound.encode(frame))
        output.mux([*video.encode(None), *sound.encode(None)])
    assert decoded(buffer.getvalue()).seconds == pytest.approx(1, abs=0.1)

    silent = io.BytesIO()
    with av.open(silent, "w", format="mp4") as output:
        video = output.add_stream("mpeg4", rate=5)
        video.width = video.height = 64
        video.pix_fmt = "yuv420p"
        output.mux(
            video.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24"))
        )
        output.mux(video.encode(None))
    with pytest.raises(Undecodable, match="no sound track"):
        decoded(silent.getvalue())


def test_a_path_and_an_open_file_are_read_alike(tmp_path: Path) -> None:
    path = tmp_path / "without an ending"
    path.write_bytes(wav())
    with path.open("rb") as file:
        file.seek(100)
        opened = decode_audio(file, LIMITS)
        assert not file.closed
    np.testing.assert_array_equal(opened.samples, decode_audio(path, LIMITS).samples)


@pytest.mark.parametrize(
    ("data", "refusal", "message"),
    [
        (b"", Undecodable, "empty, damaged"),
        (b"\0" * 5000, Undecodable, "empty, damaged"),
        (b"Not a recording. " * 500, Undecodable, "empty, damaged"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 500, (Undecodable, Unsupported), "Send"),
        (wav(0), Undecodable, "empty, damaged"),
        (wav()[:20], Undecodable, "empty, damaged"),
        (wav(rate=0), Undecodable, "empty, damaged"),
        (wav(rate=4_000_000), Unsupported, "4000000 samples a second"),
        (wav(rate=100), Unsupported, "100 samples a second"),
        (wav(1600, channels=64), Unsupported, "64 channels"),
        (wav()[:16000], Undecodable, "declares 1.0 s and 0.5 s"),
        (wav(claimed=50 * 32000), Undecodable, "declares 50.0 s and 1.0 s"),
        (wav(claimed=3 * 3600 * 32000), MediaTooLarge, "longer than the 60 s"),
        (wav(61 * 8000, rate=8000), MediaTooLarge, "longer than the 60 s"),
        (wav(61 * 8000, rate=8000, claimed=2**32 - 1), MediaTooLarge, "longer than the 60 s"),
        (b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n", MediaError, "Send"),
        (b"ffconcat version 1.0\nfile '/etc/passwd'\n", Unsupported, "container is not taken"),
    ],
)
def test_what_is_no_whole_recording_is_refused(
    data: bytes, refusal: type[Exception], message: str
) -> None:
    with pytest.raises(refusal, match=message):
        decoded(data)


@pytest.mark.parametrize(
    ("container", "codec", "message"),
    [
        ("flac", "flac", "declares 2.0 s"),
        ("ipod", "aac", "damaged"),  # the index is at the end
        ("wav", "pcm_s16le", "declares 2.0 s"),
    ],
)
def test_a_file_cut_off_in_the_middle_is_refused(container: str, codec: str, message: str) -> None:
    whole = contained(container, codec, 44100, "mono")
    with pytest.raises(Undecodable, match=message):
        decoded(whole[: len(whole) // 2])


def test_a_header_without_a_length_is_taken_as_programs_write_it_to_pipes() -> None:
    for claimed in (0, 2**31 - 1 - 36, 2**32 - 1):
        assert decoded(wav(claimed=claimed)).seconds == 1


def test_damage_in_the_middle_costs_only_what_is_damaged() -> None:
    data = bytearray(contained("mp3", "libmp3lame", 44100, "mono", 10))
    middle = len(data) // 2
    data[middle : middle + 2000] = b"\xff" * 2000
    assert 9 < decoded(bytes(data)).seconds <= 10.1


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30, 1e300])
def test_samples_that_are_no_numbers_are_refused(bad: float) -> None:
    values = np.zeros(8000, "<f8")
    values[5000] = bad
    with pytest.raises(Undecodable, match=r"no numbers|full scale"):
        decoded(wav(values=values))


def test_the_limit_holds_while_decoding_not_after(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that tells no length is decoded up to the limit and no further."""
    kept: list[int] = []
    append = spool.SampleSpool.append

    def count(self: spool.SampleSpool, block: NDArray[np.float32]) -> None:
        kept.append(len(block))
        append(self, block)

    monkeypatch.setattr(spool.SampleSpool, "append", count)
    with pytest.raises(MediaTooLarge) as refused:
        decoded(wav(200 * 8000, rate=8000, claimed=0))
    assert refused.value.code == "audio_too_long"
    assert sum(kept) <= 61 * 8000


def test_many_channels_at_a_high_rate_count_as_what_they_take() -> None:
    values = np.zeros(2 * 192_000 * 8, "<i2")
    with pytest.raises(MediaTooLarge, match="too many samples"):
        decoded(wav(rate=192_000, channels=8, values=values), MediaLimits(audio_seconds=3))
    limits = MediaLimits(audio_seconds=3)
    audio = decoded(wav(rate=192_000, channels=8, values=values), limits, rate=16000, as_mono=True)
    assert audio.samples.shape == (32000, 1)


def test_long_recordings_lie_in_a_file_and_hold_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    data = contained("flac", "flac", 44100, "stereo", 8)
    near = decoded(data)
    monkeypatch.setattr("atoll_inference.media.spool.SampleSpool.__init__.__defaults__", (100_000,))
    far = decoded(data)
    assert isinstance(far.samples.base, np.memmap)
    np.testing.assert_array_equal(near.samples, far.samples)
    np.testing.assert_array_equal(mono(near), mono(far))
    np.testing.assert_array_equal(resample(near, 8000).samples, resample(far, 8000).samples)


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 48000])
def test_resampling_keeps_sound_and_gives_the_exact_length(rate: int) -> None:
    audio = Audio(tone(3.21, 44100, 2), 44100)
    other = resample(audio, rate)
    assert other.rate == rate
    assert other.samples.shape == (round(len(audio.samples) * rate / 44100), 2)
    ideal = tone(3.21, rate, 2)
    inner = slice(rate // 4, 3 * rate)
    np.testing.assert_allclose(other.samples[inner], ideal[inner], atol=2e-3)
    assert resample(audio, 44100) is audio


def test_resampling_while_decoding_gives_the_same_as_afterwards() -> None:
    data = contained("ogg", "libopus", 48000, "stereo", 5)
    audio = decoded(data)
    after = resample(Audio(mono(audio)[:, None], audio.rate), 16000)
    np.testing.assert_allclose(
        decoded(data, rate=16000, as_mono=True).samples, after.samples, atol=1e-6
    )


def test_mono_is_the_mean_and_one_channel_is_not_copied() -> None:
    stereo = Audio(tone(1, 8000, 2), 8000)
    np.testing.assert_allclose(mono(stereo), stereo.samples.mean(axis=1), atol=1e-7)
    single = Audio(tone(1, 8000), 8000)
    assert np.shares_memory(mono(single), single.samples)


def test_a_wav_file_comes_back_as_it_went() -> None:
    samples = tone(1, 44100, 2)
    samples[100] = 3.0
    samples[101] = -3.0
    data = encode_wav(Audio(samples, 44100))
    with wave.open(io.BytesIO(data)) as file:
        assert file.getparams()[:4] == (2, 2, 44100, 44100)
    back = decoded(data)
    np.testing.assert_allclose(back.samples, np.clip(samples, -1, 32767 / 32768), atol=2**-16)
    assert encode_wav(back) == data
