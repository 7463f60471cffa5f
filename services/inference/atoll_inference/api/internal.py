"""Routes for chat-backend alone."""

from fastapi import APIRouter
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field, model_validator
from starlette.background import BackgroundTask

from atoll_inference.api.state import Service, Who

router = APIRouter(prefix="/internal", tags=["internal"])


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


@router.get("/results/{identifier}", response_class=FileResponse)
async def fetch_result(identifier: str, service: Service, caller: Who) -> FileResponse:
    """The result of a job. It is deleted once it was sent to its end."""
    kept = service.results.find(identifier, caller.user)
    return FileResponse(
        kept.path,
        media_type=kept.media_type,
        background=BackgroundTask(service.results.forget, identifier),
    )
