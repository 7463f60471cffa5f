"""Real and fake clips, after the chain that both go through."""

import gzip
import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from training import speech
from training.audio_deepfake.chain import passed
from training.downloads import cache
from training.packages import Package
from training.speech import Speaker
from training.synthesis import Voice

Floats = NDArray[np.float32]

REAL, FAKE = 0, 1

_PROMPTS = "1.6.1-1"
_TEXTS = {
    "en": "973e797d28e37fa6ca3c0a9d6fa717e77cf1268ae916bf09fd3503113cdffa50",
    "fr": "04c82c78c570c43a7136cbc5e2488d0c470b775468dff9fbce4a131b18cf1056",
    "it": "3884d9457e12f21caa018c18f0d587df5d53ebea14b673d8453a134c5941ab3b",
    "ru": "28a61616bb0cd3345a7ea532dec4df9f071e5d0fa9f8c1a563ea9669002f39ab",
}
"""What the prompts say, in packages beside those of the recordings."""

_ESPEAK_VARIANTS = ("m1", "m2", "m3", "m4", "m6", "m7", "f1", "f2", "f3", "f4", "croak", "klatt2")
_FLITE = ("kal", "kal16", "awb", "rms", "slt")


@dataclass(frozen=True, slots=True)
class Source:
    """Where clips come from.

    Attributes:
        name: of the speaker or the engine, as it is shown.
        label: REAL or FAKE.
        count: clips that are taken.
        make: gives recordings, as of `speech.clip`, until it has none or enough were taken.
    """

    name: str
    label: int
    count: int
    make: Callable[[], Iterator[NDArray[np.int16]]]


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip after the chain."""

    source: str
    label: int
    samples: Floats


def learnt() -> list[Source]:
    """Human speakers, espeak-ng and flite, in languages other than Italian and Dutch."""
    languages = {"en": 160, "fr": 160, "ru": 160}
    stamps = {"fr": 100, "ro": 120, "ca": 120, "bg": 120, "es": 120, "el": 120}
    return [
        *(_human(speaker, 210) for speaker in speech.LEARNT),
        *(_espeak(code, count, prompts(code)) for code, count in languages.items()),
        *(_espeak(code, count, stamp_names(code)) for code, count in stamps.items()),
        *(_flite(name, 230) for name in _FLITE),
    ]


def validation() -> list[Source]:
    """By which the best state of the training is chosen."""
    return [
        _human(speech.VALIDATION[0], 120),
        _espeak("pl", 60, stamp_names("pl")),
        _espeak("de", 60, stamp_names("de")),
    ]


def held_out() -> list[Source]:
    """Speakers, a language and an engine that neither training nor validation has."""
    italian = prompts("it")

    def festival(name: str, count: int, texts: Sequence[str], shown: str) -> Source:
        voice = Voice("festival", name)
        return Source(shown, FAKE, count, lambda: _spoken([voice], texts))

    return [
        *(_human(speaker, 75) for speaker in speech.HELD_OUT),
        festival("lp_diphone", 75, italian, "festival, diphones"),
        festival("pc_diphone", 75, italian[::-1], "festival, diphones"),
        festival("upc_ca_ona_hts", 75, prompts("it"), "festival, HTS"),
        _espeak("it", 100, italian, shown="espeak-ng in Italian"),
    ]


def prompts(code: str) -> list[str]:
    """Sentences of the telephone prompts, in a fixed mixed order."""
    name = f"asterisk-core-sounds-{code}"
    root = Package(name, _PROMPTS, _TEXTS[code]).unpacked()
    path = root / f"usr/share/doc/{name}/core-sounds-{code}.txt.gz"
    lines = gzip.decompress(path.read_bytes()).decode("utf-8", "replace").splitlines()
    texts = [line.partition(":")[2].strip() for line in lines if not line.startswith(";")]
    return _mixed([text for text in texts if 12 <= len(text) <= 120 and "[" not in text])


def stamp_names(code: str) -> list[str]:
    """Names of drawings."""
    root = speech.VALIDATION[0].package.unpacked()
    found = []
    for path in sorted(root.rglob("usr/share/tuxpaint/stamps/**/*.txt")):
        lines = path.read_text("utf-8", "replace").splitlines()
        start = f"{code}.utf8="
        found += [line[len(start) :].strip() for line in lines if line.startswith(start)]
    return _mixed([text for text in dict.fromkeys(found) if 10 <= len(text) <= 80])


def clips(sources: Sequence[Source], seed: int, kept: str) -> list[Clip]:
    """All clips of the sources, each through the chain once.

    Args:
        kept: name of the file in the cache that has them the next time.
    """
    path = cache() / "prepared" / f"deepfake-{kept}-{seed}.npz"
    if not path.exists():
        found: list[Clip] = []
        for number, source in enumerate(sources):
            rng = np.random.default_rng([seed, number])
            taken = 0
            for recording in source.make():
                found.append(Clip(source.name, source.label, passed(recording, rng)))
                taken += 1
                if taken == source.count:
                    break
            print(f"{source.name}: {taken} clips", flush=True)
        data = io.BytesIO()
        np.savez(
            data,
            samples=np.concatenate([clip.samples for clip in found]).astype(np.float16),
            ends=np.cumsum([len(clip.samples) for clip in found]),
            labels=[clip.label for clip in found],
            sources=[clip.source for clip in found],
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        draft.write_bytes(data.getvalue())
        draft.replace(path)
    with np.load(path) as archive:
        parts = np.split(archive["samples"].astype(np.float32), archive["ends"][:-1])
        return [
            Clip(str(name), int(label), part)
            for name, label, part in zip(archive["sources"], archive["labels"], parts, strict=True)
        ]


def _human(speaker: Speaker, count: int) -> Source:
    return Source(speaker.name, REAL, count, lambda: iter(speech.clips(speaker, count * 4.0)))


def _espeak(code: str, count: int, texts: Sequence[str], shown: str | None = None) -> Source:
    voices = [Voice("espeak-ng", f"{code}+{variant}") for variant in _ESPEAK_VARIANTS]
    name = shown or f"espeak-ng, {code}"
    return Source(name, FAKE, count, lambda: _spoken(voices, texts))


def _flite(name: str, count: int) -> Source:
    order = prompts("en") + stamp_english()
    start = 97 * _FLITE.index(name)
    texts = order[start:] + order[:start]
    return Source(f"flite, {name}", FAKE, count, lambda: _spoken([Voice("flite", name)], texts))


def stamp_english() -> list[str]:
    """English names of drawings: the first line of each description."""
    root = speech.VALIDATION[0].package.unpacked()
    found = [
        path.read_text("utf-8", "replace").split("\n", 1)[0].strip()
        for path in sorted(root.rglob("usr/share/tuxpaint/stamps/**/*.txt"))
    ]
    return _mixed([text for text in dict.fromkeys(found) if 10 <= len(text) <= 80])


def _spoken(voices: Sequence[Voice], texts: Sequence[str]) -> Iterator[NDArray[np.int16]]:
    with TemporaryDirectory() as folder:
        target = Path(folder) / "spoken.wav"
        for number, text in enumerate(texts):
            target.unlink(missing_ok=True)
            if not voices[number % len(voices)].say(text, target):
                continue
            recording = speech.clip(target)
            if recording is not None:
                yield recording


def _mixed(texts: Sequence[str]) -> list[str]:
    """In an order that has nothing to do with what they say."""
    return sorted(texts, key=lambda text: hashlib.sha256(text.encode()).digest())


def features(samples: Floats) -> tuple[float, float, float, float]:
    """Duration, level, bandwidth and spectral tilt: what a trivial judge could go by."""
    size = 512
    frames = samples[: len(samples) // size * size].reshape(-1, size) * np.hanning(size)
    power = np.square(np.abs(np.fft.rfft(frames))).mean(axis=0)[1:] + 1e-12
    bandwidth = float(np.searchsorted(np.cumsum(power), 0.95 * power.sum()) / len(power))
    octaves = np.log2(np.arange(1, len(power) + 1))
    tilt = float(np.polyfit(octaves, 10 * np.log10(power), 1)[0])
    level = float(20 * np.log10(np.sqrt(np.mean(samples**2)) + 1e-9))
    return len(samples) / speech.RATE, level, bandwidth, tilt
