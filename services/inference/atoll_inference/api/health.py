"""Health routes as KServe v2 names them."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from atoll_inference.api.state import Service
from atoll_kit.errors import Unavailable

router = APIRouter(tags=["health"])


class Live(BaseModel):
    """The process answers."""

    live: bool = True


class Ready(BaseModel):
    """Whether work can be done now."""

    ready: bool


class ModelReady(Ready):
    """Whether one model can do its work now."""

    name: str


@router.get("/v2/health/live")
async def health_live() -> Live:
    """The process answers."""
    return Live()


@router.get("/v2/health/ready", response_model=Ready)
async def health_ready(service: Service) -> Ready:
    """200 when the preloaded models are loaded, have answered, and make progress; else 503."""
    state = service.preload.state()
    if not state.ready:
        raise Unavailable(state.message, code=state.code, retry_after=5)
    return Ready(ready=True)


@router.get("/v2/models/{model}/ready", response_model=ModelReady)
async def model_ready(model: str, service: Service) -> JSONResponse:
    """200 when this model is loaded and makes progress, 503 when not, 404 when unknown."""
    found = await service.registry.find(model)
    ready = found.lane is not None and found.lane.progressing
    answer = ModelReady(name=found.id, ready=ready)
    return JSONResponse(answer.model_dump(), 200 if ready else 503)
