"""Sentence encoders: a transformer, pooling, and what else the checkpoint's modules.json names."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from atoll_inference.engines.base import InvalidInput, Progress, Steps
from atoll_inference.engines.runtime import Runtime
from atoll_inference.engines.sentence_modules import SentenceModules, load_tail, read_modules
from atoll_inference.engines.tasks.retrieval import EmbeddingInput, EmbeddingResult
from atoll_inference.engines.text_encoder import TextEncoderEngine, checked, token_unit
from atoll_inference.engines.weights import load_pretrained, read_config

_POOLED = frozenset({"bert", "camembert", "mpnet", "roberta", "xlm-roberta"})
"""Families whose pooling layer can be left out; sentence encoders do not read it."""


class SentenceEncoderEngine(TextEncoderEngine):
    """Texts to vectors.

    Takes checkpoints in sentence-transformers layout, and bare encoders: these are pooled by mean
    and normalised. Prompts that a checkpoint proposes are not put before the texts.
    """

    def __init__(self, folder: Path, runtime: Runtime) -> None:
        self._modules: SentenceModules | None = read_modules(folder)
        super().__init__(
            folder,
            runtime,
            weights=self._modules.transformer if self._modules else None,
            lower_case=self._modules is not None and self._modules.lower_case,
        )
        self.dimensions = 0
        self._tail: torch.nn.Module | None = None

    def load(self, progress: Progress) -> None:
        """Read tokenizer, weights and modules; see `Engine.load`."""
        super().load(progress)
        self._tail = load_tail(self._modules, self._model.config.hidden_size).to(self._torch_device)
        if self._modules and self._modules.max_length:
            self.max_length = min(self.max_length, self._modules.max_length)
        progress(0.95, "pooling")
        self.dimensions = len(self.forward([token_unit(self.tokenizer.single(()))])[0])

    def unload(self) -> None:
        """Free weights, modules and tokenizer."""
        self._tail = None
        super().unload()

    def steps(self, item: EmbeddingInput, progress: Progress) -> Steps:
        """Tokenise, wait for the vectors, cut them to the dimensions wanted.

        Raises:
            InvalidInput: no text, an empty one, or more dimensions than the model has.
        """
        if not item.texts:
            raise InvalidInput("There is no text to embed. Send at least one.", "input")
        wanted = item.dimensions
        if wanted is not None and not 1 <= wanted <= self.dimensions:
            raise InvalidInput(
                f"dimensions is {wanted}; this model gives 1 to {self.dimensions}.", "dimensions"
            )
        room = self.max_length - self.tokenizer.special_tokens
        units, truncated = [], []
        for number, text in enumerate(item.texts):
            ids = self.tokenizer.read(text, _name(number, item), "input")
            units.append(token_unit(self.tokenizer.single(ids[:room])))
            truncated.append(len(ids) > room)
        outputs = yield units
        vectors = np.stack([checked(output) for output in outputs])
        if wanted is not None:
            vectors = vectors[:, :wanted]
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
            vectors = vectors / np.maximum(lengths, np.finfo(np.float32).tiny)
        return EmbeddingResult(
            vectors=vectors,
            tokens=sum(unit.size for unit in units),
            truncated=tuple(truncated),
        )

    def _load_model(self, dtype: torch.dtype) -> Any:
        pooled = read_config(self._weights).model_type in _POOLED
        return load_pretrained(
            transformers.AutoModel,
            self._weights,
            dtype,
            ignored=("pooler.",),
            **({"add_pooling_layer": False} if pooled else {}),
        )

    def _answer(self, model: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        assert self._tail is not None
        features = {
            "token_embeddings": model(**batch).last_hidden_state.float(),
            "attention_mask": batch["attention_mask"],
        }
        vectors: torch.Tensor = self._tail(features)["sentence_embedding"]
        return vectors

    def _sample(self) -> EmbeddingInput:
        return EmbeddingInput(("A short text.",))


def _name(number: int, item: EmbeddingInput) -> str:
    return "text" if len(item.texts) == 1 else f"text {number} (counted from 0)"
