"""Keeps held-out texts out of training, near-duplicates included."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

WORDS = 4
"""Length of the word sequences that texts are compared by."""

SHARE = 0.5
"""A text that has this much of its sequences in common with one held-out text is left out."""


def keep(texts: Sequence[str], held_out: Iterable[str]) -> list[int]:
    """Numbers of the texts that may be trained on: none is a held-out one, or nearly so.

    Compared are words without case and punctuation: whole texts, and their sequences of `WORDS`
    words.
    """
    exact: set[tuple[str, ...]] = set()
    owners: defaultdict[tuple[str, ...], set[int]] = defaultdict(set)
    for number, text in enumerate(held_out):
        words = _words(text)
        exact.add(words)
        for sequence in _sequences(words):
            owners[sequence].add(number)
    return [i for i, text in enumerate(texts) if not _is_near(_words(text), exact, owners)]


def _is_near(
    words: tuple[str, ...],
    exact: set[tuple[str, ...]],
    owners: dict[tuple[str, ...], set[int]],
) -> bool:
    if words in exact:
        return True
    sequences = _sequences(words)
    shared: defaultdict[int, int] = defaultdict(int)
    for sequence in sequences:
        for number in owners.get(sequence, ()):
            shared[number] += 1
    return bool(shared) and max(shared.values()) >= SHARE * len(sequences)


def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", text.lower()))


def _sequences(words: tuple[str, ...]) -> set[tuple[str, ...]]:
    return {words[i : i + WORDS] for i in range(len(words) - WORDS + 1)}
