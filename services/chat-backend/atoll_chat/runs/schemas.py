"""Shapes of runs."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from atoll_chat.conversations.schemas import Message, RunError, Status


class Run(BaseModel):
    """One generation of the answer `message_id`."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    conversation_id: str
    message_id: str
    status: Status
    model: str | None
    error: RunError | None
    created_at: datetime
    finished_at: datetime | None


class Accepted(BaseModel):
    """The message that was stored, and the run that writes the answer."""

    message: Message
    run: Run
