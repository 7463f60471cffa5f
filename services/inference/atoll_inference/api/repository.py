"""Model control as Triton names it: index, load, unload. The gateway lets only admins in."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from atoll_inference.api.models import ModelCard, card
from atoll_inference.api.state import Service, State
from atoll_inference.serving.model import Model
from atoll_kit.errors import ApiError, error_payload

router = APIRouter(tags=["repository"])


class IndexEntry(BaseModel):
    """One model as Triton lists it."""

    name: str
    state: Literal["READY", "LOADING", "UNAVAILABLE"]
    reason: str


class LoadOptions(BaseModel):
    """Options of a load."""

    reload: bool = Field(default=False, description="Unload first when the model is loaded.")


class IndexOptions(BaseModel):
    """Options of a listing."""

    ready: bool = Field(default=False, description="List only models that are ready.")


@router.post("/v2/repository/index")
async def repository_index(service: Service, body: IndexOptions | None = None) -> list[IndexEntry]:
    """Look at the models folder and list what is there."""
    await service.registry.refresh()
    entries = [_entry(model) for model in service.registry.models]
    return [e for e in entries if e.state == "READY" or not (body and body.ready)]


def _entry(model: Model) -> IndexEntry:
    if model.state == "ready":
        return IndexEntry(name=model.id, state="READY", reason="")
    if model.state == "loading":
        return IndexEntry(name=model.id, state="LOADING", reason="")
    return IndexEntry(name=model.id, state="UNAVAILABLE", reason=model.problem or "not loaded")


@router.post("/v2/repository/models/{model}/load", response_model=ModelCard)
async def load_model(
    model: str, request: Request, service: Service, body: LoadOptions | None = None
) -> Response | ModelCard:
    """Load a model and answer when it is ready; with `Accept: text/event-stream`, tell progress."""
    found = await service.registry.find(model)
    reload = body is not None and body.reload
    if "text/event-stream" in request.headers.get("accept", ""):
        return StreamingResponse(
            _progress(service, found, reload),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )
    if reload:
        await service.registry.unload(found)
    await service.registry.load(found)
    return card(found, service.registry)


@router.post("/v2/repository/models/{model}/unload")
async def unload_model(model: str, service: Service) -> ModelCard:
    """Let running requests finish and free the model's memory. The next request loads it again."""
    found = await service.registry.find(model)
    await service.registry.unload(found)
    return card(found, service.registry)


async def _progress(service: State, model: Model, reload: bool) -> AsyncGenerator[bytes]:
    updates: asyncio.Queue[tuple[float, str]] = asyncio.Queue()

    async def work() -> None:
        if reload:
            updates.put_nowait((0.0, "unloading"))
            await service.registry.unload(model)
        await service.registry.load(model, lambda *update: updates.put_nowait(update))

    task = asyncio.create_task(work())
    while not task.done() or not updates.empty():
        getter = asyncio.ensure_future(updates.get())
        await asyncio.wait({getter, task}, timeout=15, return_when=asyncio.FIRST_COMPLETED)
        if getter.done():
            fraction, stage = getter.result()
            yield _event("progress", {"fraction": fraction, "stage": stage})
        else:
            getter.cancel()
            if not task.done():
                yield b": ping\n\n"
    try:
        await task
        yield _event("done", card(model, service.registry).model_dump())
    except ApiError as error:
        yield _event("error", error_payload(error))


def _event(name: str, data: object) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
