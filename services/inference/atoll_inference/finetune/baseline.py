"""What can be reached without the model; a fine-tune that is no better has learnt nothing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from atoll_inference.finetune.metrics import Quality, quality
from atoll_inference.finetune.samples import Sample


@dataclass(frozen=True, slots=True)
class Baseline:
    """Figures on the test set.

    Attributes:
        majority_accuracy: of always answering with the class that training has more of.
        simple: of logistic regression on a few measures of each file.
        scores: of `simple`, one for each sample of the test set.
    """

    majority_accuracy: float
    simple: Quality
    scores: tuple[float, ...]


def baseline(training: Sequence[Sample], test: Sequence[Sample]) -> Baseline:
    """Train on the features of `training` and judge `test`; both have both classes."""
    majority = Counter(sample.label for sample in training).most_common(1)[0][0]
    judge = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced"))
    judge.fit(_features(training), [sample.label for sample in training])
    scores = judge.predict_proba(_features(test))[:, 1]
    labels = [sample.label for sample in test]
    return Baseline(
        majority_accuracy=float(np.mean([label == majority for label in labels])),
        simple=quality(labels, scores),
        scores=tuple(float(score) for score in scores),
    )


def _features(samples: Sequence[Sample]) -> list[tuple[float, ...]]:
    return [sample.features for sample in samples]
