"""Every query on users, sessions, keys and settings."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from atoll_chat.accounts.tables import ApiKeyRow, SessionRow, SettingRow, UserRow


class UserRepository:
    """Users, for those who may see all of them: log-in and administrators."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add(self, row: UserRow) -> None:
        """Store a new user."""
        self._session.add(row)

    async def get(self, user_id: str) -> UserRow | None:
        """The user with this id."""
        return await self._session.get(UserRow, user_id)

    async def by_key(self, username_key: str) -> UserRow | None:
        """The user with this case-folded name."""
        query = select(UserRow).where(UserRow.username_key == username_key)
        return await self._session.scalar(query)

    async def page(self, status: str | None, before: str | None, limit: int) -> Sequence[UserRow]:
        """The newest `limit` users older than the id `before`."""
        query = select(UserRow).order_by(UserRow.id.desc()).limit(limit)
        if status is not None:
            query = query.where(UserRow.status == status)
        if before is not None:
            query = query.where(UserRow.id < before)
        return (await self._session.scalars(query)).all()

    async def active_admins(self) -> int:
        """How many administrators can sign in."""
        query = select(func.count()).select_from(UserRow)
        query = query.where(UserRow.role == "admin", UserRow.status == "active")
        return await self._session.scalar(query) or 0


class SessionRepository:
    """The sessions of one user."""

    def __init__(self, session: AsyncSession, user_id: str) -> None:
        self._session = session
        self._user_id = user_id

    def add(self, row: SessionRow) -> None:
        """Store a new session."""
        self._session.add(row)

    async def all(self, seen_after: datetime, at: datetime) -> Sequence[SessionRow]:
        """The sessions that have not run out, the one last seen first."""
        query = (
            select(SessionRow)
            .where(SessionRow.user_id == self._user_id)
            .where(SessionRow.last_seen_at > seen_after, SessionRow.expires_at > at)
            .order_by(SessionRow.last_seen_at.desc(), SessionRow.id.desc())
        )
        return (await self._session.scalars(query)).all()

    async def get(self, session_id: str) -> SessionRow | None:
        """The session with this id."""
        query = select(SessionRow).where(
            SessionRow.id == session_id, SessionRow.user_id == self._user_id
        )
        return await self._session.scalar(query)

    async def delete(self, session_id: str) -> bool:
        """End one session. False when there is no such session."""
        gone = await self._session.execute(
            delete(SessionRow)
            .where(SessionRow.id == session_id, SessionRow.user_id == self._user_id)
            .returning(SessionRow.id)
        )
        return gone.first() is not None

    async def delete_all(self, keep: str | None = None) -> None:
        """End every session but `keep`."""
        statement = delete(SessionRow).where(SessionRow.user_id == self._user_id)
        if keep is not None:
            statement = statement.where(SessionRow.id != keep)
        await self._session.execute(statement)

    async def prune(self, seen_before: datetime, at: datetime) -> None:
        """Delete the sessions that have run out."""
        await self._session.execute(
            delete(SessionRow)
            .where(SessionRow.user_id == self._user_id)
            .where((SessionRow.last_seen_at <= seen_before) | (SessionRow.expires_at <= at))
        )


async def delete_session_by_digest(session: AsyncSession, token_digest: str) -> None:
    """End the session with this token, whose ever it is: the token itself is the permission."""
    await session.execute(delete(SessionRow).where(SessionRow.token_digest == token_digest))


class ApiKeyRepository:
    """The API keys of one user."""

    def __init__(self, session: AsyncSession, user_id: str) -> None:
        self._session = session
        self._user_id = user_id

    def add(self, row: ApiKeyRow) -> None:
        """Store a new key."""
        self._session.add(row)

    async def count(self) -> int:
        """How many keys the user has, expired ones included."""
        query = select(func.count()).select_from(ApiKeyRow)
        return await self._session.scalar(query.where(ApiKeyRow.user_id == self._user_id)) or 0

    async def all(self) -> Sequence[ApiKeyRow]:
        """Every key, the newest first."""
        query = select(ApiKeyRow).where(ApiKeyRow.user_id == self._user_id)
        return (await self._session.scalars(query.order_by(ApiKeyRow.id.desc()))).all()

    async def delete(self, key_id: str) -> bool:
        """Revoke one key. False when there is no such key."""
        gone = await self._session.execute(
            delete(ApiKeyRow)
            .where(ApiKeyRow.id == key_id, ApiKeyRow.user_id == self._user_id)
            .returning(ApiKeyRow.id)
        )
        return gone.first() is not None


async def read_setting(session: AsyncSession, name: str) -> str | None:
    """The value an administrator chose."""
    row = await session.get(SettingRow, name)
    return row.value if row else None


async def write_setting(session: AsyncSession, name: str, value: str) -> None:
    """Choose a value."""
    await session.merge(SettingRow(name=name, value=value))
