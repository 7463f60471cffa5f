"""BERT-like encoders on CTranslate2, in the place of transformers' own, for CPUs.

Only the layers are replaced: pooling and classification heads stay those of the loaded
transformers model, so that a head is written once and checked once.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import ctranslate2
import numpy as np
import torch
from ctranslate2.converters import TransformersConverter
from transformers.modeling_outputs import BaseModelOutputWithPooling

from atoll_inference.engines.base import LoadFailed
from atoll_inference.engines.runtime import Runtime

ComputeType = Literal["float32", "int8_float32"]

_FAMILIES = frozenset({"bert", "camembert", "distilbert", "roberta", "xlm-roberta"})
_ACTIVATIONS = frozenset({"gelu", "gelu_new", "gelu_pytorch_tanh", "relu", "silu"})


def is_convertible(config: Any) -> bool:
    """Whether CTranslate2 has the layers that this transformers configuration describes."""
    activation = getattr(config, "hidden_act", None) or getattr(config, "activation", None)
    return (
        config.model_type in _FAMILIES
        and activation in _ACTIVATIONS
        and getattr(config, "position_embedding_type", "absolute") == "absolute"
        and not getattr(config, "is_decoder", False)
        and not getattr(config, "sinusoidal_pos_embds", False)
    )


def replace_layers(
    model: Any, folder: Path, tokenizer: Any, runtime: Runtime, compute_type: ComputeType
) -> Any:
    """The model with its encoder run by CTranslate2; the weights it replaces are dropped.

    Args:
        model: a loaded transformers encoder, bare or with a head, in float32 on the CPU.
        tokenizer: the checkpoint's transformers tokenizer.
        compute_type: `int8_float32` quantises weights by row and activations by token.

    Raises:
        LoadFailed: the cache folder cannot be written, or the conversion fails.
    """
    base = model.base_model
    encoder = _CTranslate2Encoder(
        _convert(base, folder, tokenizer, runtime, compute_type), getattr(base, "pooler", None)
    )
    if base is model:
        encoder.config = base.config
        return encoder.eval()
    setattr(model, model.base_model_prefix, encoder)
    return model.eval()


class _CTranslate2Encoder(torch.nn.Module):
    """Has the call and the output of a transformers encoder."""

    config: Any = None

    def __init__(self, encoder: ctranslate2.Encoder, pooler: Callable[[Any], Any] | None) -> None:
        super().__init__()
        self._encoder = encoder
        self.pooler = pooler

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        token_type_ids: torch.Tensor | None = None,
        **_: Any,
    ) -> BaseModelOutputWithPooling:
        """Hidden states (batch, length, width); those of padding mean nothing."""
        ids = input_ids.to(torch.int32).numpy()
        lengths = attention_mask.sum(1).to(torch.int32).numpy()
        output = self._encoder.forward_batch(
            ctranslate2.StorageView.from_array(ids),
            lengths=ctranslate2.StorageView.from_array(lengths),
            token_type_ids=None if token_type_ids is None else token_type_ids.tolist(),
        )
        hidden = torch.from_numpy(np.array(output.last_hidden_state))
        return BaseModelOutputWithPooling(
            last_hidden_state=hidden,
            pooler_output=None if self.pooler is None else self.pooler(hidden),
        )


class _Loaded(TransformersConverter):
    """Converts a model that is in memory already, and has been checked."""

    def __init__(self, folder: Path, model: Any, tokenizer: Any) -> None:
        super().__init__(str(folder))
        self._model = model
        self._tokenizer = tokenizer

    def load_model(self, model_class: Any, model_name_or_path: str, **_: Any) -> Any:
        return self._model

    def load_tokenizer(self, tokenizer_class: Any, model_name_or_path: str, **_: Any) -> Any:
        return self._tokenizer


def _convert(
    base: Any, folder: Path, tokenizer: Any, runtime: Runtime, compute_type: ComputeType
) -> ctranslate2.Encoder:
    # Converted anew at each load (about a second for 100 million parameters) rather than kept:
    # no file on the disk can then differ from the checkpoint that was checked.
    try:
        runtime.cache_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="encoder-", dir=runtime.cache_dir) as scratch:
            _Loaded(folder, _for_converter(base), tokenizer).convert(
                scratch, quantization=compute_type, force=True
            )
            return ctranslate2.Encoder(
                scratch, device="cpu", compute_type=compute_type, intra_threads=runtime.threads
            )
    except (OSError, RuntimeError, ValueError, KeyError, AttributeError, AssertionError) as error:
        raise LoadFailed(
            f"{folder} cannot be converted for CTranslate2 in {runtime.cache_dir}: {error}. Check "
            "that there is room on the disk, or set DTYPE to fp32 to run it on PyTorch."
        ) from error


def _for_converter(base: Any) -> Any:
    """The encoder in the form in which CTranslate2's converter of its family wants it.

    Without its pooler, which stays with transformers: quantisation writes into the tensors it is
    given.
    """
    base.config.position_embedding_type = "absolute"  # transformers 5 no longer writes it
    family = base.config.model_type
    if family == "distilbert":
        return base
    width = base.config.hidden_size
    bare = SimpleNamespace(
        config=base.config,
        embeddings=base.embeddings,
        encoder=base.encoder,
        # The converter of BERT insists on one. Nothing reads what it gives.
        pooler=SimpleNamespace(dense=torch.nn.Linear(width, width)) if family == "bert" else None,
    )
    return SimpleNamespace(config=base.config, roberta=bare) if family == "xlm-roberta" else bare
