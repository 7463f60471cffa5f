"""ROUGE (Lin, 2004): how many words, pairs of words and common subsequences two texts share.

Words are compared without case and not stemmed; every figure is the F1 of precision and recall.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Rouge:
    """Figures between 0 and 1.

    Attributes:
        one: words.
        two: pairs of neighbouring words.
        longest: the longest common subsequence, of whole summaries.
    """

    one: float
    two: float
    longest: float


def rouge(summary: str, reference: str) -> Rouge:
    """A summary compared with what a person wrote."""
    found, wanted = words(summary), words(reference)
    return Rouge(
        one=_overlap(found, wanted, 1),
        two=_overlap(found, wanted, 2),
        longest=_f1(_subsequence(found, wanted), len(found), len(wanted)),
    )


def mean(summaries: Sequence[str], references: Sequence[str]) -> Rouge:
    """The mean over pairs; there has to be one at least."""
    scores = [rouge(s, r) for s, r in zip(summaries, references, strict=True)]
    return Rouge(
        one=float(np.mean([score.one for score in scores])),
        two=float(np.mean([score.two for score in scores])),
        longest=float(np.mean([score.longest for score in scores])),
    )


def words(text: str) -> list[str]:
    """Letters and digits in one piece, in lower case."""
    return re.findall(r"[a-z0-9]+", text.lower())


def _overlap(found: list[str], wanted: list[str], length: int) -> float:
    one, other = (
        Counter(tuple(row[i : i + length]) for i in range(len(row) - length + 1))
        for row in (found, wanted)
    )
    return _f1((one & other).total(), one.total(), other.total())


def _subsequence(one: list[str], other: list[str]) -> int:
    """Length of the longest common subsequence, by the usual table, a row at a time."""
    row = [0] * (len(other) + 1)
    for word in one:
        corner = 0
        for place, against in enumerate(other, start=1):
            above = row[place]
            row[place] = corner + 1 if word == against else max(above, row[place - 1])
            corner = above
    return row[-1]


def _f1(shared: int, found: int, wanted: int) -> float:
    return 2 * shared / (found + wanted) if shared else 0.0
