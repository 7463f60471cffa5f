"""OpenAI's routes, for programs that speak them."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from atoll_chat.accounts.dependencies import CurrentUser
from atoll_chat.backend import Backend, backend
from atoll_chat.compat.relay import Relay
from atoll_chat.compat.request import SCHEMA, parse
from atoll_kit.errors import NotFound

router = APIRouter(tags=["openai"])

Held = Annotated[Backend, Depends(backend)]


@router.post("/api/chat/completions", include_in_schema=False)
@router.post("/api/v1/chat/completions", include_in_schema=False)
@router.post("/v1/chat/completions", openapi_extra=SCHEMA, response_class=Response)
async def complete_chat(request: Request, user: CurrentUser, held: Held) -> Response:
    """A chat completion, whole or streamed, in OpenAI's shapes."""
    return Relay(held, user, parse(await request.body()))


@router.get("/v1/models")
async def list_openai_models(user: CurrentUser, held: Held) -> dict[str, Any]:
    """Every model that can be named, with `state`, `kind` and, for local ones, `bytes`."""
    return {"object": "list", "data": await held.models.entries()}


@router.get("/v1/models/{model_id:path}")
async def get_openai_model(model_id: str, user: CurrentUser, held: Held) -> dict[str, Any]:
    """One model."""
    for entry in await held.models.entries():
        if entry["id"] == model_id:
            return entry
    raise NotFound(
        f"There is no model named {model_id!r}. GET /v1/models lists those there are.",
        code="model_not_found",
        param="model",
    )
