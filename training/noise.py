"""Noise, made and recorded, at the rate of the speech.

What is recorded comes from games; those of the two sets have nothing in common.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atoll_inference.media.audio import decode_audio
from atoll_inference.media.errors import MediaError
from atoll_inference.media.limits import MediaLimits
from training.downloads import cache
from training.packages import Package
from training.speech import RATE

Floats = NDArray[np.float32]

_KEYBOARD = Package(
    "bucklespring-data",
    "1.4.0-2",
    "2add9f5583b3afc9c0b528066f4578baff930b74d4a94c8a25d103ef79a444e5",
)
_RESCUE = Package(
    "searchandrescue-data",
    "1.3.0-1.1",
    "0036c09a92a90a2ce4ac3dde026bb90cc306cd1964f24749c0229926ff36d1d3",
)
_COLONY = Package(
    "colobot-common-sounds",
    "0.2.0-2",
    "819e799542eac69c95b072567b5584eb3e0b2bb900de13efa3684915747b1644",
)
_CITY = Package(
    "lincity-ng-data",
    "2.9~git20150314-5",
    "8f5e85bd42879abdc7099b035d7a3d7468eceb6b93b52a12270c28f3f3c792f9",
)
_SLIDES = Package(
    "extremetuxracer-data",
    "0.8.2-1",
    "8ce6c82e6fb89549d284f43f6c4b0a9d82e6c0e5da753bee0ef419276a21470c",
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A kind of noise: the sounds of some folders, one after the other."""

    kind: str
    package: Package
    place: str

    def samples(self) -> Floats:
        """All of them, the first 40 s of each, equally loud."""
        kept = cache() / "prepared" / f"noise-{self.package.name}-{self.kind}.npy"
        if not kept.exists():
            parts = []
            for path in sorted((self.package.unpacked() / self.place).rglob("*")):
                if path.suffix in (".wav", ".ogg", ".mp3"):
                    try:
                        audio = decode_audio(path, MediaLimits(), rate=RATE, as_mono=True)
                    except MediaError:
                        continue
                    part = audio.samples[: 40 * RATE, 0]
                    level = float(np.sqrt(np.mean(part * part)))
                    if level > 1e-4:
                        parts.append(part * (0.1 / level))
            data = io.BytesIO()
            np.save(data, np.concatenate(parts).astype(np.float16))
            kept.parent.mkdir(parents=True, exist_ok=True)
            draft = kept.with_suffix(".new")
            draft.write_bytes(data.getvalue())
            draft.replace(kept)
        found: Floats = np.load(kept).astype(np.float32)
        return found


LEARNT = (
    Recorded("keyboard", _KEYBOARD, "usr/share/buckle/wav"),
    Recorded("engines", _RESCUE, "usr/share/games/searchandrescue/sounds"),
    Recorded("machines", _COLONY, "usr/share/games/colobot/sounds"),
    Recorded("music", _COLONY, "usr/share/games/colobot/music"),
)
HELD_OUT = (
    Recorded("city", _CITY, "usr/share/games/lincity-ng/sounds"),
    Recorded("sliding", _SLIDES, "usr/share/games/etr/sounds"),
    Recorded("music", _SLIDES, "usr/share/games/etr/music"),
)


def coloured(rng: np.random.Generator, count: int) -> Floats:
    """White to brown, sometimes with a band of it louder."""
    frequencies = np.fft.rfftfreq(count, 1 / RATE)
    shape = np.maximum(frequencies, 30.0) ** -rng.uniform(0.0, 1.2)
    if rng.random() < 0.5:
        centre, width = rng.uniform(100, 3500), rng.uniform(50, 800)
        shape = shape * (1 + rng.uniform(1, 8) * np.exp(-(((frequencies - centre) / width) ** 2)))
    spectrum = shape * np.fft.rfft(rng.standard_normal(count))
    return np.fft.irfft(spectrum, count).astype(np.float32)


def hum(rng: np.random.Generator, count: int) -> Floats:
    """Mains hum of 50 or 60 Hz with its multiples, over a little hiss."""
    time = np.arange(count) / RATE
    base = rng.choice([50.0, 60.0]) * rng.uniform(0.998, 1.002)
    total = 0.02 * rng.standard_normal(count)
    for multiple in range(1, int(rng.integers(4, 24))):
        strength = rng.uniform(0.2, 1) / multiple ** rng.uniform(0.2, 1.2)
        total += strength * np.sin(2 * np.pi * (base * multiple * time + rng.random()))
    return total.astype(np.float32)


def clicks(rng: np.random.Generator, count: int) -> Floats:
    """Short bursts at random places, and hiss."""
    total = 0.03 * rng.standard_normal(count)
    for start in rng.integers(0, count, max(1, round(count / RATE * rng.uniform(2, 14)))):
        length = int(min(rng.integers(8, 240), count - start))
        decay = np.exp(-np.arange(length) / (length / 4))
        total[start : start + length] += rng.uniform(0.3, 2) * decay * rng.standard_normal(length)
    return total.astype(np.float32)


Maker = Callable[[np.random.Generator, int], Floats]

MADE: tuple[Maker, ...] = (coloured, hum, clicks)
