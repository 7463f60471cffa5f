"""How well scores tell two classes apart."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class Quality:
    """Figures of a judge on files it has not learnt from.

    Attributes:
        accuracy: share judged right when a score of 0.5 or more means fake.
        eer: equal error rate: the share of wrong answers for either class at the threshold where
            the two shares are the same. 0 is perfect, 0.5 is chance.
        eer_threshold: the score at that point.
        confusion: counts; `confusion[i][j]` is of class i (0 real, 1 fake) judged as class j.
    """

    accuracy: float
    eer: float
    eer_threshold: float
    confusion: tuple[tuple[int, int], tuple[int, int]]


def quality(labels: ArrayLike, scores: ArrayLike) -> Quality:
    """Figures for `scores` in [0, 1] that an item is fake and `labels` 0 real, 1 fake.

    Raises:
        ValueError: a class is absent, or the lengths differ.
    """
    truth, score = _arrays(labels, scores)
    judged = score >= 0.5
    table = [[int(np.sum((truth == i) & (judged == bool(j)))) for j in (0, 1)] for i in (0, 1)]
    rate, threshold = equal_error_rate(truth, score)
    return Quality(
        accuracy=float(np.mean(judged == (truth == 1))),
        eer=rate,
        eer_threshold=threshold,
        confusion=((table[0][0], table[0][1]), (table[1][0], table[1][1])),
    )


def roc(
    labels: ArrayLike, scores: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The ways to set the threshold, from judging nothing fake to judging everything fake.

    Returns:
        The share of real items judged fake, that of fake items judged fake, and the threshold (an
        item is judged fake from this score on), each of shape (different scores + 1,).

    Raises:
        ValueError: a class is absent, or the lengths differ.
    """
    truth, score = _arrays(labels, scores)
    thresholds = np.concatenate([[np.inf], np.unique(score)[::-1]])
    real, fake = np.sort(score[truth == 0]), np.sort(score[truth == 1])
    false_alarms = 1 - np.searchsorted(real, thresholds, "left") / len(real)
    hits = 1 - np.searchsorted(fake, thresholds, "left") / len(fake)
    return false_alarms, hits, thresholds


def equal_error_rate(labels: ArrayLike, scores: ArrayLike) -> tuple[float, float]:
    """The equal error rate and its threshold, interpolated between the points of the ROC curve.

    Raises:
        ValueError: a class is absent, or the lengths differ.
    """
    false_alarms, hits, thresholds = roc(labels, scores)
    misses = 1 - hits
    after = int(np.argmax(false_alarms >= misses))
    before = max(0, after - 1)
    gap_before = misses[before] - false_alarms[before]
    gap_after = false_alarms[after] - misses[after]
    part = gap_before / (gap_before + gap_after) if gap_before + gap_after else 1.0
    rate = misses[before] + part * (misses[after] - misses[before])
    low, high = thresholds[after], thresholds[before]
    threshold = low if not np.isfinite(high) else high + part * (low - high)
    return float(rate), float(threshold)


def log_loss(labels: ArrayLike, scores: ArrayLike) -> float:
    """Mean of -log of the score that each item's own class got; scores of 0 and 1 are bounded."""
    truth, score = _arrays(labels, scores)
    own = np.clip(np.where(truth == 1, score, 1 - score), 1e-6, 1.0)
    return float(-np.log(own).mean())


def _arrays(labels: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    truth = np.asarray(labels, np.int64)
    score = np.asarray(scores, np.float64)
    if truth.shape != score.shape or set(truth.tolist()) != {0, 1}:
        raise ValueError("both classes are needed, and a score for each item")
    return truth, score
