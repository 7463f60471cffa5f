"""The rules of conversations: titles, pages, and the tree of messages."""

from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from atoll_chat.conversations.repository import ConversationsRepository
from atoll_chat.conversations.schemas import (
    Conversation,
    ConversationPage,
    Message,
    MessagePage,
    RunError,
    Status,
    Usage,
)
from atoll_chat.conversations.tables import ConversationRow, MessageRow
from atoll_chat.conversations.titles import search_key, title_of
from atoll_chat.database import Database
from atoll_chat.identifiers import new_id, now
from atoll_chat.paging import decode_cursor, encode_cursor
from atoll_chat.settings import Settings
from atoll_kit.errors import BadRequest, NotFound, Unprocessable


class Newest(Enum):
    """Where a message goes when its place is not given."""

    LEAF = "leaf"


class ConversationsService:
    """Conversations and messages of all users; every call names whose."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database

    async def create(self, user_id: str, title: str | None, model: str | None) -> Conversation:
        """A new, empty conversation."""
        at = now()
        row = ConversationRow(
            id=new_id(), user_id=user_id, title="", title_key="", model=model, leaf_id=None,
            created_at=at, updated_at=at,
        )  # fmt: skip
        if title:
            _entitle(row, title)
        async with self._database.write() as session:
            session.add(row)
        return Conversation.model_validate(row)

    async def get(self, user_id: str, id: str) -> Conversation:
        """One conversation.

        Raises:
            NotFound: it is absent, or another user's.
        """
        async with self._database.read() as session:
            return Conversation.model_validate(
                await _existing(ConversationsRepository(session, user_id), id)
            )

    async def page(
        self, user_id: str, search: str | None, cursor: str | None, limit: int
    ) -> ConversationPage:
        """A page of conversations whose title holds `search`, newest activity first.

        Raises:
            BadRequest: `invalid_cursor`.
        """
        before = _position(cursor) if cursor else None
        async with self._database.read() as session:
            repository = ConversationsRepository(session, user_id)
            rows = list(await repository.page(search, before, limit + 1))
        items = [Conversation.model_validate(row) for row in rows[:limit]]
        more = len(rows) > limit
        last = items[-1] if more else None
        return ConversationPage(
            items=items,
            next_cursor=encode_cursor(last.updated_at.isoformat(), last.id) if last else None,
        )

    async def change(self, user_id: str, id: str, changes: dict[str, Any]) -> Conversation:
        """Set `title` and `model`, whichever `changes` holds.

        Raises:
            NotFound: it is absent, or another user's.
        """
        async with self._database.write() as session:
            row = await _existing(ConversationsRepository(session, user_id), id)
            if "title" in changes:
                _entitle(row, changes["title"])
            if "model" in changes:
                row.model = changes["model"]
        return Conversation.model_validate(row)

    async def delete(self, user_id: str, id: str) -> None:
        """Delete a conversation with its messages and runs.

        Raises:
            NotFound: it is absent, or another user's.
        """
        async with self._database.write() as session:
            if not await ConversationsRepository(session, user_id).delete(id):
                raise _absent()

    async def messages(self, user_id: str, id: str, cursor: str | None, limit: int) -> MessagePage:
        """A page of messages in the order of time; the first page holds the newest.

        Raises:
            NotFound: the conversation is absent, or another user's.
            BadRequest: `invalid_cursor`.
        """
        before = str(decode_cursor(cursor, 1)[0]) if cursor else None
        async with self._database.read() as session:
            repository = ConversationsRepository(session, user_id)
            await _existing(repository, id)
            rows = list(await repository.messages(id, before, limit + 1))
        items = [Message.model_validate(row) for row in reversed(rows[:limit])]
        more = len(rows) > limit
        return MessagePage(items=items, next_cursor=encode_cursor(items[0].id) if more else None)

    async def branch(self, user_id: str, id: str, message_id: str) -> list[Message]:
        """The messages from the root down to and including `message_id`."""
        async with self._database.read() as session:
            rows = await ConversationsRepository(session, user_id).branch(id, message_id)
        return [Message.model_validate(row) for row in rows]

    def check_content(self, content: str) -> None:
        """Refuse a question that is empty or too long.

        Raises:
            Unprocessable: `empty_message` or `message_too_long`.
        """
        if not content.strip():
            raise Unprocessable("The message is empty.", code="empty_message", param="content")
        if len(content) > self._settings.max_message_chars:
            raise Unprocessable(
                f"The message has {len(content)} characters; "
                f"{self._settings.max_message_chars} are allowed. Send it in parts.",
                code="message_too_long",
                param="content",
            )

    # The following take part in a transaction of `runs`: a question, its answer and its run are
    # stored together or not at all.

    async def locate(self, session: AsyncSession, user_id: str, id: str) -> Conversation:
        """As `get`, inside a transaction."""
        row = await _existing(ConversationsRepository(session, user_id), id)
        return Conversation.model_validate(row)

    async def ask(
        self,
        session: AsyncSession,
        user_id: str,
        id: str,
        *,
        message_id: str,
        content: str,
        parent_id: str | Newest | None,
    ) -> Message:
        """Append a question; the first one gives the conversation its title.

        Raises:
            NotFound: no such conversation, or no such parent in it.
            Unprocessable: `invalid_parent`, when the parent is a question itself.
        """
        repository = ConversationsRepository(session, user_id)
        conversation = await _existing(repository, id)
        if isinstance(parent_id, Newest):
            parent_id = conversation.leaf_id
        elif parent_id is not None:
            parent = await repository.message(id, parent_id)
            if parent is None:
                raise _no_message("parent_id")
            if parent.role == "user":
                raise Unprocessable(
                    "A question follows an answer, not another question. Give the id of an "
                    "answer as parent_id, or null for a new branch.",
                    code="invalid_parent",
                    param="parent_id",
                )
        row = MessageRow(
            id=message_id, conversation_id=id, parent_id=parent_id, role="user", content=content,
            status="complete", model=None, run_id=None, error=None, usage=None, created_at=now(),
        )  # fmt: skip
        session.add(row)
        if not conversation.title:
            _entitle(conversation, title_of(content))
        await session.flush()
        return Message.model_validate(row)

    async def answered(
        self, session: AsyncSession, user_id: str, id: str, message_id: str
    ) -> Message:
        """The answer `message_id`, of which another version is wanted.

        Raises:
            NotFound: no such conversation, or no such message in it.
            Unprocessable: `not_an_answer`.
        """
        repository = ConversationsRepository(session, user_id)
        await _existing(repository, id)
        row = await repository.message(id, message_id)
        if row is None:
            raise _no_message("message_id")
        if row.role != "assistant" or row.parent_id is None:
            raise Unprocessable(
                "Only an answer can be generated again. Give the id of an assistant message.",
                code="not_an_answer",
                param="message_id",
            )
        return Message.model_validate(row)

    async def begin_answer(
        self,
        session: AsyncSession,
        user_id: str,
        id: str,
        *,
        message_id: str,
        parent_id: str,
        run_id: str,
        model: str,
        keep_model: bool,
    ) -> Message:
        """Append an empty, queued answer and make it the newest leaf.

        With `keep_model` the conversation goes on with `model` from here.
        """
        conversation = await _existing(ConversationsRepository(session, user_id), id)
        at = now()
        row = MessageRow(
            id=message_id, conversation_id=id, parent_id=parent_id, role="assistant", content="",
            status="queued", model=model, run_id=run_id, error=None, usage=None, created_at=at,
        )  # fmt: skip
        session.add(row)
        conversation.leaf_id = message_id
        conversation.updated_at = at
        if keep_model:
            conversation.model = model
        await session.flush()
        return Message.model_validate(row)

    async def save_answer(
        self,
        session: AsyncSession,
        user_id: str,
        message_id: str,
        *,
        status: Status,
        content: str | None = None,
        error: RunError | None = None,
        usage: Usage | None = None,
    ) -> Message | None:
        """Store what there is of an answer; None when it was deleted meanwhile."""
        row = await ConversationsRepository(session, user_id).answer(message_id)
        if row is None:
            return None
        row.status = status
        if content is not None:
            row.content = content
        row.error = error.model_dump() if error else None
        row.usage = usage.model_dump() if usage else None
        await session.flush()
        return Message.model_validate(row)

    async def read_answer(
        self, session: AsyncSession, user_id: str, message_id: str
    ) -> Message | None:
        """An answer as it is stored."""
        row = await ConversationsRepository(session, user_id).answer(message_id)
        return Message.model_validate(row) if row else None


def _entitle(row: ConversationRow, title: str) -> None:
    row.title = title
    row.title_key = search_key(title)


async def _existing(repository: ConversationsRepository, id: str) -> ConversationRow:
    row = await repository.get(id)
    if row is None:
        raise _absent()
    return row


def _absent() -> NotFound:
    return NotFound("There is no such conversation.", code="conversation_not_found")


def _no_message(param: str) -> NotFound:
    return NotFound(
        "There is no such message in this conversation.", code="message_not_found", param=param
    )


def _position(cursor: str) -> tuple[datetime, str]:
    at, id = decode_cursor(cursor, 2)
    try:
        return datetime.fromisoformat(at), str(id)
    except (TypeError, ValueError):
        raise BadRequest(
            "The cursor is not valid. Start again without one.",
            code="invalid_cursor",
            param="cursor",
        ) from None
