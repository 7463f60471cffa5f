"""Trains the emotion detector: `python -m training.emotion_detection`."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import f1_score
from torch import Tensor
from torch.nn import functional

from training import TrainingFailed, loop, minilm, options
from training.emotion_detection import MODEL
from training.emotion_detection.dataset import LABELS, Rows, read, training

RANK = 32
FIXED = 2
"""Layers that stay as they are."""

EPOCHS = 2
THINNED = 0.5
"""Share that is used of the rows labelled with one of the two commonest alone, joy and neutral."""

BATCH = 64
POOL = 32
"""Batches whose texts are sorted by length among themselves: less padding, hardly less chance."""

CHANGE_RATE = 1e-3
HEAD_RATE = 5e-4
MOST_TOKENS = 64
RARITY = 0.25
"""Rare emotions weigh more: by the inverse of their share among all rows to this power."""


def main() -> int:
    """Train and write the weights."""
    chosen = options.parse("emotion_detection", MODEL)
    try:
        loop.begin(chosen)
        rows, validation = training(), read("dev")
        print(f"{len(rows.texts)} rows to train on", flush=True)
        model = minilm.classifier(LABELS, rank=RANK, fixed=FIXED)
        upper = _upper(model, rows, chosen.work / "train.f16")
        judged = _upper(model, validation, chosen.work / "dev.f16")
        targets = torch.tensor(rows.targets)
        used = _thinned(rows, chosen.seed)
        weights = torch.tensor(_weights(rows, used))
        pools = loop.batches(len(used), BATCH * POOL, chosen.seed)
        steps = EPOCHS * (len(used) // (BATCH * POOL)) * POOL

        def batch(step: int) -> NDArray[np.int64]:
            pool = used[pools(step // POOL)]
            ordered = pool[np.argsort(upper.lengths[pool], kind="stable")]
            places = np.random.default_rng([chosen.seed, step // POOL]).permutation(POOL)
            start = int(places[step % POOL]) * BATCH
            return np.asarray(ordered[start : start + BATCH])

        def loss(step: int, _: np.random.Generator) -> Tensor:
            numbers = batch(step)
            logits = upper.logits(numbers)
            wanted = (targets[numbers] * weights).to(logits.device)
            return -(wanted * functional.log_softmax(logits, -1)).sum(-1).mean()

        task = loop.Task(
            model=model,
            optimizer=torch.optim.AdamW(
                minilm.groups(model, CHANGE_RATE, HEAD_RATE), weight_decay=0.01
            ),
            steps=steps,
            loss=loss,
            judge=lambda: _judge(judged, validation),
            judge_every=steps // 6,
        )
        record = loop.train(task, chosen)
        minilm.write(model, chosen.out, record)
    except TrainingFailed as error:
        print(error, file=sys.stderr)
        return 1
    print(f"written to {chosen.out}; now: make evaluate ARGS='--write emotion_detection'")
    return 0


def _thinned(rows: Rows, seed: int) -> NDArray[np.int64]:
    """Numbers of the rows to train on."""
    common = np.argsort(rows.labels.sum(0))[-2:]
    is_common = rows.single & (rows.labels[:, common].sum(1) == 1)
    kept = np.random.default_rng([seed, 104729]).random(len(is_common)) < THINNED
    return np.flatnonzero(~is_common | kept)


def _weights(rows: Rows, used: NDArray[np.int64]) -> NDArray[np.float32]:
    """Of the labels in the loss, 1 on average; thinning is undone."""
    shares, left = rows.targets.mean(0), rows.targets[used].mean(0)
    weights = shares / left * shares**-RARITY
    return np.asarray(weights / (weights * left).sum(), np.float32)


def _upper(model: Any, rows: Rows, file: Path) -> minilm.Upper:
    ids = minilm.tokenizer()(rows.texts, truncation=True, max_length=MOST_TOKENS)["input_ids"]
    return minilm.Upper(model, FIXED, file, ids)


def _judge(upper: minilm.Upper, rows: Rows) -> float:
    """Mean of accuracy and macro F1 on the rows with one label."""
    found = upper.all_logits().argmax(-1)[rows.single]
    wanted = rows.labels.argmax(1)[rows.single]
    accuracy = float((found == wanted).mean())
    return (accuracy + float(f1_score(wanted, found, average="macro"))) / 2


if __name__ == "__main__":
    raise SystemExit(main())
