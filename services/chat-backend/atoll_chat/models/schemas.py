"""Shapes of models."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from atoll_chat.upstream_errors import Source

State = Literal["available", "loading", "ready", "failed"]


class Model(BaseModel):
    """A model that can answer in a conversation."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(description="The name to ask for.")
    kind: str = Field(description="`chat`, or `vision_language` when it also sees images.")
    state: State = Field(description="`available` models load when first asked.")
    source: Source = Field(description="`local` inference, or the configured `upstream`.")
    default: bool = Field(description="Whether it answers when no model is named.")
    context_length: int | None = Field(
        default=None, description="Longest prompt and answer together, in tokens, if known."
    )


class Memory(BaseModel):
    """Bytes that loading a model took, as measured."""

    host: int
    device: int


class SlotModel(BaseModel):
    """A checkpoint of this server."""

    id: str
    state: State
    default: bool = Field(description="Whether requests that name no model get this one.")
    bytes: int = Field(description="Size of the weight files.")
    memory: Memory | None = Field(description="What loading it took; none while it is not loaded.")
    problem: str | None = Field(description="Why it cannot be served, and the remedy.")
    format: str
    architecture: str | None
    dtype: str | None
    parameters: int | None
    context_length: int | None
    labels: list[str] | None
    dimensions: int | None
    licence: str | None
    starter: bool
    has_card: bool


class Way(BaseModel):
    """One way to fill an empty slot."""

    kind: Literal["starter", "train", "fetch", "copy"] = Field(
        description="Install the small model that comes along, train one, fetch one from the model "
        "hub, or copy one into the slot's folder."
    )
    command: str | None = Field(description="What an operator runs.")
    checkpoint: str | None = Field(description="What is fetched.")


class Slot(BaseModel):
    """One purpose, and the checkpoints that fill it, the default one first."""

    slot: str
    title: str
    served: bool = Field(description="Whether this release has an engine for it.")
    internal: bool = Field(description="Whether only other slots use it, and no request can.")
    remedy: str = Field(description="How an operator fills it, as sentences.")
    ways: list[Way] = Field(description="The same for a page in any language.")
    note: str | None = Field(
        default=None, description="Markdown about an empty slot: why no model comes along."
    )
    models: list[SlotModel]


class SlotList(BaseModel):
    """Every slot, filled or not, and the memory that all models share."""

    slots: list[Slot]
    bytes_loaded: int = Field(description="Estimated bytes of all loaded models.")
    memory_budget: int | None = Field(description="Bytes that models may take; none: no limit.")


class CardText(BaseModel):
    """What is told of a model by whoever made it."""

    model: str
    text: str = Field(description="Markdown.")
    truncated: bool


class ModelList(BaseModel):
    """Every model that can answer."""

    items: list[Model]
