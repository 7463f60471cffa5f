"""What the labels of a deepfake detector mean, however its authors named them."""

import re
from collections.abc import Sequence

_REAL = frozenset(
    {"real", "realism", "bonafide", "genuine", "authentic", "human", "humanvoice", "live"}
    | {"original", "pristine"}
)
_FAKE = frozenset(
    {"fake", "deepfake", "spoof", "spoofed", "synthetic", "generated", "aigenerated", "ai"}
    | {"aivoice", "artificial", "manipulated", "forged", "tampered"}
)


def real_and_fake(labels: Sequence[str]) -> tuple[int, int] | None:
    """Positions of the labels that mean real and fake, or None.

    There have to be exactly two labels, one of each meaning; case, blanks, hyphens and underscores
    do not matter.
    """
    if len(labels) != 2:
        return None
    meanings = [_meaning(label) for label in labels]
    if sorted(map(str, meanings)) != ["fake", "real"]:
        return None
    return meanings.index("real"), meanings.index("fake")


def _meaning(label: str) -> str | None:
    plain = re.sub(r"[\s_-]+", "", label.lower())
    return "real" if plain in _REAL else "fake" if plain in _FAKE else None
