"""Routes of usage."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from atoll_chat.accounts.dependencies import CurrentUser
from atoll_chat.backend import Backend, backend
from atoll_chat.usage.schemas import UsagePage, UsageReports

router = APIRouter(tags=["usage"])

Held = Annotated[Backend, Depends(backend)]


@router.get("/api/usage")
async def list_usage(
    user: CurrentUser,
    held: Held,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 100,
) -> UsagePage:
    """Your requests and tokens by day and model, the newest day first."""
    return await held.usage.page(user.user_id, cursor, limit)


@router.post("/internal/usage", status_code=204, include_in_schema=False)
async def report_usage(body: UsageReports, held: Held) -> None:
    """Reports of inference. The middleware admits only holders of the internal token."""
    await held.usage.record(body.items)
