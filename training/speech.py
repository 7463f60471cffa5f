"""Human speech of Debian packages, sorted by speaker, at 8 kHz.

Telephone prompts, dialogues of a game, and the names of drawings as volunteers spoke them.
"""

import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from atoll_inference.media.audio import decode_audio
from atoll_inference.media.errors import MediaError
from atoll_inference.media.limits import MediaLimits
from training import TrainingFailed
from training.downloads import cache
from training.packages import Package

RATE = 8000

Samples = NDArray[np.int16]

_PROMPTS = "1.6.1-1"
_ENGLISH = Package(
    "asterisk-core-sounds-en-wav",
    _PROMPTS,
    "2be3ea287d83299d143815fa804f11179a75b7affd4a758b98b55f5afc18a35d",
)
_FRENCH = Package(
    "asterisk-core-sounds-fr-wav",
    _PROMPTS,
    "8d4e1bc32ed5ba7fbda40841ca1825ed20cc6232724a473c90f8bb0e53e6073e",
)
_ITALIAN = Package(
    "asterisk-core-sounds-it-wav",
    _PROMPTS,
    "5a26638089e134b8ac39363fe249c5c93c50cd8bfdc9b2499ae61ec4a35e2fcb",
)
_RUSSIAN = Package(
    "asterisk-core-sounds-ru-wav",
    _PROMPTS,
    "ccbfaebfa450b7a9ddf644ae0f3d1e9017d5df7c0aebe816e946345589d38201",
)
_STAMPS = Package(
    "tuxpaint-stamps-default",
    "2022.06.04-1",
    "6db6c1bfc870a47f1499d6203b083522eacb57c5f9c87d468f2e92eb6d9d5f34",
)
_CZECH_GAME = Package(
    "fillets-ng-data-cs",
    "1.0.1-1.1",
    "3ecef99b9456f1c80c9625c6f2418642b52d58e7167a46bad7a412db17991b14",
)
_DUTCH_GAME = Package(
    "fillets-ng-data-nl",
    "1.0.1-1.1",
    "afb4443fda9ab507dee578b75be857d121718a1cd6017a474f30e0eb13dc9d10",
)


@dataclass(frozen=True, slots=True)
class Speaker:
    """One voice: the files of a package whose path matches `pattern`."""

    name: str
    package: Package
    pattern: str

    def files(self) -> list[Path]:
        """Its recordings, in a fixed order.

        Raises:
            TrainingFailed: they could not be fetched, or there are none.
        """
        root = self.package.unpacked()
        pattern = re.compile(self.pattern)
        found = sorted(
            path
            for path in root.rglob("*")
            if path.suffix in (".wav", ".ogg") and pattern.search(path.relative_to(root).as_posix())
        )
        if not found:
            raise TrainingFailed(f"{self.package.name} has no files of {self.name}.")
        return found


_PROMPT = r"/(?!silence/)[^/]+(/[^/]+)?\.wav$"

ALLISON = Speaker("Allison, English", _ENGLISH, "en_US_f_Allison" + _PROMPT)

LEARNT = (
    ALLISON,
    Speaker("June, French", _FRENCH, "fr_CA_f_June" + _PROMPT),
    Speaker("IVRvoice, Russian", _RUSSIAN, "ru_RU_f_IvrvoiceRU" + _PROMPT),
    Speaker("big fish, Czech", _CZECH_GAME, r"/cs/[^/]+-v-[^/]+\.ogg$"),
    Speaker("small fish, Czech", _CZECH_GAME, r"/cs/[^/]+-m-[^/]+\.ogg$"),
    *(
        Speaker(f"stamps, {language}", _STAMPS, rf"_desc_{code}\.ogg$")
        for code, language in (
            ("fr", "French"),
            ("ro", "Romanian"),
            ("ca", "Catalan"),
            ("bg", "Bulgarian"),
            ("es", "Spanish"),
            ("el", "Greek"),
        )
    ),
)
VALIDATION = (Speaker("stamps, Belarusian", _STAMPS, r"_desc_be\.ogg$"),)
HELD_OUT = (
    Speaker("Carlo, Italian", _ITALIAN, "it_IT_m_Carlo" + _PROMPT),
    Speaker("big fish, Dutch", _DUTCH_GAME, r"/nl/[^/]+-v-[^/]+\.ogg$"),
    Speaker("small fish, Dutch", _DUTCH_GAME, r"/nl/[^/]+-m-[^/]+\.ogg$"),
    Speaker("stamps, Russian", _STAMPS, r"_desc_ru\.ogg$"),
)

_LIMITS = MediaLimits()
_SHORTEST = 0.8
_LEVEL = 0.06
_EDGE = 400


def clips(speaker: Speaker, longest_seconds: float) -> list[Samples]:
    """Recordings of a speaker of 0.8 s or more, equally loud, without the silence around them.

    Args:
        longest_seconds: of all of them together.
    """
    kept = cache() / "prepared" / f"speech-{_key(speaker.name)}-{longest_seconds:.0f}.npz"
    if not kept.exists():
        found: list[Samples] = []
        seconds = 0.0
        order = speaker.files()
        # Neighbours in the alphabet are of one kind: digits, letters, one scene.
        np.random.default_rng(11).shuffle(order)
        for path in order:
            samples = clip(path)
            if samples is not None:
                found.append(samples)
                seconds += len(samples) / RATE
            if seconds >= longest_seconds:
                break
        kept.parent.mkdir(parents=True, exist_ok=True)
        data = io.BytesIO()
        np.savez(data, samples=np.concatenate(found), ends=np.cumsum([len(part) for part in found]))
        draft = kept.with_suffix(".new")
        draft.write_bytes(data.getvalue())
        draft.replace(kept)
    with np.load(kept) as archive:
        return list(np.split(archive["samples"], archive["ends"][:-1]))


def clip(path: Path) -> Samples | None:
    """A recording of 0.8 s or more at one loudness, without the silence around it, or None."""
    try:
        samples = decode_audio(path, _LIMITS, rate=RATE, as_mono=True).samples[:, 0]
    except MediaError:
        return None
    loud = np.flatnonzero(np.abs(samples) > 0.03 * max(1e-3, float(np.abs(samples).max())))
    if not len(loud):
        return None
    samples = samples[max(0, loud[0] - _EDGE) : loud[-1] + _EDGE]
    if len(samples) < _SHORTEST * RATE:
        return None
    samples = samples * (_LEVEL / float(np.sqrt(np.mean(samples * samples))))
    return np.clip(np.rint(samples * 32768), -32768, 32767).astype(np.int16)


def _key(name: str) -> str:
    return re.sub(r"\W+", "-", name.lower())
