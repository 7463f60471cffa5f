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


class ModelList(BaseModel):
    """Every model that can answer."""

    items: list[Model]
