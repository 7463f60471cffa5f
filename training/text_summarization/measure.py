"""Measures the summariser on abstracts, articles and descriptions that no training saw."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from atoll_inference.engines.base import BatchEngine
from atoll_inference.engines.tasks.text import SummaryInput
from training import synopses
from training.engines import Engines
from training.evaluation import Evaluation, Measure
from training.text_summarization import MODEL, articles, papers
from training.text_summarization.rouge import Rouge, mean, words

PACKAGES = 500
ARTICLES = 200
SYNOPSIS_WORDS = 7
"""Of a synopsis, on average: so much of a lead sentence is a fair opponent."""

_FIGURES: dict[str, Callable[[Rouge], float]] = {
    "ROUGE-1": lambda score: score.one,
    "ROUGE-2": lambda score: score.two,
    "ROUGE-L": lambda score: score.longest,
}


@dataclass(frozen=True, slots=True)
class Split:
    """Held-out texts of one kind.

    Attributes:
        baselines: what costs nothing, a summary for each text.
    """

    kind: str
    texts: Sequence[str]
    references: Sequence[str]
    baselines: dict[str, list[str]]


def measure(engines: Engines) -> Evaluation:
    """ROUGE of what the engine writes, beside the beginnings of the same texts."""
    engine = engines.load("text_summarization")
    measures: list[Measure] = []
    for split in (paper_split(), article_split(), package_split()):
        written = summaries(engine, split.texts)
        found = mean(written, split.references)
        others = {name: mean(rows, split.references) for name, rows in split.baselines.items()}
        measures += [
            Measure(
                name=f"{name}, {split.kind}",
                items=len(split.texts),
                model=figure(found),
                baselines={other: figure(score) for other, score in others.items()},
            )
            for name, figure in _FIGURES.items()
        ]
        measures.append(
            Measure(
                name=f"share of its words that stand in the text, {split.kind}",
                items=len(split.texts),
                model=_copied(written, split.texts),
                baselines={"what people wrote": _copied(split.references, split.texts)},
                decides=False,
            )
        )
    return Evaluation(
        slot="text_summarization",
        model=MODEL,
        held_out=(
            "abstracts of the test split of ACLSum with approach and outcome as people wrote them; "
            f"{ARTICLES} beginnings of articles in disorder, with the sentence that was first; "
            f"descriptions of {PACKAGES} Debian packages with their synopses"
        ),
        measures=tuple(measures),
    )


def summaries(engine: BatchEngine, texts: Sequence[str]) -> list[str]:
    """What the engine writes where a request says nothing of lengths."""
    return [r.summary for r in engine.run_batch([SummaryInput(text=text) for text in texts])]


def paper_split() -> Split:
    """Abstracts, with approach and outcome."""
    found = papers.testing()
    return Split(
        kind="papers",
        texts=[" ".join(paper.abstract.sentences) for paper in found],
        references=[paper.summary for paper in found],
        baselines={
            "lead sentence": [paper.abstract.sentences[0] for paper in found],
            "first two sentences": [" ".join(paper.abstract.sentences[:2]) for paper in found],
        },
    )


def article_split() -> Split:
    """Articles in disorder, with the sentence that was the first."""
    random = np.random.default_rng(12)
    found = articles.testing()[:ARTICLES]
    mixed = [list(random.permutation(article.sentences)) for article in found]
    return Split(
        kind="articles",
        texts=[" ".join(lines) for lines in mixed],
        references=[article.sentences[0] for article in found],
        baselines={
            "sentence that comes first now": [lines[0] for lines in mixed],
            "the longest": [max(lines, key=len) for lines in mixed],
        },
    )


def package_split() -> Split:
    """Descriptions, with synopses."""
    found = synopses.testing()
    chosen = [found[i] for i in np.random.default_rng(12).permutation(len(found))[:PACKAGES]]
    leads = [articles.sentences(pair.description)[0] for pair in chosen]
    return Split(
        kind="packages",
        texts=[pair.description for pair in chosen],
        references=[pair.synopsis for pair in chosen],
        baselines={
            "lead sentence": leads,
            f"its first {SYNOPSIS_WORDS} words": [
                " ".join(lead.split()[:SYNOPSIS_WORDS]) for lead in leads
            ],
        },
    )


def _copied(summaries: Sequence[str], texts: Sequence[str]) -> float:
    shares = []
    for summary, text in zip(summaries, texts, strict=True):
        known, said = set(words(text)), words(summary)
        shares.append(sum(word in known for word in said) / max(1, len(said)))
    return float(np.mean(shares))
