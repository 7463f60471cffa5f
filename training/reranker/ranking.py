"""Figures of an order in which one document is right."""

import numpy as np
from numpy.typing import NDArray


def ranks(order: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
    """The place of the right document, from 1; infinite where it is missing.

    Args:
        order: numbers of documents, best first, shape (queries, candidates).
        right: the number of the right one, shape (queries,).
    """
    found = order == right[:, None]
    return np.where(found.any(1), found.argmax(1) + 1.0, np.inf)


def mrr(places: NDArray[np.float64], depth: int = 10) -> float:
    """Mean of 1 / place, 0 beyond `depth`."""
    return float(np.where(places <= depth, 1 / places, 0).mean())


def ndcg(places: NDArray[np.float64], depth: int = 10) -> float:
    """Mean discounted gain, 1 when the right document is always first."""
    return float(np.where(places <= depth, 1 / np.log2(1 + places), 0).mean())
