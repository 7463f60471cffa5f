"""Shapes of conversations and messages."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from atoll_chat.paging import Page

Status = Literal["queued", "streaming", "complete", "stopped", "failed"]
MAX_TITLE = 200


def _one_line(title: str) -> str:
    title = " ".join(title.split())
    if not title:
        raise ValueError("must hold more than white space")
    return title


Title = Annotated[str, Field(max_length=MAX_TITLE), AfterValidator(_one_line)]
ModelName = Annotated[str, Field(min_length=1, max_length=200)]


class Strict(BaseModel):
    """A request in which nothing is ignored: an unknown field is an error."""

    model_config = ConfigDict(extra="forbid")


class ConversationCreate(Strict):
    """A new conversation. Without a title, its first message gives it one."""

    title: Title | None = None
    model: ModelName | None = None


def _without_default(schema: JsonDict) -> None:
    # Absent means unchanged, which the value that stands in for it does not say.
    del schema["default"]


class ConversationPatch(Strict):
    """What to change. `model: null` goes back to the default model."""

    title: Title = Field(default="", json_schema_extra=_without_default)
    model: ModelName | None = None


class Conversation(BaseModel):
    """A dialogue. `model` is null while the default model answers."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    title: str
    model: str | None
    created_at: datetime
    updated_at: datetime


class ConversationPage(Page[Conversation]):
    """Conversations, the newest activity first."""


class RunError(BaseModel):
    """Why an answer is not whole, and what to do."""

    code: str
    message: str


class Usage(BaseModel):
    """Tokens read and written for one answer."""

    prompt_tokens: int
    completion_tokens: int


class Message(BaseModel):
    """One message. Messages with the same parent are branches."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    parent_id: str | None
    role: Literal["user", "assistant", "system"]
    content: str
    status: Status
    model: str | None
    run_id: str | None
    error: RunError | None
    usage: Usage | None
    created_at: datetime


class MessagePage(Page[Message]):
    """Messages in the order of time. The first page ends with the newest."""


class MessageCreate(Strict):
    """A question. Without `parent_id` it follows the newest message; null begins a new branch."""

    content: str
    parent_id: str | None = None
    attachments: list[str] | None = Field(
        default=None, max_length=0, description="Empty: no model here reads files yet."
    )
    model: ModelName | None = None


class Regenerate(Strict):
    """Another answer to the same question, perhaps by another model."""

    model: ModelName | None = None
