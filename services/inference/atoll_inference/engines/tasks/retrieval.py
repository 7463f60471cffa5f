"""Text embeddings and reranking."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class EmbeddingInput:
    """Texts to embed; each becomes one unit.

    `dimensions` keeps the first so many numbers of each vector and normalises again.
    """

    texts: tuple[str, ...]
    dimensions: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddingResult:
    """`vectors` is float32 of shape (texts, dimensions).

    `tokens` counts what was read of all texts, special tokens too; `truncated[i]` says that the
    end of text i was not read.
    """

    vectors: "NDArray[np.float32]"
    tokens: int
    truncated: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class RerankInput:
    """A query and the documents to order by relevance to it."""

    query: str
    documents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RerankResult:
    """`scores[i]` in [0, 1] belongs to document i; `truncated[i]` says its end was not read.

    `tokens` counts what was read of all pairs, special tokens too.
    """

    scores: tuple[float, ...]
    tokens: int
    truncated: tuple[bool, ...]
