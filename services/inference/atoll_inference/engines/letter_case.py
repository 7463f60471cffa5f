"""Capitals and spaces for texts of models that know only small letters.

What such a model writes is lower-case, with spaces around marks. Most of it stands in the source as
well, in its right form: the longest runs of equal words are taken from there.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

_PIECE = re.compile(r"\w+|[^\w\s]")
_SENTENCE_END = frozenset(".!?…")
_NO_SPACE_BEFORE = frozenset(".,;:!?%)]}…’'-/")
_NO_SPACE_AFTER = frozenset("([{-/’'")
"""Where the source does not tell: a hyphen there belongs to a word and an apostrophe into one."""

_LONGEST_RUN = 64
"""Pieces compared from one place: bounds the work on a source that repeats itself."""

_MOST_PLACES = 64
"""Places of the source that a piece is looked for at."""


@dataclass(frozen=True, slots=True)
class _Pieces:
    """Words and single marks of a text.

    Attributes:
        folded: how they are compared.
        spans: where they are, in characters.
    """

    text: str
    folded: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]


def restore(written: str, source: str) -> str:
    """The written text with the capitals and spaces that its words have in the source.

    Words that the source does not have stay as they are, but for the first of a sentence.
    """
    mine, theirs = _pieces(written), _pieces(source)
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, piece in enumerate(theirs.folded):
        if len(places[piece]) < _MOST_PLACES:
            places[piece].append(place)
    capitals = _always_capital(theirs)
    result = ""
    done = 0
    while done < len(mine.folded):
        place, length = _longest(mine.folded, done, theirs.folded, places[mine.folded[done]])
        if length:
            run = _run(theirs, place, length, capitals)
        else:
            length = 1
            run = mine.text[slice(*mine.spans[done])]
        result = _joined(result, run)
        done += length
    return result


def _pieces(text: str) -> _Pieces:
    found = list(_PIECE.finditer(text))
    return _Pieces(
        text,
        tuple(match.group().lower() for match in found),
        tuple(match.span() for match in found),
    )


def _longest(
    mine: Sequence[str], start: int, theirs: Sequence[str], places: Sequence[int]
) -> tuple[int, int]:
    """The place where most pieces follow as they do from `start`, and how many."""
    best = (0, 0)
    for place in places:
        most = min(len(mine) - start, len(theirs) - place, _LONGEST_RUN)
        length = 1
        while length < most and mine[start + length] == theirs[place + length]:
            length += 1
        if length > best[1]:
            best = (place, length)
    return best


def _run(source: _Pieces, place: int, length: int, capitals: frozenset[str]) -> str:
    """Pieces of the source as they stand there, on one line.

    A first word that is capital only because it begins a sentence becomes small again.
    """
    start, end = source.spans[place][0], source.spans[place + length - 1][1]
    text = re.sub(r"\s+", " ", source.text[start:end])
    if _begins_sentence(source, place) and source.folded[place] not in capitals:
        text = text[:1].lower() + text[1:]
    return text


def _always_capital(source: _Pieces) -> frozenset[str]:
    """Words that keep their capital: it stands within a sentence, or there are several in a word.

    A word that only ever begins sentences is taken for a common one if the source has no sign that
    it is a name.
    """
    within: set[str] = set()
    small: set[str] = set()
    for place, (start, end) in enumerate(source.spans):
        word = source.text[start:end]
        if word[:1].islower():
            small.add(source.folded[place])
        elif word[1:] != word[1:].lower() or not _begins_sentence(source, place):
            within.add(source.folded[place])
    return frozenset(within - small)


def _begins_sentence(source: _Pieces, place: int) -> bool:
    if place == 0:
        return True
    gap = source.text[source.spans[place - 1][1] : source.spans[place][0]]
    return "\n" in gap or source.folded[place - 1] in _SENTENCE_END


def _joined(text: str, run: str) -> str:
    """The run behind the text, with a space where one belongs, and a capital after a full stop."""
    if not text or (text[-1] in _SENTENCE_END):
        run = run[:1].upper() + run[1:]
    if not text or run[0] in _NO_SPACE_BEFORE or text[-1] in _NO_SPACE_AFTER:
        return text + run
    return f"{text} {run}"
