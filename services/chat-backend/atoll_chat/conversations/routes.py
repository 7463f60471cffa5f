"""Routes of conversations. What starts a run is in `runs/routes.py`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from atoll_chat.accounts.dependencies import CurrentUser
from atoll_chat.backend import Backend, backend
from atoll_chat.conversations.schemas import (
    Conversation,
    ConversationCreate,
    ConversationPage,
    ConversationPatch,
    MessagePage,
)
from atoll_kit.errors import Unprocessable

router = APIRouter(prefix="/api/conversations", tags=["conversations"])

Held = Annotated[Backend, Depends(backend)]
Limit = Annotated[int, Query(ge=1, le=100, description="Items on a page.")]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before.")]


@router.get("")
async def list_conversations(
    user: CurrentUser,
    held: Held,
    query: Annotated[
        str | None, Query(max_length=200, description="Only titles that hold this.")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> ConversationPage:
    """Your conversations, the newest activity first."""
    return await held.conversations.page(user.user_id, query, cursor, limit)


@router.post("", status_code=201)
async def create_conversation(
    body: ConversationCreate, user: CurrentUser, held: Held
) -> Conversation:
    """Begin a conversation."""
    model = (await held.models.resolve(body.model)).id if body.model else None
    return await held.conversations.create(user.user_id, body.title, model)


@router.get("/{conversation_id}")
async def get_conversation(conversation_id: str, user: CurrentUser, held: Held) -> Conversation:
    """One conversation."""
    return await held.conversations.get(user.user_id, conversation_id)


@router.patch("/{conversation_id}")
async def change_conversation(
    conversation_id: str, body: ConversationPatch, user: CurrentUser, held: Held
) -> Conversation:
    """Rename a conversation, or let another model go on with it."""
    changes = body.model_dump(exclude_unset=True)
    if not changes:
        raise Unprocessable("Nothing to change: give a title or a model.", code="nothing_to_change")
    # Ownership first: a stranger learns nothing, not even which models there are.
    await held.conversations.get(user.user_id, conversation_id)
    if body.model:
        changes["model"] = (await held.models.resolve(body.model)).id
    return await held.conversations.change(user.user_id, conversation_id, changes)


@router.delete("/{conversation_id}", status_code=204)
async def delete_conversation(conversation_id: str, user: CurrentUser, held: Held) -> None:
    """Delete a conversation with its messages. An answer being written is stopped."""
    await held.conversations.get(user.user_id, conversation_id)
    await held.runs.stop_conversation(user.user_id, conversation_id)
    await held.conversations.delete(user.user_id, conversation_id)


@router.get("/{conversation_id}/messages")
async def list_messages(
    conversation_id: str,
    user: CurrentUser,
    held: Held,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> MessagePage:
    """Messages in the order of time. The first page ends with the newest one."""
    return await held.conversations.messages(user.user_id, conversation_id, cursor, limit)
