"""A checkpoint found in the models folder, and the defaults it brings along."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Format = Literal["gguf", "safetensors", "ctranslate2", "onnx", "unknown"]


class Defaults(BaseModel):
    """Generation settings of a checkpoint, used only where a request is silent.

    Kept in `atoll.toml` beside the weights, under `[defaults]`; an operator may edit them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    system_prompt: str | None = Field(
        default=None, description="Put before a conversation that has no system message."
    )
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int | None = Field(default=None, ge=1)
    context_length: int | None = Field(
        default=None, ge=256, description="Tokens a request may use, unless CHAT_CONTEXT is set."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """One folder of the models directory.

    Attributes:
        id: the name clients use for it, the folder's name in lower case.
        slot: what it is for, such as `chat`; `unknown` when that cannot be told.
        path: the folder.
        weights: the file to load, for a GGUF checkpoint.
        bytes: size of all weight files together.
        architecture: as the files say, such as `llama`.
        dtype: number format of most weights: `fp32`, `fp16`, `bf16`, or as the files name it.
        context_length: most tokens a chat model was made for.
        cache_bytes_per_token: keys and values of one token at 16 bits.
        labels: of a classifier, in the order of its outputs.
        dimensions: length of an embedding, or width of the model.
        max_length: most tokens of one input of a text model.
        sample_rate: in frames per second, of a model that hears audio.
        licence: as recorded when it was fetched.
        is_starter: whether it came as a starter; others are preferred as a slot's default.
        problem: why it cannot be served, naming the file and the remedy; None when it can.
        fingerprint: changes whenever the files do.
    """

    id: str
    slot: str
    path: Path
    weights: Path | None = None
    format: Format = "unknown"
    bytes: int = 0
    architecture: str | None = None
    dtype: str | None = None
    parameters: int | None = None
    context_length: int | None = None
    cache_bytes_per_token: int = 0
    labels: tuple[str, ...] = ()
    dimensions: int | None = None
    max_length: int | None = None
    sample_rate: int | None = None
    licence: str | None = None
    defaults: Defaults = field(default_factory=Defaults)
    is_starter: bool = False
    problem: str | None = None
    fingerprint: tuple[Any, ...] = ()
