"""The training loop, the same for every task.

Whatever is random in a step is drawn from generators seeded with the seed, the epoch and the step
alone. So a training that was killed and goes on from its last saved state does the same steps with
the same numbers as one that was not.
"""

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from atoll_inference.finetune import FinetuneFailed
from atoll_inference.finetune.metrics import equal_error_rate, log_loss
from atoll_inference.finetune.recipe import Job
from atoll_inference.finetune.samples import LABELS, Sample
from atoll_inference.finetune.split import Split
from atoll_inference.finetune.work import Work
from atoll_inference.media.errors import MediaError

HEAD_LEARNING_RATE = 1e-3
"""A head of random numbers has more to learn than the base."""

_WARM_UP = 0.1
_SAVE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Epoch:
    """One time through the training set: its loss, and the figures of the validation set."""

    epoch: int
    training_loss: float
    validation_loss: float
    validation_eer: float


class Trainer:
    """Trains a model on a split and keeps the parameters of its best epoch."""

    def __init__(self, job: Job, model: Any, split: Split, work: Work) -> None:
        self._recipe = recipe = job.recipe
        self._options = options = job.options
        self._data = job.data
        self._say = job.say
        self._model = model
        self._split = split
        self._work = work
        self._device = next(model.parameters()).device
        self._parameters: dict[str, Tensor] = {}
        head: list[Tensor] = []
        rest: list[Tensor] = []
        for name, parameter in model.named_parameters():
            is_head = name.startswith(recipe.head)
            trained = is_head or not (options.freeze or name.startswith(recipe.fixed or ("\0",)))
            parameter.requires_grad_(trained)
            if trained:
                self._parameters[name] = parameter
                (head if is_head else rest).append(parameter)
        rate = options.learning_rate
        self._optimizer = torch.optim.AdamW(
            [
                {"params": head, "peak": max(rate, HEAD_LEARNING_RATE)},
                {"params": rest, "peak": rate},
            ],
            lr=rate,
            weight_decay=0.01,
        )
        counts = [sum(s.label == label for s in split.training) for label in range(len(LABELS))]
        weights = torch.tensor([len(split.training) / (2 * count) for count in counts])
        self._loss = torch.nn.CrossEntropyLoss(weights.to(self._device))
        self._steps = -(-len(split.training) // options.batch)
        self.history: list[Epoch] = []
        self._step = 0
        self._losses: list[float] = []
        self._saved = time.monotonic()

    def train(self) -> None:
        """Train to the end; the model then has the parameters of its best epoch.

        Raises:
            FinetuneFailed: the loss is no number any more, a file went away, or the disk is full.
        """
        self._go_on()
        while not self._ended():
            self._epoch()
            self._judge()
        best = self._work.read_best()
        assert best is not None
        self._restore(best[0])
        self._model.eval()

    @property
    def best(self) -> Epoch:
        """The epoch that did best on the validation set; ties by its loss."""
        return min(self.history, key=lambda e: (e.validation_eer, e.validation_loss))

    def _ended(self) -> bool:
        if not self.history:
            return False
        best = self.history[0]
        for epoch in self.history:
            same = epoch.validation_eer == best.validation_eer
            if epoch.validation_eer < best.validation_eer or (
                same and epoch.validation_loss < 0.99 * best.validation_loss
            ):
                best = epoch
        return (
            len(self.history) >= self._options.epochs
            or len(self.history) - best.epoch >= self._options.patience
        )

    def _epoch(self) -> None:
        options, epoch = self._options, len(self.history)
        order = np.random.default_rng([options.seed, epoch]).permutation(len(self._split.training))
        for step in range(self._step, self._steps):
            chosen = order[step * options.batch : (step + 1) * options.batch]
            _seed(options.seed, epoch, step)
            self._learn([self._split.training[i] for i in chosen], [epoch, step])
            self._step = step + 1
            if time.monotonic() - self._saved > _SAVE_SECONDS:
                self._save()

    def _learn(self, samples: Sequence[Sample], place: list[int]) -> None:
        self._model.train()
        inputs = []
        for number, sample in enumerate(samples):
            rng = np.random.default_rng([self._options.seed, *place, number])
            with _reading(sample):
                inputs.append(self._recipe.training_input(self._data / sample.path, rng))
        labels = torch.tensor([sample.label for sample in samples], device=self._device)
        share = self._share((place[0] * self._steps) + place[1])
        for group in self._optimizer.param_groups:
            group["lr"] = group["peak"] * share
        loss = self._loss(self._model(**self._tensors(inputs)).logits.float(), labels)
        if not torch.isfinite(loss):
            raise FinetuneFailed(
                f"The loss is {loss.item()} in epoch {place[0] + 1}. Start again with a lower "
                "--learning-rate."
            )
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._parameters.values(), 1.0)
        self._optimizer.step()
        self._losses.append(float(loss.detach()))

    def _share(self, step: int) -> float:
        """Of the highest learning rate: up in a straight line, then down to nothing at the end."""
        total = self._steps * self._options.epochs
        warm = max(1, round(total * _WARM_UP))
        return min((step + 1) / warm, (total - step) / max(1, total - warm), 1.0)

    def _judge(self) -> None:
        samples = self._split.validation
        scores = [self._score(sample) for sample in samples]
        labels = [sample.label for sample in samples]
        loss = log_loss(labels, scores)
        rate, _ = equal_error_rate(labels, scores)
        epoch = Epoch(len(self.history) + 1, float(np.mean(self._losses)), loss, rate)
        self.history.append(epoch)
        if self.best is epoch:
            self._work.write_best(self._parameters, asdict(epoch))
        self._step, self._losses = 0, []
        self._save()
        self._say(
            f"epoch {epoch.epoch} of at most {self._options.epochs}: training loss "
            f"{epoch.training_loss:.3f}, validation loss {loss:.3f}, validation EER {rate:.1%}"
            + (" (best so far)" if self.best is epoch else "")
        )

    def _score(self, sample: Sample) -> float:
        self._model.eval()
        with _reading(sample):
            inputs = self._recipe.judged_inputs(self._data / sample.path)
        scores: list[float] = []
        with torch.inference_mode():
            for start in range(0, len(inputs), self._options.batch):
                tensors = self._tensors(inputs[start : start + self._options.batch])
                scores += self._model(**tensors).logits.float().softmax(-1)[:, 1].tolist()
        return self._recipe.overall(scores)

    def _tensors(self, inputs: Sequence[NDArray[np.float32]]) -> dict[str, Tensor]:
        return {k: v.to(self._device) for k, v in self._recipe.tensors(inputs).items()}

    def _save(self) -> None:
        tensors = {f"parameter.{name}": p for name, p in self._parameters.items()}
        for name, parameter in self._parameters.items():
            for what, value in self._optimizer.state[parameter].items():
                tensors[f"optimizer.{what}.{name}"] = value
        facts = {
            "history": [asdict(epoch) for epoch in self.history],
            "step": self._step,
            "losses": self._losses,
        }
        self._work.write_state(tensors, facts)
        self._saved = time.monotonic()

    def _go_on(self) -> None:
        state = self._work.read_state()
        if state is None:
            return
        tensors, facts = state
        self._restore({n: tensors[f"parameter.{n}"] for n in self._parameters})
        for name, parameter in self._parameters.items():
            moments = ("step", "exp_avg", "exp_avg_sq")
            kept = {what: tensors.get(f"optimizer.{what}.{name}") for what in moments}
            if all(value is not None for value in kept.values()):
                self._optimizer.state[parameter] = {
                    what: value if what == "step" else value.to(self._device)
                    for what, value in kept.items()
                    if value is not None
                }
        self.history = [Epoch(**epoch) for epoch in facts["history"]]
        self._step, self._losses = facts["step"], facts["losses"]
        self._say(f"going on after epoch {len(self.history)}, step {self._step} of {self._steps}")

    @torch.no_grad()
    def _restore(self, tensors: dict[str, Tensor]) -> None:
        for name, parameter in self._parameters.items():
            parameter.copy_(tensors[name])


def _seed(*numbers: int) -> None:
    """Fix the global generators, which dropout and transformers' own masking draw from."""
    seed = int(np.random.SeedSequence(numbers).generate_state(1)[0])
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


@contextmanager
def _reading(sample: Sample) -> Iterator[None]:
    try:
        yield
    except (MediaError, OSError) as error:
        raise FinetuneFailed(
            f"{sample.path} could be read before and cannot any more: {error} Put it back and go "
            "on with --resume."
        ) from error
