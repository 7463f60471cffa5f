"""Sequence-to-sequence models on CTranslate2: several times as fast on a CPU."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import ctranslate2

from atoll_inference.engines.base import LoadFailed, Progress
from atoll_inference.engines.converted import ctranslate2_folder
from atoll_inference.engines.generation import Generation
from atoll_inference.engines.runtime import Runtime
from atoll_inference.engines.tokens import TextTokenizer, TokenIds
from atoll_inference.engines.torch_runtime import memory_errors, prepare

ComputeType = Literal["float32", "int8"]

FAMILIES = frozenset({"bart", "mbart", "mt5", "pegasus", "t5"})
"""Values of `model_type` that CTranslate2 converts and that summarise."""


class CTranslate2Generator:
    """Beam or greedy search of CTranslate2, on weights converted once and kept in the cache.

    Args:
        compute_type: `int8` quantises weights by row and activations by token.
        first_token: forced to be the first one, or None.
    """

    def __init__(
        self,
        folder: Path,
        runtime: Runtime,
        *,
        compute_type: ComputeType,
        first_token: int | None,
    ) -> None:
        self._folder = folder
        self._runtime = runtime
        self._compute_type = compute_type
        self._first_token = first_token
        self._translator: Any = None
        self._backend: Any = None

    def load(self, progress: Progress) -> None:
        """Convert the checkpoint unless that was done before, checking every tensor; load it."""
        prepare(self._runtime)
        progress(0.2, "converting weights")
        converted = ctranslate2_folder(
            self._folder, self._runtime, self._compute_type, adjust=_complete
        )
        self._backend = TextTokenizer(self._folder).transformers.backend_tokenizer
        progress(0.7, "reading weights")
        try:
            self._translator = ctranslate2.Translator(
                str(converted),
                device="cpu",
                compute_type=self._compute_type,
                intra_threads=self._runtime.threads,
            )
        except (RuntimeError, ValueError) as error:
            raise LoadFailed(
                f"CTranslate2 cannot load {converted}: {error}. Delete that folder; it is made "
                "again."
            ) from error

    def unload(self) -> None:
        """Free the weights."""
        self._translator = self._backend = None

    def generate(self, inputs: Sequence[TokenIds], settings: Generation) -> list[list[int]]:
        """The generated ids; the end token is not among them."""
        first = [] if self._first_token is None else [self._token(self._first_token)]
        with memory_errors():
            results = self._translator.translate_batch(
                [[self._token(token) for token in text.ids] for text in inputs],
                target_prefix=[first] * len(inputs) if first else None,
                beam_size=settings.beams,
                length_penalty=settings.length_penalty,
                repetition_penalty=settings.repetition_penalty,
                no_repeat_ngram_size=settings.no_repeat_ngram,
                min_decoding_length=len(first) + settings.min_tokens,
                max_decoding_length=len(first) + settings.max_tokens,
                max_input_length=0,
            )
        return [
            [self._backend.token_to_id(token) for token in result.hypotheses[0]]
            for result in results
        ]

    def _token(self, token: int) -> str:
        return str(self._backend.id_to_token(token))


def _complete(model: Any) -> None:
    # Older files said what their class does anyway; the converter still reads it.
    config = model.config
    config.normalize_before = config.model_type != "bart"
    config.normalize_embedding = config.model_type != "pegasus"
