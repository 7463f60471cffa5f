"""Sequence-to-sequence models on transformers: the reference, and what runs on GPUs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

from atoll_inference.engines.base import Progress
from atoll_inference.engines.generation import Generation
from atoll_inference.engines.runtime import Runtime
from atoll_inference.engines.tokens import TokenIds
from atoll_inference.engines.torch_runtime import (
    memory_errors,
    prepare,
    release,
    torch_device,
    torch_dtype,
)
from atoll_inference.engines.weights import load_pretrained


class TransformersGenerator:
    """`generate` of transformers, by beam search or greedy, never by sampling."""

    def __init__(self, folder: Path, runtime: Runtime, *, first_token: int | None) -> None:
        self._folder = folder
        self._runtime = runtime
        self._first_token = first_token
        self._device = torch_device(runtime)
        self._model: Any = None

    def load(self, progress: Progress) -> None:
        """Read the weights; every tensor is checked."""
        prepare(self._runtime)
        progress(0.2, "reading weights")
        model = load_pretrained(
            transformers.AutoModelForSeq2SeqLM, self._folder, torch_dtype(self._runtime)
        )
        with memory_errors():
            self._model = model.to(self._device)

    def unload(self) -> None:
        """Free the weights."""
        self._model = None
        release(self._device)

    def generate(self, inputs: Sequence[TokenIds], settings: Generation) -> list[list[int]]:
        """The generated ids, with special tokens."""
        longest = max(len(text.ids) for text in inputs)
        pad = self._model.config.pad_token_id or 0
        ids = torch.full((len(inputs), longest), pad)
        mask = torch.zeros_like(ids)
        for row, text in enumerate(inputs):
            ids[row, : len(text.ids)] = torch.tensor(text.ids)
            mask[row, : len(text.ids)] = 1
        with torch.inference_mode(), memory_errors():
            output = self._model.generate(
                input_ids=ids.to(self._device),
                attention_mask=mask.to(self._device),
                generation_config=self._configuration(settings),
            )
            return [list(row) for row in output.tolist()]

    def _configuration(self, settings: Generation) -> Any:
        own = self._model.generation_config
        first = 0 if self._first_token is None else 1
        return transformers.GenerationConfig(
            max_new_tokens=first + settings.max_tokens + 1,
            min_new_tokens=first + settings.min_tokens,
            num_beams=settings.beams,
            length_penalty=settings.length_penalty,
            early_stopping=settings.early_stopping,
            no_repeat_ngram_size=settings.no_repeat_ngram,
            repetition_penalty=settings.repetition_penalty,
            do_sample=False,
            forced_bos_token_id=self._first_token,
            forced_eos_token_id=own.eos_token_id,  # the last token is the end, not one more word
            decoder_start_token_id=own.decoder_start_token_id,
            bos_token_id=own.bos_token_id,
            eos_token_id=own.eos_token_id,
            pad_token_id=own.pad_token_id,
        )
