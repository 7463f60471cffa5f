"""Routes for chat-backend alone."""

import asyncio
from collections.abc import AsyncGenerator

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, model_validator

from atoll_inference.api.state import Service, Who

router = APIRouter(prefix="/internal", tags=["internal"])

_CHUNK = 1024 * 1024


class CancelRequest(BaseModel):
    """Whose requests to end: of an account, of an API key, or of both."""

    user: str | None = Field(default=None, min_length=1)
    key: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _names_someone(self) -> "CancelRequest":
        if self.user is None and self.key is None:
            raise ValueError("name a user or a key")
        return self


class Cancelled(BaseModel):
    """How many requests were ended."""

    cancelled: int


@router.post("/cancel")
async def cancel_requests(body: CancelRequest, service: Service) -> Cancelled:
    """End every queued and running request of a suspended user or a revoked key."""
    return Cancelled(cancelled=service.client.cancel(user=body.user, key=body.key))


@router.get("/results/{identifier}", response_class=StreamingResponse)
async def fetch_result(identifier: str, service: Service, caller: Who) -> StreamingResponse:
    """The result of a job. It is deleted once its last byte was sent; until then, ask again."""
    kept = service.results.find(identifier, caller.user)

    async def chunks() -> AsyncGenerator[bytes]:
        with kept.path.open("rb") as file:
            while chunk := await asyncio.to_thread(file.read, _CHUNK):
                yield chunk
        service.results.forget(identifier)

    size = kept.path.stat().st_size
    return StreamingResponse(
        chunks(), media_type=kept.media_type, headers={"Content-Length": str(size)}
    )
