"""What a task has to say about itself to be fine-tuned."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from atoll_inference.engines.cpus import usable_cpus
from atoll_inference.engines.runtime import Runtime

Say = Callable[[str], None]
"""Takes a line for the user."""


_INDIFFERENT = frozenset({"device", "threads", "resume"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to train.

    Attributes:
        epochs: most times that the training set is gone through.
        batch: examples in a step.
        seed: of the split, the order, the augmentation, dropout and the new head.
        learning_rate: of the base; the new head learns at 0.001 or at this, whichever is higher.
        patience: epochs without an improvement on the validation set before it ends: a lower
            equal error rate, or the same with a loss that is lower by 1 % or more.
        freeze: train the head alone, which is quicker and needs fewer examples.
        device: `auto`, `cpu` or `cuda:N`.
        threads: processor threads; None is as many as this process may use.
        resume: go on where an earlier call with the same options was interrupted.
    """

    epochs: int = 20
    batch: int = 8
    seed: int = 0
    learning_rate: float = 5e-5
    patience: int = 4
    freeze: bool = False
    device: str = "auto"
    threads: int | None = None
    resume: bool = False

    @property
    def runtime(self) -> Runtime:
        """Where to train and judge."""
        return Runtime(device=self.device, threads=self.threads or usable_cpus())

    @property
    def decisive(self) -> dict[str, Any]:
        """Those that change the result."""
        return {k: v for k, v in asdict(self).items() if k not in _INDIFFERENT}


class Recipe(ABC):
    """One task; its module also has `make_recipe(models_dir: Path) -> Recipe`.

    An input is what the model takes for one window or one picture, without the batch axis; all
    inputs of a recipe have the same shape.
    """

    task: str
    """The slot of the result, such as `audio_deepfake`."""

    feature_names: tuple[str, ...]
    """What `features` measures."""

    head: tuple[str, ...]
    """Beginnings of the names of the parameters that are new."""

    fixed: tuple[str, ...] = ()
    """Beginnings of the names of the parameters that are never trained."""

    @abstractmethod
    def takes(self, config: dict[str, Any]) -> bool:
        """Whether a checkpoint with this config.json can be started from."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """What of the recipe itself changes the result, as JSON."""

    @abstractmethod
    def load(self, base: Path) -> Any:
        """The base with a new head for two classes, its `config` naming them real and fake.

        The head is made with torch's global generator.

        Raises:
            FinetuneFailed: `base` is no checkpoint that this task can start from.
        """

    @abstractmethod
    def features(self, path: Path) -> tuple[float, ...]:
        """A few simple measures of a file, finite, for the baseline.

        Raises:
            MediaError: the file cannot be used; the message becomes the reason in the report.
        """

    @abstractmethod
    def training_input(self, path: Path, rng: np.random.Generator) -> NDArray[np.float32]:
        """One input of a file, varied a little by `rng`; always of the same shape."""

    @abstractmethod
    def judged_inputs(self, path: Path) -> list[NDArray[np.float32]]:
        """All inputs of a file as the engine makes them, one or more."""

    @abstractmethod
    def tensors(self, inputs: Sequence[NDArray[np.float32]]) -> dict[str, torch.Tensor]:
        """Arguments of the model for a batch."""

    @abstractmethod
    def overall(self, scores: Sequence[float]) -> float:
        """The score of a file from those of its inputs, as the engine does it."""

    @abstractmethod
    def save_processing(self, base: Path, target: Path) -> None:
        """Write what the engine needs beside weights and config.json, such as
        preprocessor_config.json."""

    @abstractmethod
    def judge(self, checkpoint: Path, runtime: Runtime) -> Callable[[Path], float]:
        """Load the finished checkpoint with the engine that serves it.

        Returns:
            The engine's score in [0, 1] that a file is fake.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One fine-tune.

    Attributes:
        data: folder with `real/` and `fake/`; paths of samples start from it.
        base: the checkpoint to start from.
        output: the folder to write.
    """

    recipe: Recipe
    data: Path
    base: Path
    output: Path
    options: Options
    say: Say
