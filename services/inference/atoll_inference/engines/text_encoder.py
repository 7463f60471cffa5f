"""What engines of encoder models that read text have in common.

Texts are tokenised in `preprocess`; `forward` pads a batch to its longest text. On a CPU the layers
run on CTranslate2 where it knows the family (float32 by default, the same answers; int8 on
request), elsewhere on transformers, which also stays the reference: DTYPE fp32 chooses it.
"""

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from atoll_inference.engines.base import (
    BatchEngine,
    BatchLimits,
    EngineError,
    LoadFailed,
    Progress,
    Unit,
)
from atoll_inference.engines.ctranslate2_encoder import ComputeType, is_convertible, replace_layers
from atoll_inference.engines.runtime import Runtime
from atoll_inference.engines.tokens import TextTokenizer, TokenIds
from atoll_inference.engines.torch_runtime import (
    memory_errors,
    prepare,
    release,
    torch_device,
    torch_dtype,
)
from atoll_inference.engines.weights import stored_parameters

CPU_LIMITS = BatchLimits(count=32, size=1024)
GPU_LIMITS = BatchLimits(count=256, size=32768)
"""Size in tokens. Larger batches are slower on a CPU: they no longer fit its caches."""

ACTIVATION_BYTES = 32 * 1024 * 1024
"""Rough size of a batch inside the model, for the estimate."""


class TextEncoderEngine(BatchEngine):
    """Base of the engines; a family says what is loaded and what becomes of the outputs.

    Args:
        folder: the checkpoint.
        weights: the folder in it that has the transformers files; the same unless told.
        lower_case: whether texts are lower-cased first.

    Raises:
        LoadFailed: the folder has no readable safetensors, or the device is not there.
    """

    concurrency = 128
    """Texts take little memory, and many that wait make batches of nearly equal lengths."""

    def __init__(
        self,
        folder: Path,
        runtime: Runtime,
        *,
        weights: Path | None = None,
        lower_case: bool = False,
    ) -> None:
        self.folder = folder
        self.runtime = runtime
        self._weights = weights or folder
        self._lower_case = lower_case
        self._torch_device = torch_device(runtime)
        self.device = str(self._torch_device)
        self._parameters = stored_parameters(self._weights)
        self._model: Any = None
        self._tokenizer: TextTokenizer | None = None
        self.max_length = 0

    @property
    def limits(self) -> BatchLimits:
        """Bounds of one forward pass, in tokens."""
        return CPU_LIMITS if self._torch_device.type == "cpu" else GPU_LIMITS

    @property
    def tokenizer(self) -> TextTokenizer:
        """The tokenizer of the loaded checkpoint.

        Raises:
            EngineError: nothing is loaded.
        """
        if self._tokenizer is None:
            raise EngineError(f"{self.folder} is not loaded.")
        return self._tokenizer

    def bytes_estimate(self) -> int:
        """Weights in the format they run in, and the activations of a batch."""
        bytes_each = 1 if self.runtime.dtype == "int8" else torch_dtype(self.runtime).itemsize
        return self._parameters * bytes_each + ACTIVATION_BYTES

    def load(self, progress: Progress) -> None:
        """Read tokenizer and weights; see `Engine.load`."""
        prepare(self.runtime)
        progress(0.0, "reading the tokenizer")
        tokenizer = TextTokenizer(self._weights, lower_case=self._lower_case)
        progress(0.1, "reading weights")
        model = self._load_model(torch_dtype(self.runtime))
        self.max_length = _max_length(model, tokenizer)
        compute_type = self._compute_type(model.config)
        if compute_type is not None:
            progress(0.6, "converting weights")
            model = replace_layers(
                model, self._weights, tokenizer.transformers, self.runtime, compute_type
            )
        with memory_errors():
            self._model = model.to(self._torch_device)
        self._tokenizer = tokenizer
        release(self._torch_device)
        progress(0.9, "weights in memory")

    def warmup(self) -> None:
        """Answer one short input."""
        try:
            self.run(self._sample())
        except EngineError as error:
            raise LoadFailed(f"{self.folder} loads and does not answer: {error}") from error

    def unload(self) -> None:
        """Free weights and tokenizer."""
        self._model = self._tokenizer = None
        release(self._torch_device)

    def release(self) -> None:
        """Give cached memory back to the device."""
        release(self._torch_device)

    def forward(self, units: Sequence[Unit]) -> list[Any]:
        """One array for each unit; `data` of a unit is its `TokenIds`."""
        texts: list[TokenIds] = [unit.data for unit in units]
        longest = max(len(text.ids) for text in texts)
        ids = torch.full((len(texts), longest), self.tokenizer.pad_id)
        types, mask = torch.zeros_like(ids), torch.zeros_like(ids)
        for row, text in enumerate(texts):
            ids[row, : len(text.ids)] = torch.tensor(text.ids)
            types[row, : len(text.ids)] = torch.tensor(text.types)
            mask[row, : len(text.ids)] = 1
        batch = {"input_ids": ids, "attention_mask": mask}
        if self.tokenizer.reads_types:
            batch["token_type_ids"] = types
        with torch.inference_mode(), memory_errors():
            batch = {name: tensor.to(self._torch_device) for name, tensor in batch.items()}
            output = self._answer(self._model, batch)
            return list(output.to("cpu", torch.float32).numpy())

    @abstractmethod
    def _load_model(self, dtype: torch.dtype) -> Any:
        """The transformers model, every tensor checked."""

    @abstractmethod
    def _answer(self, model: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """One row for each text of a padded batch."""

    @abstractmethod
    def _sample(self) -> Any:
        """A short input."""

    def _compute_type(self, config: Any) -> ComputeType | None:
        """What CTranslate2 computes in; None when transformers runs the layers."""
        dtype = self.runtime.dtype
        if dtype not in {"auto", "int8"}:
            return None
        on_cpu, known = self._torch_device.type == "cpu", is_convertible(config)
        if dtype == "int8" and not (on_cpu and known):
            reason = f"{config.model_type} models" if on_cpu else "GPUs"
            raise LoadFailed(
                f"{self.folder} cannot run in int8: there is no int8 for {reason} here. Set DTYPE "
                "to auto."
            )
        if not (on_cpu and known):
            return None
        return "int8_float32" if dtype == "int8" else "float32"


def token_unit(tokens: TokenIds) -> Unit:
    """A unit of `forward`."""
    return Unit(tokens, len(tokens.ids))


def checked(output: NDArray[np.float32]) -> NDArray[np.float32]:
    """The output of a unit.

    Raises:
        EngineError: it has infinities, or values that are no numbers.
    """
    if not np.isfinite(output).all():
        raise EngineError(
            "The model's numbers ran over in this number format. Set DTYPE to bf16 or fp32."
        )
    return output


def _max_length(model: Any, tokenizer: TextTokenizer) -> int:
    """Most tokens of one input: as the tokenizer says, and as there are positions.

    Models of the RoBERTa family count positions from after their padding index.
    """
    limit = tokenizer.max_length
    embeddings = getattr(model.base_model, "embeddings", None)
    positions = getattr(embeddings, "position_embeddings", None)
    if isinstance(positions, torch.nn.Embedding):
        unused = 0 if positions.padding_idx is None else positions.padding_idx + 1
        return min(limit, positions.num_embeddings - unused)
    return min(limit, getattr(model.config, "max_position_embeddings", None) or limit)
