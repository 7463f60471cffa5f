"""Speech with noise, as the engine hands it to the model."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training import noise, speech
from training.noise import Recorded
from training.speech import RATE, Speaker

Floats = NDArray[np.float32]

QUIETEST, LOUDEST = -5.0, 15.0
"""Ratio of speech to noise, in dB."""

_BABBLERS = 6
_GAP = 0.25


class Mixer:
    """Draws mixtures.

    Args:
        seconds: of each speaker at most; more is not read.
    """

    def __init__(
        self, speakers: Sequence[Speaker], recorded: Sequence[Recorded], seconds: float
    ) -> None:
        self.voices = [speech.clips(speaker, seconds) for speaker in speakers]
        self._recorded = {entry.kind: entry.samples() for entry in recorded}

    def draw(self, rng: np.random.Generator, count: int) -> tuple[Floats, Floats]:
        """A mixture with a mean square of 1 and the speech in it, each of shape (count,)."""
        voice = int(rng.integers(len(self.voices)))
        clean = self.said(rng, voice, count)
        return mixed(clean, self.noise(rng, count, voice), float(rng.uniform(QUIETEST, LOUDEST)))

    def noise(self, rng: np.random.Generator, count: int, voice: int) -> Floats:
        """Noise of any kind, sometimes of two at once; babble is of other voices."""
        total = self._one_noise(rng, count, voice)
        if rng.random() < 0.25:
            other = self._one_noise(rng, count, voice)
            total = total / _level(total) + rng.uniform(0.2, 1) * other / _level(other)
        return total.astype(np.float32)

    def recorded(self, kind: str, rng: np.random.Generator, count: int) -> Floats:
        """A stretch of recorded noise."""
        samples = self._recorded[kind]
        start = int(rng.integers(0, max(1, len(samples) - count)))
        return np.resize(samples[start : start + count], count)

    def babble(self, rng: np.random.Generator, count: int, without: int) -> Floats:
        """Several voices at once, none of them the voice `without`."""
        others = [voice for voice in range(len(self.voices)) if voice != without]
        total = np.zeros(count, np.float32)
        for _ in range(_BABBLERS):
            total += rng.uniform(0.4, 1) * self.said(rng, int(rng.choice(others)), count)
        return total

    def _one_noise(self, rng: np.random.Generator, count: int, voice: int) -> Floats:
        kind = rng.random()
        if kind < 0.3:
            return noise.coloured(rng, count)
        if kind < 0.5:
            return noise.MADE[int(rng.integers(1, len(noise.MADE)))](rng, count)
        if kind < 0.65:
            return self.babble(rng, count, voice)
        return self.recorded(str(rng.choice(list(self._recorded))), rng, count)

    def said(self, rng: np.random.Generator, voice: int, count: int) -> Floats:
        """What a voice says, one clip after the other with short breaks."""
        clips = self.voices[voice]
        total = np.zeros(count, np.float32)
        place = -int(rng.integers(0, RATE))
        while place < count:
            clip = clips[int(rng.integers(len(clips)))].astype(np.float32) / 32768
            skipped = max(0, -place)
            part = clip[skipped : skipped + count - max(0, place)]
            total[max(0, place) : max(0, place) + len(part)] = part
            place += len(clip) + int(rng.uniform(0, _GAP) * RATE)
        return total


def mixed(clean: Floats, noise: Floats, ratio: float) -> tuple[Floats, Floats]:
    """Speech and noise at a ratio in dB, brought to a mean square of 1 together."""
    noise = noise * np.float32(_level(clean) / _level(noise) * 10 ** (-ratio / 20))
    level = np.float32(_level(clean + noise))
    return (clean + noise) / level, clean / level


def si_snr(found: NDArray[np.floating], clean: NDArray[np.floating]) -> float:
    """Scale-invariant signal-to-noise ratio in dB (Le Roux et al. 2019)."""
    found = np.asarray(found, np.float64) - np.mean(found)
    clean = np.asarray(clean, np.float64) - np.mean(clean)
    target = clean * (np.dot(found, clean) / np.dot(clean, clean))
    error = found - target
    return float(10 * np.log10(np.dot(target, target) / max(np.dot(error, error), 1e-20)))


def _level(samples: Floats) -> float:
    return float(np.sqrt(np.mean(samples * samples, dtype=np.float64))) + 1e-6
