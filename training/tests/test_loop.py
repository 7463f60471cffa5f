"""The training loop: bounded, saved, resumed with the same numbers."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from training import TrainingFailed, loop, ship
from training.loop import Record, Task
from training.options import Options, parse


def options(folder: Path, *arguments: str) -> Options:
    return parse("x", "tiny", ["--work", str(folder), *arguments])


def task(steps: int = 40, stop_at: int | None = None) -> Task:
    """A small regression with dropout, and data drawn anew in every step."""
    model = nn.Sequential(nn.Linear(4, 16), nn.Dropout(0.5), nn.Linear(16, 1))

    def loss(step: int, random: np.random.Generator) -> torch.Tensor:
        if step == stop_at:
            raise KeyboardInterrupt
        x = torch.tensor(random.normal(size=(8, 4)), dtype=torch.float32)
        return ((model(x) - x.sum(1, keepdim=True)) ** 2).mean()

    def judge() -> float:
        x = torch.eye(4)
        return -float(((model(x) - 1) ** 2).mean())

    return Task(
        model=model,
        optimizer=torch.optim.AdamW(loop.trained(model), lr=0.05),
        steps=steps,
        loss=loss,
        judge=judge,
        judge_every=10,
    )


def weights(made: Task) -> list[float]:
    return [float(value) for p in made.model.parameters() for value in p.detach().flatten()]


def test_a_training_that_was_stopped_ends_like_one_that_was_not(tmp_path: Path) -> None:
    loop.begin(options(tmp_path / "whole"))
    whole = task()
    record = loop.train(whole, options(tmp_path / "whole"))

    # With no time at all it saves after one step; that one is then interrupted on the way.
    loop.begin(options(tmp_path / "parts"))
    with pytest.raises(TrainingFailed, match="at step 1 of 40"):
        loop.train(task(), options(tmp_path / "parts", "--minutes", "0"))
    again = options(tmp_path / "parts", "--resume")
    loop.begin(again)
    with pytest.raises(KeyboardInterrupt):
        loop.train(task(stop_at=25), again)
    loop.begin(again)
    resumed = task()
    second = loop.train(resumed, again)

    assert weights(resumed) == weights(whole)
    assert second.history == record.history
    assert [step for step, _ in record.history] == [10, 20, 30, 40]
    assert second.steps == 40


def test_the_best_state_is_kept_and_not_the_last(tmp_path: Path) -> None:
    chosen = options(tmp_path)
    loop.begin(chosen)
    made = task(steps=30)
    figures = iter([0.1, 0.9, 0.3])
    kept: list[list[float]] = []

    def judge() -> float:
        kept.append(weights(made))
        return next(figures)

    judged = Task(
        model=made.model, optimizer=made.optimizer, steps=30, loss=made.loss, judge=judge,
        judge_every=10,
    )  # fmt: skip
    loop.train(judged, chosen)
    assert weights(made) == kept[1]


def test_a_state_is_not_overwritten_by_accident(tmp_path: Path) -> None:
    chosen = options(tmp_path)
    loop.begin(chosen)
    loop.train(task(steps=2), chosen)
    with pytest.raises(TrainingFailed, match="--resume"):
        loop.begin(chosen)


def test_an_epoch_takes_every_item_once_in_an_order_of_its_own() -> None:
    batch = loop.batches(12, 4, seed=1)
    first = [int(i) for step in range(3) for i in batch(step)]
    second = [int(i) for step in range(3, 6) for i in batch(step)]
    assert sorted(first) == sorted(second) == list(range(12))
    assert first != second


def test_what_is_shipped_is_half_precision_with_its_record_and_hashes(tmp_path: Path) -> None:
    record = Record(command="python -m training.x", seed=3, steps=7, history=[(7, 0.5)])
    (tmp_path / "config.json").write_text("{}")
    ship.write_weights(tmp_path, {"a": torch.ones(2)}, record)
    assert ship.read_record(tmp_path) == record
    assert ship.weights_size(tmp_path) < 200
    lines = (tmp_path / "checksums.sha256").read_text().splitlines()
    assert [line.split()[1] for line in lines] == [
        "config.json",
        "model.safetensors",
        "training.json",
    ]
