"""Passages of no kind that the other recipes know: of such a text the beginning is the summary.

Without them a model that has seen notes and abstracts takes every other text for one of these, and
makes up decisions and methods. The sentences are comments that people wrote, articles without the
sentence that sums them up, and what is said in meetings that decide nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.emotion_detection import dataset as comments
from training.text_summarization import notes

KINDS = {"comments": 0.4, "article": 0.4, "meeting": 0.2}
_ENOUGH_WORDS = 12
"""A first sentence that is shorter is joined by the second."""

_SENTENCE = re.compile(r"[A-Z][A-Za-z0-9 ,;:'’$%-]*[.!?]")
_GREETINGS = ("", "", "Dear {name}, ", "Hello {name}! ", "Hi all, ", "{name}, ")


@dataclass(frozen=True, slots=True)
class Passage:
    """A text, and its beginning."""

    text: str
    summary: str


class Passages:
    """Makes passages.

    Args:
        articles: the sentences of each.
        names: of things and people, for meetings.
    """

    def __init__(self, articles: Sequence[Sequence[str]], names: Sequence[str]) -> None:
        self._articles = articles
        self._names = names
        self._comments = _neutral_sentences()

    def passage(self, random: np.random.Generator) -> Passage:
        """One that the generator puts together."""
        kind = str(random.choice(list(KINDS), p=list(KINDS.values())))
        if kind == "article":
            article = self._articles[int(random.integers(len(self._articles)))]
            return _passage("", article[1:])
        if kind == "meeting":
            said = notes.asides(random, self._names, int(random.integers(2, 7)))
            return _passage("", said)
        chosen = random.integers(len(self._comments), size=int(random.integers(3, 8)))
        greeting = _GREETINGS[int(random.integers(len(_GREETINGS)))]
        name = notes.PEOPLE[int(random.integers(len(notes.PEOPLE)))]
        return _passage(greeting.format(name=name), [self._comments[i] for i in chosen])


def _neutral_sentences() -> list[str]:
    """Comments of one sentence in which readers found no emotion, with a name put in again."""
    rows = comments.training()
    is_neutral = rows.single & (rows.labels[:, comments.LABELS.index("neutral")] == 1)
    texts = [rows.texts[i].replace("[NAME]", "Robin") for i in np.flatnonzero(is_neutral)]
    return [t for t in texts if _SENTENCE.fullmatch(t) and 5 < len(t.split()) < 26]


def _passage(greeting: str, sentences: Sequence[str]) -> Passage:
    is_short = len(sentences[0].split()) < _ENOUGH_WORDS
    summary = " ".join(sentences[: 2 if is_short else 1])
    return Passage(greeting + " ".join(sentences), summary)
