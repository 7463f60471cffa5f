"""Shapes of usage."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from atoll_chat.paging import Page

Count = Annotated[int, Field(ge=0)]


class UsageReport(BaseModel):
    """One answered request, as inference reports it. `seconds` is from arrival to last byte."""

    request_id: str = Field(min_length=1, max_length=64)
    user: str = Field(max_length=32)
    key: str | None = Field(default=None, max_length=32)
    model: str = Field(max_length=200)
    kind: str = Field(max_length=32)
    prompt_tokens: Count = 0
    completion_tokens: Count = 0
    seconds: float = Field(default=0, ge=0)
    created_at: datetime


class UsageReports(BaseModel):
    """A batch of reports. Sending one again counts nothing twice."""

    items: Annotated[list[UsageReport], Field(max_length=1000)]


class DailyUsage(BaseModel):
    """What one model did for you on one day (UTC)."""

    day: str
    model: str
    requests: int
    prompt_tokens: int
    completion_tokens: int


class UsagePage(Page[DailyUsage]):
    """Days, the newest first."""
