"""The bi-encoder's order of descriptions, which a reranker gets to improve."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from atoll_inference.engines.tasks.retrieval import EmbeddingInput
from training.engines import Engines

_CHUNK = 512


def embed(engines: Engines, texts: Sequence[str]) -> NDArray[np.float32]:
    """Vectors of unit length by the starter for text embeddings, shape (texts, dimensions)."""
    engine = engines.load("text_embedding")
    parts = []
    for start in range(0, len(texts), _CHUNK):
        chunk = EmbeddingInput(tuple(texts[start : start + _CHUNK]))
        parts.append(engine.run(chunk).vectors)
        if start and start % (_CHUNK * 8) == 0:
            print(f"embedded {start} of {len(texts)} texts", flush=True)
    return np.concatenate(parts)


def nearest(
    queries: NDArray[np.float32], documents: NDArray[np.float32], count: int
) -> NDArray[np.int64]:
    """Numbers of the nearest documents of every query, nearest first: shape (queries, count)."""
    rows = []
    for start in range(0, len(queries), _CHUNK):
        near = queries[start : start + _CHUNK] @ documents.T
        rows.append(np.argsort(-near, axis=1, kind="stable")[:, :count])
    return np.concatenate(rows)
