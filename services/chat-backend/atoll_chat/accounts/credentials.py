"""The credential of a request, and the row it stands for."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers
from starlette.requests import cookie_parser

from atoll_chat.accounts.principal import Principal
from atoll_chat.accounts.tables import ApiKeyRow, SessionRow, UserRow
from atoll_chat.accounts.tokens import Digests, is_api_key, is_token
from atoll_chat.database import Database
from atoll_chat.identifiers import now
from atoll_kit.logs import get_logger

log = get_logger(__name__)

COOKIE = "atoll_session"
TOUCH_EVERY = timedelta(minutes=1)
_SUBPROTOCOL = "bearer."


@dataclass(frozen=True, slots=True)
class Given:
    """What the client showed. `api_key` is not None when a key was meant, well-formed or not."""

    api_key: str | None = None
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A stored credential and its user."""

    principal: Principal
    status: str
    csrf_token: str
    expires_at: datetime | None
    used_at: datetime | None


def given(headers: Headers) -> Given:
    """The credential in `headers`. An API key wins over a cookie: it was sent on purpose."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return Given(api_key=value.strip())
    # Browsers cannot set headers on a WebSocket, but can name subprotocols.
    for offered in headers.get("sec-websocket-protocol", "").split(","):
        if offered.strip().startswith(_SUBPROTOCOL):
            return Given(api_key=offered.strip().removeprefix(_SUBPROTOCOL))
    return Given(token=session_token(headers))


def session_token(headers: Headers) -> str | None:
    """The token in the session cookie."""
    cookies = cookie_parser("; ".join(headers.getlist("cookie")))
    return cookies.get(COOKIE) or None


MOST_REMEMBERED = 4096
_TABLES = (UserRow.__tablename__, SessionRow.__tablename__, ApiKeyRow.__tablename__)


class Credentials:
    """Finds stored credentials, with one query each, and notes that they were used."""

    def __init__(self, database: Database, digests: Digests, idle: timedelta) -> None:
        self._database = database
        self._digests = digests
        self._idle = idle
        self._remembered: dict[str, Found] = {}
        self._remembered_at = -1

    async def find(self, shown: Given) -> Found | None:
        """The session or key that was shown, expired or not. None when there is none."""
        if shown.api_key is not None:
            if not is_api_key(shown.api_key):
                return None
            digest = self._digests.api_key(shown.api_key)
            return await self._remember(
                digest, lambda: self._key(_KEYS.where(ApiKeyRow.key_digest == digest))
            )
        if shown.token is None or not is_token(shown.token):
            return None
        digest = self._digests.session(shown.token)
        return await self._remember(
            digest, lambda: self._session(_SESSIONS.where(SessionRow.token_digest == digest))
        )

    async def _remember(
        self, digest: str, read: Callable[[], Awaitable[Found | None]]
    ) -> Found | None:
        """What `read` gives, read again only after something was written to these tables."""
        version = self._database.changes(*_TABLES)
        if version != self._remembered_at or len(self._remembered) > MOST_REMEMBERED:
            self._remembered.clear()
            self._remembered_at = version
        if (known := self._remembered.get(digest)) is not None:
            return known
        found = await read()
        # A change while the row was read may or may not be in it.
        if found is not None and self._database.changes(*_TABLES) == version:
            self._remembered[digest] = found
        return found

    async def again(self, principal: Principal) -> Found | None:
        """The credential of `principal` as it is now."""
        if principal.key_id is not None:
            return await self._key(_KEYS.where(ApiKeyRow.id == principal.key_id))
        return await self._session(_SESSIONS.where(SessionRow.id == principal.session_id))

    async def _session(self, query: Select[*tuple[Any, ...]]) -> Found | None:
        async with self._database.read() as reading:
            row = (await reading.execute(query)).one_or_none()
        if row is None:
            return None
        principal = Principal(
            user_id=row.user_id,
            username=row.username,
            role=row.role,
            must_change_password=row.must_change_password,
            session_id=row.credential_id,
        )
        expires_at = min(row.expires_at, row.used_at + self._idle)
        return Found(principal, row.status, row.csrf_token, expires_at, row.used_at)

    async def _key(self, query: Select[*tuple[Any, ...]]) -> Found | None:
        async with self._database.read() as reading:
            row = (await reading.execute(query)).one_or_none()
        if row is None:
            return None
        principal = Principal(
            user_id=row.user_id,
            username=row.username,
            role=row.role,
            must_change_password=row.must_change_password,
            key_id=row.credential_id,
            scopes=frozenset(row.scopes.split()),
        )
        return Found(principal, row.status, "", row.expires_at, row.used_at)

    async def touch(self, found: Found) -> None:
        """Note that the credential was used now; written at most once a minute."""
        at = now()
        if found.used_at is not None and at - found.used_at < TOUCH_EVERY:
            return
        who = found.principal
        statement = (
            update(SessionRow).where(SessionRow.id == who.session_id).values(last_seen_at=at)
            if who.session_id is not None
            else update(ApiKeyRow).where(ApiKeyRow.id == who.key_id).values(last_used_at=at)
        )
        try:
            async with self._database.write() as writing:
                await writing.execute(statement)
        except SQLAlchemyError as error:
            # When it was last used is worth less than the request that uses it.
            log.warning("last_use_not_written", error=str(error))


_USER = (
    UserRow.id.label("user_id"),
    UserRow.username,
    UserRow.role,
    UserRow.status,
    UserRow.must_change_password,
)
_SESSIONS: Select[*tuple[Any, ...]] = select(
    *_USER,
    SessionRow.id.label("credential_id"),
    SessionRow.csrf_token,
    SessionRow.expires_at,
    SessionRow.last_seen_at.label("used_at"),
).join(UserRow, UserRow.id == SessionRow.user_id)
_KEYS: Select[*tuple[Any, ...]] = select(
    *_USER,
    ApiKeyRow.id.label("credential_id"),
    ApiKeyRow.scopes,
    ApiKeyRow.expires_at,
    ApiKeyRow.last_used_at.label("used_at"),
).join(UserRow, UserRow.id == ApiKeyRow.user_id)
