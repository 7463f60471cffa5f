"""Trains the reranker: `python -m training.reranker`."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from atoll_inference.catalog.slots import read_catalog
from training import ROOT, TrainingFailed, loop, minilm, options
from training.engines import Engines
from training.reranker import MODEL, search
from training.reranker.ranking import ndcg, ranks
from training.synopses import Pair, training

RANK = 32
QUESTIONS = 12_000
VALIDATION = 150
NEIGHBOURS = 20
NEGATIVES = 3
"""Descriptions in a step beside the right one, from those that the bi-encoder finds nearest."""

BATCH = 8
EPOCHS = 2
CHANGE_RATE = 1e-3
HEAD_RATE = 5e-4
MOST_TOKENS = 72


def main() -> int:
    """Train and write the weights."""
    chosen = options.parse("reranker", MODEL)
    try:
        loop.begin(chosen)
        pairs = training()
        order = np.random.default_rng(chosen.seed).permutation(len(pairs))
        pairs = [pairs[i] for i in order[: QUESTIONS + VALIDATION]]
        near = _neighbours(pairs, chosen.work / "neighbours.npy")
        print(f"{len(pairs)} pairs to train on", flush=True)
        model = minilm.classifier(("relevance",), rank=RANK, fixed=0)
        read = _Reader(pairs)
        batches = loop.batches(QUESTIONS, BATCH, chosen.seed)

        def loss(step: int, random: np.random.Generator) -> Tensor:
            questions = batches(step) + VALIDATION
            documents = np.stack(
                [[q, *random.choice(near[q], NEGATIVES, replace=False)] for q in questions]
            )
            inputs = read(np.repeat(questions, 1 + NEGATIVES), documents.ravel())
            # Nearly twice as fast as whole precision on processors that have the format.
            with torch.autocast(loop.device().type, dtype=torch.bfloat16):
                logits = model(**inputs).logits
            scores = logits.float().reshape(documents.shape)
            wanted = torch.zeros_like(scores)
            wanted[:, 0] = 1
            # The first makes the order, the second gives a score of its own a meaning.
            listwise = -functional.log_softmax(scores, -1)[:, 0].mean()
            return listwise + 0.2 * functional.binary_cross_entropy_with_logits(scores, wanted)

        steps = EPOCHS * (QUESTIONS // BATCH)
        task = loop.Task(
            model=model,
            optimizer=torch.optim.AdamW(
                minilm.groups(model, CHANGE_RATE, HEAD_RATE), weight_decay=0.01
            ),
            steps=steps,
            loss=loss,
            judge=lambda: _judge(model, read, near),
            judge_every=steps // 5,
        )
        minilm.write(model, chosen.out, loop.train(task, chosen))
    except TrainingFailed as error:
        print(error, file=sys.stderr)
        return 1
    print(f"written to {chosen.out}; now: make evaluate ARGS='--write reranker'")
    return 0


class _Reader:
    """Makes the model's input of questions and descriptions."""

    def __init__(self, pairs: list[Pair]) -> None:
        self._pairs = pairs
        self._tokenizer = minilm.tokenizer()

    def __call__(self, questions: Any, documents: Any) -> dict[str, Tensor]:
        found = self._tokenizer(
            [self._pairs[i].synopsis for i in questions],
            [self._pairs[i].description for i in documents],
            truncation="only_second",
            max_length=MOST_TOKENS,
            padding=True,
            return_tensors="pt",
        )
        return {name: tensor.to(loop.device()) for name, tensor in found.items()}


def _neighbours(pairs: list[Pair], file: Path) -> NDArray[np.int64]:
    """For every pair the descriptions that the bi-encoder finds nearest, without its own."""
    if file.is_file() and len(found := np.load(file)) == len(pairs):
        return np.asarray(found)
    engines = Engines(
        read_catalog(ROOT / "models" / "catalog.toml"), ROOT / "models", lambda _: None
    )
    # A description is known by its beginning; the rest would only cost time.
    documents = search.embed(engines, [" ".join(p.description.split()[:40]) for p in pairs])
    queries = search.embed(engines, [pair.synopsis for pair in pairs])
    engines.close()
    order = search.nearest(queries, documents, NEIGHBOURS + 1)
    near = np.stack([row[row != number][:NEIGHBOURS] for number, row in enumerate(order)])
    np.save(file, near)
    return near


def _judge(model: Any, read: _Reader, near: NDArray[np.int64]) -> float:
    """nDCG@10 over questions that are not trained on, each with its description among others."""
    orders = []
    for question in range(VALIDATION):
        documents = np.array([question, *near[question][:10]])
        scores = model(**read(np.full(len(documents), question), documents)).logits[:, 0]
        orders.append(documents[np.argsort(-scores.cpu().numpy(), kind="stable")])
    return ndcg(ranks(np.stack(orders), np.arange(VALIDATION)))


if __name__ == "__main__":
    raise SystemExit(main())
