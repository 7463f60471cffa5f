"""Sequence classifiers, for emotion detection: a score for each of the checkpoint's labels."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from atoll_inference.engines.base import LoadFailed, Progress, Steps
from atoll_inference.engines.runtime import Runtime
from atoll_inference.engines.tasks.text import EmotionInput, EmotionResult
from atoll_inference.engines.text_encoder import TextEncoderEngine, checked, token_unit
from atoll_inference.engines.weights import load_pretrained

OVERLAP = 0.25
"""Least share of a window that the next one reads again."""

_UNNAMED = re.compile(r"LABEL_\d+")
_MULTI_LABEL = "multi_label_classification"


class TextClassifierEngine(TextEncoderEngine):
    """Labels of a text, from a checkpoint of any `ForSequenceClassification` class.

    A text longer than the model is read in windows that overlap; its scores are the mean of
    theirs. Scores sum to 1, unless the checkpoint's `problem_type` says that a text may have
    several labels: then each is a probability of its own.
    """

    def __init__(self, folder: Path, runtime: Runtime) -> None:
        super().__init__(folder, runtime)
        self.labels: tuple[str, ...] = ()
        self._several = False

    def steps(self, item: EmotionInput, progress: Progress) -> Steps:
        """One unit for each window.

        Raises:
            InvalidInput: an empty text.
        """
        ids = self.tokenizer.read(item.text, "text", "text")
        room = self.max_length - self.tokenizer.special_tokens
        parts = [ids[start : start + room] for start in window_starts(len(ids), room)]
        outputs = yield [token_unit(self.tokenizer.single(part)) for part in parts]
        scores = np.average(
            [checked(output) for output in outputs], axis=0, weights=[len(part) for part in parts]
        )
        best = int(scores.argmax())
        return EmotionResult(
            label=self.labels[best],
            scores={label: float(s) for label, s in zip(self.labels, scores, strict=True)},
            tokens=len(ids),
            windows=len(parts),
        )

    def _load_model(self, dtype: torch.dtype) -> Any:
        model = load_pretrained(transformers.AutoModelForSequenceClassification, self.folder, dtype)
        labels = [str(model.config.id2label[i]) for i in range(model.config.num_labels)]
        unnamed = [label for label in labels if _UNNAMED.fullmatch(label)]
        if unnamed:
            raise LoadFailed(
                f"{self.folder} does not name its labels ({', '.join(unnamed)}), as checkpoints "
                "do whose head was never trained. Use a checkpoint trained for this task, or write "
                "the names into id2label of its config.json."
            )
        if len(labels) < 2 or len(set(labels)) < len(labels):
            raise LoadFailed(
                f"{self.folder} has the labels {', '.join(labels)}. A classifier has two or more, "
                "each with a name of its own."
            )
        self.labels = tuple(labels)
        self._several = model.config.problem_type == _MULTI_LABEL
        return model

    def _answer(self, model: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        logits = model(**batch).logits.float()
        return torch.sigmoid(logits) if self._several else torch.softmax(logits, dim=-1)

    def _sample(self) -> EmotionInput:
        return EmotionInput("A short text.")


def window_starts(length: int, window: int) -> list[int]:
    """Where windows begin that cover `length` tokens evenly and overlap by `OVERLAP` at least.

    All are full when there are several, so that none is judged by a few words alone.
    """
    if length <= window:
        return [0]
    step = max(1, int(window * (1 - OVERLAP)))
    count = 1 + -(-(length - window) // step)
    return [round(index * (length - window) / (count - 1)) for index in range(count)]
