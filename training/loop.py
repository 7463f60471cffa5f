"""The training loop of every recipe: bounded in time, saved every five minutes, resumed exactly.

Whatever is random in a step is drawn from generators seeded with the seed and the step alone, so a
training that goes on from its saved state does the same steps with the same numbers as one that was
never stopped.
"""

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from training import TrainingFailed
from training.options import Options

SAVE_SECONDS = 300.0
_STATE = "state.pt"
_TELL_SECONDS = 30.0

Loss = Callable[[int, np.random.Generator], Tensor]
"""The loss of one step, a scalar; what is random in it comes from the generator or torch's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is trained, and how.

    Attributes:
        model: its parameters that need gradients are trained.
        optimizer: the `lr` that each group has now is the highest it gets.
        steps: how many make the whole training, which ends with a rate of zero.
        judge: a figure on validation data, higher is better; the best state is kept.
        warm_up: share of the steps in which the rate rises.
        clip: longest gradient.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    steps: int
    loss: Loss
    judge: Callable[[], float] | None = None
    judge_every: int = 500
    warm_up: float = 0.06
    clip: float = 1.0


@dataclass(slots=True)
class Record:
    """How a training went; travels with the weights.

    Attributes:
        minutes: on the clock, of all its processes together.
        processor_minutes: of all threads.
        history: pairs of step and figure on validation data.
    """

    command: str
    seed: int
    device: str = "cpu"
    threads: int = 2
    torch: str = str(torch.__version__)
    steps: int = 0
    minutes: float = 0.0
    processor_minutes: float = 0.0
    history: list[tuple[int, float]] = field(default_factory=list)


def device() -> torch.device:
    """A GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def begin(options: Options) -> None:
    """Fix threads and seeds; call it before a model is made.

    Raises:
        TrainingFailed: there is a state already, and --resume was not given.
    """
    torch.set_num_threads(options.threads)
    _seed(options.seed, 0)
    options.work.mkdir(parents=True, exist_ok=True)
    if not options.resume and (options.work / _STATE).exists():
        raise TrainingFailed(
            f"{options.work} holds the state of a training. Go on with --resume, or delete it."
        )


def train(task: Task, options: Options) -> Record:
    """Train to the end; the model then has the parameters that were judged best, or the last.

    Raises:
        TrainingFailed: the time is over (the state is kept), or the loss is no number.
    """
    return _Loop(task, options).run()


class _Loop:
    def __init__(self, task: Task, options: Options) -> None:
        self._task = task
        self._options = options
        self._path = options.work / _STATE
        self._trained = {n: p for n, p in task.model.named_parameters() if p.requires_grad}
        self._peaks = [group["lr"] for group in task.optimizer.param_groups]
        self._best: dict[str, Tensor] | None = None
        where = str(next(iter(self._trained.values())).device)
        self._record = Record(
            command=options.command, seed=options.seed, device=where, threads=options.threads
        )
        self._clock = time.monotonic()
        self._processor = time.process_time()

    def run(self) -> Record:
        if self._options.resume:
            self._restore()
        task, record = self._task, self._record
        started = saved = told = time.monotonic()
        losses: list[float] = []
        while record.steps < task.steps:
            losses.append(self._step())
            if task.judge is not None and (
                record.steps % task.judge_every == 0 or record.steps == task.steps
            ):
                self._judge(task.judge)
            now = time.monotonic()
            if now - told > _TELL_SECONDS:
                mean = sum(losses) / len(losses)
                print(f"step {record.steps} of {task.steps}: loss {mean:.4f}", flush=True)
                told, losses = now, []
            if now - saved > SAVE_SECONDS:
                self._save()
                saved = now
            if now - started > self._options.minutes * 60 and record.steps < task.steps:
                self._save()
                raise TrainingFailed(
                    f"{self._options.minutes:g} minutes are over at step {record.steps} of "
                    f"{task.steps}. The state is kept: go on with --resume."
                )
        self._save()
        if self._best is not None:
            self._load(self._best)
        task.model.eval()
        return record

    def _step(self) -> float:
        task, record = self._task, self._record
        _seed(self._options.seed, record.steps + 1)
        share = _share(record.steps, task.steps, task.warm_up)
        for group, peak in zip(task.optimizer.param_groups, self._peaks, strict=True):
            group["lr"] = peak * share
        task.model.train()
        loss = task.loss(record.steps, np.random.default_rng([self._options.seed, record.steps]))
        value = float(loss.detach())
        if not np.isfinite(value):
            raise TrainingFailed(f"The loss is {value} at step {record.steps}.")
        task.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._trained.values(), task.clip)
        task.optimizer.step()
        record.steps += 1
        return value

    def _judge(self, judge: Callable[[], float]) -> None:
        self._task.model.eval()
        with torch.inference_mode():
            figure = judge()
        record = self._record
        if not record.history or figure > max(value for _, value in record.history):
            self._best = {n: p.detach().cpu().clone() for n, p in self._trained.items()}
        record.history.append((record.steps, round(figure, 5)))
        print(f"step {record.steps}: {figure:.4f} on validation data", flush=True)

    def _save(self) -> None:
        record = self._record
        clock, processor = time.monotonic(), time.process_time()
        record.minutes += (clock - self._clock) / 60
        record.processor_minutes += (processor - self._processor) / 60
        self._clock, self._processor = clock, processor
        state = {
            "trained": {n: p.detach().cpu() for n, p in self._trained.items()},
            "optimizer": self._task.optimizer.state_dict(),
            "best": self._best,
            "record": asdict(record),
        }
        draft = self._path.with_suffix(".new")
        with draft.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)

    def _restore(self) -> None:
        if not self._path.is_file():
            return
        state: dict[str, Any] = torch.load(self._path, map_location="cpu", weights_only=True)
        self._load(state["trained"])
        self._task.optimizer.load_state_dict(state["optimizer"])
        self._best = state["best"]
        self._record = Record(**state["record"])
        self._record.history = [(step, value) for step, value in self._record.history]
        print(f"going on at step {self._record.steps} of {self._task.steps}", flush=True)

    @torch.no_grad()
    def _load(self, tensors: dict[str, Tensor]) -> None:
        for name, parameter in self._trained.items():
            parameter.copy_(tensors[name])


def batches(count: int, size: int, seed: int) -> Callable[[int], Any]:
    """The numbers of the items in the batch of a step: every epoch has an order of its own."""
    per_epoch = max(1, count // size)

    def batch(step: int) -> Any:
        epoch, place = divmod(step, per_epoch)
        order = np.random.default_rng([seed, 7919, epoch]).permutation(count)
        return order[place * size : (place + 1) * size]

    return batch


def trained(model: nn.Module) -> Iterable[nn.Parameter]:
    """The parameters that need gradients."""
    return (parameter for parameter in model.parameters() if parameter.requires_grad)


def _share(step: int, total: int, warm_up: float) -> float:
    """Of the highest rate: up in a straight line, then down to nothing at the end."""
    warm = max(1, round(total * warm_up))
    return min((step + 1) / warm, (total - step) / max(1, total - warm), 1.0)


def _seed(seed: int, step: int) -> None:
    """Fix the global generator, which dropout draws from."""
    torch.manual_seed(int(np.random.SeedSequence([seed, step]).generate_state(1)[0]))
