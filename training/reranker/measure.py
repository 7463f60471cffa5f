"""Measures the reranker on packages whose names no training saw."""

import numpy as np
from numpy.typing import NDArray

from atoll_inference.engines.tasks.retrieval import RerankInput
from training.engines import Engines
from training.evaluation import Evaluation, Measure
from training.reranker import MODEL, search
from training.reranker.ranking import mrr, ndcg, ranks
from training.synopses import Pair, testing

DOCUMENTS = 2000
QUERIES = 500
CANDIDATES = 20


def measure(engines: Engines) -> Evaluation:
    """nDCG@10 and MRR@10 of the bi-encoder's first documents, reranked."""
    pairs, right, candidates = candidates_of(engines)
    engine = engines.load("reranker")
    items = [
        RerankInput(pairs[q].synopsis, tuple(pairs[i].description for i in candidates[q]))
        for q in right
    ]
    scores = np.array([result.scores for result in engine.run_batch(items)])
    reranked = np.take_along_axis(candidates, np.argsort(-scores, axis=1, kind="stable"), axis=1)
    before, after = ranks(candidates, right), ranks(reranked, right)
    return Evaluation(
        slot="reranker",
        model=MODEL,
        held_out=(
            f"synopses of {QUERIES} Debian packages as questions, descriptions of {DOCUMENTS} as "
            f"documents, of which the bi-encoder's first {CANDIDATES} are reranked"
        ),
        measures=tuple(
            Measure(
                name=name,
                items=QUERIES,
                model=figure(after),
                baselines={"order of the bi-encoder": figure(before)},
            )
            for name, figure in (("nDCG@10", ndcg), ("MRR@10", mrr))
        ),
    )


def candidates_of(
    engines: Engines,
) -> tuple[list[Pair], NDArray[np.int64], NDArray[np.int64]]:
    """Held-out pairs, the numbers of those asked for, and the bi-encoder's answers to each."""
    pairs = testing()
    chosen = np.random.default_rng(12).permutation(len(pairs))[:DOCUMENTS]
    pairs = [pairs[i] for i in chosen]
    documents = search.embed(engines, [pair.description for pair in pairs])
    queries = search.embed(engines, [pair.synopsis for pair in pairs[:QUERIES]])
    return pairs, np.arange(QUERIES), search.nearest(queries, documents, CANDIDATES)
