"""What the summariser learns from: texts with a summary that a person wrote, and made-up ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training import synopses
from training.text_summarization import articles, notes, papers
from training.text_summarization.plain import Passages

SHARES = {"articles": 0.30, "packages": 0.25, "notes": 0.17, "plain": 0.20, "papers": 0.08}
"""How often each kind is drawn."""

VALIDATION = {"articles": 32, "packages": 32, "notes": 16, "plain": 16, "papers": 8}
"""Of each kind, those that no step sees: they tell which state is best."""

SHUFFLED = 0.7
"""Share of the articles whose sentences change places, so that the first is looked for."""

KEPT = 0.7
"""Share of a paper's other sentences that stay where some are left out: there are few papers."""


@dataclass(frozen=True, slots=True)
class Example:
    """A text and its summary."""

    text: str
    summary: str


class Mixture:
    """Draws examples of all kinds."""

    def __init__(self) -> None:
        self._packages = synopses.training()
        self._articles = articles.training()
        self._papers = papers.training()
        self._names = [article.title for article in self._articles]
        seen = [a.sentences for a in self._articles[: -VALIDATION["articles"]]]
        self._passages = Passages(seen, self._names)

    def __len__(self) -> int:
        return len(self._packages) + len(self._articles) + len(self._papers)

    def draw(self, random: np.random.Generator, count: int) -> list[Example]:
        """Examples to train on."""
        kinds = random.choice(list(SHARES), count, p=list(SHARES.values()))
        return [self._example(str(kind), random, training=True) for kind in kinds]

    def validation(self) -> list[Example]:
        """The same ones at every call, none of which is ever drawn."""
        random = np.random.default_rng(23)
        return [
            self._example(kind, random, training=False)
            for kind, count in VALIDATION.items()
            for _ in range(count)
        ]

    def _example(self, kind: str, random: np.random.Generator, *, training: bool) -> Example:
        if kind == "notes":
            note = notes.note(random, self._names)
            return Example(note.text, note.summary)
        if kind == "plain":
            passage = self._passages.passage(random)
            return Example(passage.text, passage.summary)
        if kind == "packages":
            pair = self._packages[_number(len(self._packages), kind, random, training)]
            return Example(pair.description, pair.synopsis)
        if kind == "articles":
            article = self._articles[_number(len(self._articles), kind, random, training)]
            order = np.arange(len(article.sentences))
            if random.random() < SHUFFLED:
                order = random.permutation(order)
            return Example(_joined(article.sentences, order), article.sentences[0])
        paper = self._papers[_number(len(self._papers), kind, random, training)]
        part = paper.conclusion if random.random() < 1 / 3 else paper.abstract
        order = np.arange(len(part.sentences))
        if random.random() < 1 / 2:
            order = order[np.isin(order, part.marked) | (random.random(len(order)) < KEPT)]
        return Example(_joined(part.sentences, order), _joined(part.sentences, part.marked))


def _number(count: int, kind: str, random: np.random.Generator, training: bool) -> int:
    """Of a drawn item; the last ones of a kind are for validation."""
    border = count - VALIDATION[kind]
    return int(random.integers(0, border) if training else random.integers(border, count))


def _joined(sentences: Sequence[str], order: Sequence[int] | NDArray[np.int64]) -> str:
    return " ".join(sentences[i] for i in order)
