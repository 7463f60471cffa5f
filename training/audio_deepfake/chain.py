"""What every clip goes through, real or fake, so that only the voice itself tells them apart.

Band limit, a room, noise, a lossy codec, trimmed silence and one loudness. What a recording had of
these before is covered by what it gets here.
"""

import io

import av
import numpy as np
from numpy.typing import NDArray

from training import noise
from training.speech import RATE

Floats = NDArray[np.float32]

_LOW, _HIGH = 250.0, 3300.0
_LEVEL = 0.06


def passed(samples: NDArray[np.int16], rng: np.random.Generator) -> Floats:
    """The clip after the chain; what is random in it is drawn from `rng`.

    Args:
        samples: as of `speech.clip`.

    Returns:
        In [-1, 1], of shape (frames,), at `speech.RATE`.
    """
    clip: Floats = samples.astype(np.float32) / np.float32(32768)
    if rng.random() < 0.6:
        clip = _in_a_room(clip, rng)
    kind = noise.MADE[0] if rng.random() < 0.7 else noise.MADE[1]
    disturbance = kind(rng, len(clip))
    ratio = rng.uniform(12, 30)
    gain = _level(clip) / _level(disturbance) * 10 ** (-ratio / 20)
    clip = clip + disturbance * np.float32(gain)
    clip = _compressed(_limited(clip), rng)
    return _trimmed(_limited(clip))


def _in_a_room(clip: Floats, rng: np.random.Generator) -> Floats:
    """With decaying echoes, drier than a church and wetter than a studio."""
    length = int(rng.uniform(0.08, 0.35) * RATE)
    echoes = rng.standard_normal(length) * np.exp(-np.arange(length) * 6.9 / length)
    echoes *= rng.uniform(0.1, 0.6) / np.sqrt(np.sum(echoes**2))
    echoes[0] += 1
    size = len(clip) + length
    spectrum = np.fft.rfft(clip, size) * np.fft.rfft(echoes, size)
    return np.fft.irfft(spectrum, size)[: len(clip)].astype(np.float32)


def _limited(clip: Floats) -> Floats:
    """The band of a telephone."""
    frequencies = np.fft.rfftfreq(len(clip), 1 / RATE)
    low = 1 / (1 + np.exp(-(frequencies - _LOW) / 25))
    high = 1 / (1 + np.exp((frequencies - _HIGH) / 40))
    return np.fft.irfft(np.fft.rfft(clip) * low * high, len(clip)).astype(np.float32)


def _compressed(clip: Floats, rng: np.random.Generator) -> Floats:
    """Through Opus or MP3 and back."""
    codec, container = (("libopus", "ogg"), ("libmp3lame", "mp3"))[int(rng.integers(2))]
    bits = int(rng.choice([12_000, 16_000, 24_000, 32_000]))
    scaled = np.clip(clip * (0.1 / _level(clip)), -1, 1)
    data = io.BytesIO()
    with av.open(data, "w", format=container) as target:
        stream = target.add_stream(codec, rate=RATE, layout="mono")
        assert isinstance(stream, av.AudioStream)
        stream.bit_rate = max(bits, 16_000) if codec == "libmp3lame" else bits
        frame = av.AudioFrame.from_ndarray(
            (scaled * 32767).astype(np.int16)[None], format="s16", layout="mono"
        )
        frame.sample_rate = RATE
        frame.pts = 0
        resampler = av.AudioResampler(
            format=stream.codec_context.format, layout="mono", rate=RATE, frame_size=0
        )
        for part in resampler.resample(frame):
            target.mux(stream.encode(part))
        target.mux(stream.encode(None))
    data.seek(0)
    with av.open(data, "r") as source:
        back = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        parts = [p for f in source.decode(audio=0) for p in back.resample(f)]
        parts += back.resample(None)
    return np.concatenate([part.to_ndarray()[0] for part in parts]).astype(np.float32)


def _trimmed(clip: Floats) -> Floats:
    """Without what is quiet at both ends, at one loudness."""
    size = RATE // 50
    frames = clip[: len(clip) // size * size].reshape(-1, size)
    loud = np.flatnonzero(np.sqrt(np.mean(frames**2, 1)) > 0.25 * _level(clip))
    clip = clip[loud[0] * size : (loud[-1] + 1) * size] if len(loud) else clip
    return np.clip(clip * (_LEVEL / _level(clip)), -1, 1).astype(np.float32)


def _level(clip: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean(np.square(clip, dtype=np.float64)))) + 1e-9
