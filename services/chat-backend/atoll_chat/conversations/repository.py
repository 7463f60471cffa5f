"""Every query on conversations and messages. Each goes through the owner."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, delete, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from atoll_chat.conversations.tables import ConversationRow, MessageRow
from atoll_chat.conversations.titles import like_pattern


class ConversationsRepository:
    """The conversations of one user, in one database session."""

    def __init__(self, session: AsyncSession, user_id: str) -> None:
        self.session = session
        self.user_id = user_id

    async def get(self, id: str) -> ConversationRow | None:
        """The conversation, if it is this user's."""
        return await self.session.scalar(self._owned().where(ConversationRow.id == id))

    async def page(
        self, search: str | None, before: tuple[datetime, str] | None, limit: int
    ) -> Sequence[ConversationRow]:
        """Up to `limit` conversations, newest activity first, after the position `before`."""
        query = self._owned()
        if search:
            query = query.where(ConversationRow.title_key.like(like_pattern(search), escape="\\"))
        position = tuple_(ConversationRow.updated_at, ConversationRow.id)
        if before:
            query = query.where(position < before)
        query = query.order_by(ConversationRow.updated_at.desc(), ConversationRow.id.desc())
        return (await self.session.scalars(query.limit(limit))).all()

    async def delete(self, id: str) -> bool:
        """Delete the conversation with all that hangs on it; False when it is not there."""
        result = await self.session.execute(
            delete(ConversationRow)
            .where(ConversationRow.id == id, ConversationRow.user_id == self.user_id)
            .returning(ConversationRow.id)
        )
        return result.scalar() is not None

    async def message(self, conversation_id: str, id: str) -> MessageRow | None:
        """The message, if it belongs to that conversation of this user."""
        return await self.session.scalar(self._messages(conversation_id).where(MessageRow.id == id))

    async def answer(self, id: str) -> MessageRow | None:
        """The message with this id in whichever conversation of this user."""
        return await self.session.scalar(
            select(MessageRow)
            .join(ConversationRow, ConversationRow.id == MessageRow.conversation_id)
            .where(MessageRow.id == id, ConversationRow.user_id == self.user_id)
        )

    async def messages(
        self, conversation_id: str, before: str | None, limit: int
    ) -> Sequence[MessageRow]:
        """Up to `limit` messages older than the id `before`, the newest first."""
        query = self._messages(conversation_id)
        if before:
            query = query.where(MessageRow.id < before)
        return (await self.session.scalars(query.order_by(MessageRow.id.desc()).limit(limit))).all()

    async def branch(self, conversation_id: str, id: str) -> list[MessageRow]:
        """The messages from the root down to and including `id`."""
        start = self._messages(conversation_id).where(MessageRow.id == id).subquery()
        chain = select(start.c.id, start.c.parent_id).cte("chain", recursive=True)
        chain = chain.union_all(
            select(MessageRow.id, MessageRow.parent_id).where(MessageRow.id == chain.c.parent_id)
        )
        rows = await self.session.scalars(
            select(MessageRow).where(MessageRow.id.in_(select(chain.c.id)))
        )
        by_id = {row.id: row for row in rows}
        branch: list[MessageRow] = []
        at: str | None = id
        while at in by_id:
            branch.append(by_id[at])
            at = by_id[at].parent_id
        return branch[::-1]

    def _owned(self) -> Select[ConversationRow]:
        return select(ConversationRow).where(ConversationRow.user_id == self.user_id)

    def _messages(self, conversation_id: str) -> Select[MessageRow]:
        return (
            select(MessageRow)
            .join(ConversationRow, ConversationRow.id == MessageRow.conversation_id)
            .where(
                MessageRow.conversation_id == conversation_id,
                ConversationRow.user_id == self.user_id,
            )
        )
