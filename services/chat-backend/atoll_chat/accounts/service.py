"""Registration, log-in, sessions: the rules of accounts."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError

from atoll_chat.accounts.administration import AdministrationService
from atoll_chat.accounts.authentication import Authenticator, check_status
from atoll_chat.accounts.client import Client
from atoll_chat.accounts.credentials import Credentials
from atoll_chat.accounts.first_password import FirstPassword
from atoll_chat.accounts.keys import ApiKeysService
from atoll_chat.accounts.names import clean_username, username_key
from atoll_chat.accounts.passwords import Passwords
from atoll_chat.accounts.principal import Principal
from atoll_chat.accounts.rate import RateLimiter
from atoll_chat.accounts.repository import (
    SessionRepository,
    UserRepository,
    delete_session_by_digest,
)
from atoll_chat.accounts.revocation import Hook, Revocations
from atoll_chat.accounts.schemas import Registered, Session, SignedIn, User
from atoll_chat.accounts.tables import SessionRow, UserRow
from atoll_chat.accounts.throttle import LoginThrottle
from atoll_chat.accounts.tokens import Digests, new_password, new_token
from atoll_chat.database import Database
from atoll_chat.identifiers import new_id, now
from atoll_chat.settings import Registration, Settings
from atoll_kit.errors import (
    ApiError,
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    Unauthorized,
    Unavailable,
    Unprocessable,
)
from atoll_kit.logs import get_logger

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A session just made: its token for the cookie, and what the page gets to see."""

    token: str
    answer: SignedIn


class AccountsService:
    """Accounts of one backend. `keys` and `administration` are its two other halves."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings = settings
        self._database = database
        self._digests = Digests(settings.secret_key)
        self._passwords = Passwords(settings.password_min_length)
        self._throttle = LoginThrottle(database, self._digests, settings.login_attempts)
        self._revocations = Revocations()
        self._first_password = FirstPassword(settings.data_dir)
        self._idle = timedelta(days=settings.session_idle_days)
        self._longest = timedelta(days=settings.session_max_days)
        self.authenticator = Authenticator(
            Credentials(database, self._digests, self._idle),
            RateLimiter(settings.requests_per_minute),
        )
        self.keys = ApiKeysService(database, self._digests, self._revocations)
        self.administration = AdministrationService(
            settings, database, self._passwords, self._revocations
        )

    def on_revoked(self, hook: Hook) -> None:
        """Call `hook("user" | "key", id)` whenever a user or an API key loses access."""
        self._revocations.add(hook)

    async def recheck(self, principal: Principal, path: str) -> Principal:
        """`principal` as it is now, for a connection that stays open on `path`.

        Raises:
            ApiError: access is gone; the connection must be closed.
        """
        return await self.authenticator.recheck(principal, path)

    async def registration(self) -> Registration:
        """Who may register at this moment."""
        return (await self.administration.settings()).registration

    async def register(self, username: str, password: str) -> Registered:
        """Make an account.

        Raises:
            Forbidden: code `registration_closed`.
            Unprocessable: code `invalid_username` or `weak_password`.
            Conflict: code `username_taken`.
        """
        registration = await self.registration()
        if registration == "closed":
            raise Forbidden(
                "Registration is closed. Ask an administrator for an account.",
                code="registration_closed",
            )
        username = clean_username(username)
        self._passwords.check(password, username)
        key = username_key(username)
        async with self._database.read() as session:
            if await UserRepository(session).by_key(key) is not None:
                raise _taken()
        row = UserRow(
            id=new_id(),
            username=username,
            username_key=key,
            password_hash=await self._passwords.hash(password),
            role="user",
            status="active" if registration == "open" else "pending",
            must_change_password=False,
            created_at=now(),
            last_login_at=None,
        )
        try:
            async with self._database.write() as session:
                UserRepository(session).add(row)
        except IntegrityError:
            raise _taken() from None
        user = User.model_validate(row)
        return Registered.model_validate({"user": user, "status": row.status})

    async def log_in(
        self, username: str, password: str, client: Client, old_token: str | None
    ) -> Ticket:
        """A new session. The one of `old_token`, if there is one, ends.

        Raises:
            TooManyRequests: code `too_many_attempts`.
            Unauthorized: code `invalid_credentials`, for a wrong name and password alike.
            Forbidden: code `account_pending` or `account_suspended`, after a right password.
        """
        key = username_key(username)
        attempt = await self._throttle.begin(key, client)
        async with self._database.read() as session:
            known = await UserRepository(session).by_key(key)
        stored = known.password_hash if known else None
        right, renewed = await self._verify(password, stored, attempt)
        if known is None or not right:
            log.info("login_failed", user=known.id if known else None, address=client.address)
            raise _wrong_password()
        await self._throttle.succeeded(key, client)
        check_status(known.status)
        async with self._database.write() as session:
            row = await UserRepository(session).get(known.id)
            if row is None or row.password_hash != stored:
                # The password was changed while this one was being checked.
                raise _wrong_password()
            check_status(row.status)
            row.password_hash = renewed or row.password_hash
            row.last_login_at = now()
            if old_token:
                await delete_session_by_digest(session, self._digests.session(old_token))
            sessions = SessionRepository(session, row.id)
            await sessions.prune(now() - self._idle, now())
            ticket = self._new_session(sessions, row, client)
        log.info("login", user=known.id, address=client.address)
        return ticket

    async def log_out(self, user: Principal) -> None:
        """End the session of `user`."""
        assert user.session_id is not None
        async with self._database.write() as session:
            await SessionRepository(session, user.user_id).delete(user.session_id)

    async def me(self, user: Principal) -> SignedIn:
        """The user and the CSRF token of this session."""
        assert user.session_id is not None
        async with self._database.read() as session:
            row = await UserRepository(session).get(user.user_id)
            held = await SessionRepository(session, user.user_id).get(user.session_id)
        if row is None or held is None:
            raise Unauthorized("The session has ended. Sign in again.")
        return SignedIn(user=User.model_validate(row), csrf_token=held.csrf_token)

    async def change_password(
        self, user: Principal, current: str, new: str, client: Client
    ) -> Ticket:
        """Set a new password. Every session ends; the answer is a new one.

        Raises:
            TooManyRequests: code `too_many_attempts`.
            BadRequest: code `wrong_password`: the current password is not right.
            Unprocessable: code `weak_password`.
        """
        key = username_key(user.username)
        async with self._database.read() as session:
            known = await UserRepository(session).get(user.user_id)
        stored = known.password_hash if known else None
        self._check_new_password(new, current, user.username)
        attempt = await self._throttle.begin(key, client)
        right, _ = await self._verify(current, stored, attempt)
        if not right:
            raise BadRequest(
                "The current password is not right.",
                code="wrong_password",
                param="current_password",
            )
        await self._throttle.succeeded(key, client)
        hashed = await self._passwords.hash(new)
        async with self._database.write() as session:
            row = await UserRepository(session).get(user.user_id)
            if row is None or row.password_hash != stored:
                raise Conflict("The password was changed by someone else just now.")
            row.password_hash = hashed
            row.must_change_password = False
            sessions = SessionRepository(session, row.id)
            await sessions.delete_all()
            ticket = self._new_session(sessions, row, client)
        self._first_password.forget(current)
        log.info("password_changed", user=user.user_id)
        return ticket

    async def sessions(self, user: Principal) -> list[Session]:
        """The sessions of `user` that have not run out, the one last seen first."""
        at = now()
        async with self._database.read() as session:
            rows = await SessionRepository(session, user.user_id).all(at - self._idle, at)
        return [
            Session(
                id=row.id,
                created_at=row.created_at,
                last_seen_at=row.last_seen_at,
                expires_at=min(row.expires_at, row.last_seen_at + self._idle),
                address=row.address,
                user_agent=row.user_agent,
                current=row.id == user.session_id,
            )
            for row in rows
        ]

    async def revoke_session(self, user: Principal, session_id: str) -> None:
        """End a session of `user`.

        Raises:
            NotFound: absent, or another user's.
        """
        async with self._database.write() as session:
            found = await SessionRepository(session, user.user_id).delete(session_id)
        if not found:
            raise NotFound("There is no such session.")

    async def revoke_other_sessions(self, user: Principal) -> None:
        """End every session of `user` but this one."""
        async with self._database.write() as session:
            await SessionRepository(session, user.user_id).delete_all(keep=user.session_id)

    async def ensure_first_admin(self) -> None:
        """Make the first administrator when there is none.

        The password is ADMIN_PASSWORD, or a generated one in a file that its change deletes.

        Raises:
            ValueError: ADMIN_PASSWORD breaks the rules for passwords.
        """
        if await self.administration.has_admin():
            return
        name, given = self.settings.admin_username, self.settings.admin_password
        password = given or new_password()
        if given is None:
            # Written first: an administrator whose password nobody knows would be no use.
            self._first_password.write(password)
        try:
            await self.administration.set_admin(name, password)
        except Unprocessable as error:
            raise ValueError(f"ADMIN_PASSWORD or ADMIN_USERNAME: {error.message}") from None
        log.info(
            "first_administrator_made",
            username=name,
            password_file=str(self._first_password.path) if given is None else None,
        )

    async def set_admin_command(self, payload: dict[str, Any]) -> dict[str, Any]:
        """The control command `set_admin`: `{username?, password}` -> `{username, created}`."""
        username = str(payload.get("username") or self.settings.admin_username)
        created = await self.administration.set_admin(username, str(payload.get("password", "")))
        if username_key(username) == username_key(self.settings.admin_username):
            self._first_password.discard()
        return {"username": username, "created": created}

    async def _verify(
        self, password: str, stored: str | None, attempt: str
    ) -> tuple[bool, str | None]:
        try:
            return await self._passwords.verify(password, stored)
        except Unavailable:
            await self._throttle.take_back(attempt)
            raise

    def _check_new_password(self, new: str, current: str, username: str) -> None:
        self._passwords.check(new, username)
        if new == current:
            raise Unprocessable(
                "The new password must differ from the current one.",
                code="weak_password",
                param="new_password",
            )

    def _new_session(self, sessions: SessionRepository, user: UserRow, client: Client) -> Ticket:
        token, at = new_token(), now()
        row = SessionRow(
            id=new_id(),
            user_id=user.id,
            token_digest=self._digests.session(token),
            csrf_token=new_token(),
            created_at=at,
            last_seen_at=at,
            expires_at=at + self._longest,
            address=client.address,
            user_agent=client.user_agent,
        )
        sessions.add(row)
        return Ticket(token, SignedIn(user=User.model_validate(user), csrf_token=row.csrf_token))


def _wrong_password() -> ApiError:
    return Unauthorized("The user name or the password is not right.", code="invalid_credentials")


def _taken() -> ApiError:
    return Conflict("This user name is taken.", code="username_taken", param="username")
