"""The models of this service: `GET /v1/models`, in OpenAI's form with a few fields more."""

import time
from dataclasses import asdict
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from atoll_inference.api.state import Service
from atoll_inference.engines.base import StreamingEngine
from atoll_inference.serving.model import Model, State
from atoll_inference.serving.registry import Registry

router = APIRouter(tags=["models"])
_STARTED = int(time.time())


class ModelCard(BaseModel):
    """One checkpoint and its state."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "atoll"
    state: State
    kind: str = Field(description="What it is for, the same as its slot.")
    slot: str
    bytes: int = Field(description="Size of the weight files.")
    default: bool = Field(description="Whether requests that name no model get this one.")
    context_length: int | None = Field(description="Tokens that one request may use.")
    labels: list[str] | None = Field(description="What a classifier tells apart.")
    dimensions: int | None = Field(description="Numbers in a vector of an embedding model.")
    memory: dict[str, int] | None = Field(
        description="Bytes that loading took, as measured: `host`, and `device` for a GPU."
    )
    problem: str | None = Field(description="Why it cannot be served, and the remedy.")


class ModelList(BaseModel):
    """All models."""

    object: Literal["list"] = "list"
    data: list[ModelCard]


def card(model: Model, registry: Registry) -> ModelCard:
    """`model` as clients see it."""
    found = model.checkpoint
    return ModelCard(
        id=model.id,
        created=_STARTED,
        state=model.state,
        kind=found.slot,
        slot=found.slot,
        bytes=found.bytes,
        default=registry.default(found.slot) is model,
        context_length=(
            model.engine.context_length
            if isinstance(model.engine, StreamingEngine)
            else found.defaults.context_length or found.context_length
        ),
        labels=list(found.labels) if found.labels else None,
        dimensions=found.dimensions,
        memory=asdict(model.memory) if model.memory else None,
        problem=model.problem,
    )


@router.get("/v1/models")
async def list_models(service: Service) -> ModelList:
    """Every checkpoint in the models folder, broken and unknown ones included."""
    await service.registry.refresh()
    return ModelList(data=[card(m, service.registry) for m in service.registry.models])


@router.get("/v1/models/{model:path}")
async def get_model(model: str, service: Service) -> ModelCard:
    """One model, by id or alias."""
    return card(await service.registry.find(model), service.registry)
