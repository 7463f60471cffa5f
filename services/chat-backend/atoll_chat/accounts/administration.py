"""What administrators do with accounts, and how there comes to be one."""

from typing import cast

from atoll_chat.accounts.names import clean_username, username_key
from atoll_chat.accounts.passwords import Passwords
from atoll_chat.accounts.principal import Principal
from atoll_chat.accounts.repository import (
    SessionRepository,
    UserRepository,
    read_setting,
    write_setting,
)
from atoll_chat.accounts.revocation import Revocations
from atoll_chat.accounts.schemas import AccountSettings, AdminUser, ChangeSettings, ChangeUser
from atoll_chat.accounts.tables import UserRow
from atoll_chat.database import Database
from atoll_chat.identifiers import new_id, now
from atoll_chat.paging import Page, decode_cursor, encode_cursor
from atoll_chat.settings import Registration, Settings
from atoll_kit.errors import Conflict, NotFound
from atoll_kit.logs import get_logger

log = get_logger(__name__)


class AdministrationService:
    """Users of all kinds and the settings of registration."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        passwords: Passwords,
        revocations: Revocations,
    ) -> None:
        self._settings = settings
        self._database = database
        self._passwords = passwords
        self._revocations = revocations

    async def users(self, status: str | None, cursor: str | None, limit: int) -> Page[AdminUser]:
        """A page of the users, the newest first."""
        before = str(decode_cursor(cursor, 1)[0]) if cursor else None
        async with self._database.read() as session:
            rows = await UserRepository(session).page(status, before, limit + 1)
        items = [AdminUser.model_validate(row) for row in rows[:limit]]
        more = len(rows) > limit
        return Page(items=items, next_cursor=encode_cursor(items[-1].id) if more else None)

    async def change_user(self, admin: Principal, user_id: str, change: ChangeUser) -> AdminUser:
        """Approve, suspend, promote or demote a user, with effect on the next request.

        Raises:
            NotFound: there is no such user.
            Conflict: code `last_admin` or `own_account`.
        """
        async with self._database.write() as session:
            users = UserRepository(session)
            row = await users.get(user_id)
            if row is None:
                raise NotFound("There is no such user.")
            status = change.status or row.status
            role = change.role or row.role
            was_admin = row.role == "admin" and row.status == "active"
            stays_admin = role == "admin" and status == "active"
            if was_admin and not stays_admin and await users.active_admins() == 1:
                raise Conflict(
                    "This is the last active administrator. Make another one first.",
                    code="last_admin",
                )
            if user_id == admin.user_id and status != "active":
                raise Conflict(
                    "You cannot suspend your own account. Ask another administrator.",
                    code="own_account",
                )
            lost_access = row.status == "active" and status != "active"
            before = {"role": row.role, "status": row.status}
            row.status, row.role = status, role
            changed = AdminUser.model_validate(row)
        log.info(
            "user_changed", user=user_id, by=admin.user_id, before=before, role=role, status=status
        )
        if lost_access:
            await self._revocations.announce("user", user_id)
        return changed

    async def settings(self) -> AccountSettings:
        """The settings in force: an administrator's choice, or else the environment's."""
        async with self._database.read() as session:
            chosen = await read_setting(session, "registration")
        known = chosen in ("open", "approval", "closed")
        registration = cast(Registration, chosen) if known else self._settings.registration
        return AccountSettings(registration=registration)

    async def change_settings(self, admin: Principal, change: ChangeSettings) -> AccountSettings:
        """Choose settings; they win over the environment from now on."""
        if change.registration is not None:
            async with self._database.write() as session:
                await write_setting(session, "registration", change.registration)
            log.info("registration_changed", by=admin.user_id, registration=change.registration)
        return await self.settings()

    async def has_admin(self) -> bool:
        """Whether anyone can administer this installation."""
        async with self._database.read() as session:
            return await UserRepository(session).active_admins() > 0

    async def set_admin(self, username: str, password: str) -> bool:
        """Make `username` an active administrator who must change `password` at first sign-in.

        An existing account is promoted and its sessions end. True when the account is new.

        Raises:
            Unprocessable: the name or the password breaks the rules.
        """
        username = clean_username(username)
        self._passwords.check(password, username)
        hashed = await self._passwords.hash(password)
        async with self._database.write() as session:
            users = UserRepository(session)
            row = await users.by_key(username_key(username))
            created = row is None
            if row is None:
                row = UserRow(
                    id=new_id(),
                    username=username,
                    username_key=username_key(username),
                    created_at=now(),
                    last_login_at=None,
                )
                users.add(row)
            row.password_hash = hashed
            row.role, row.status, row.must_change_password = "admin", "active", True
            await SessionRepository(session, row.id).delete_all()
            user_id = row.id
        log.info("administrator_set", user=user_id, created=created)
        if not created:
            await self._revocations.announce("user", user_id)
        return created
