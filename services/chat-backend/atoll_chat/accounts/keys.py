"""API keys."""

from datetime import timedelta

from atoll_chat.accounts.access import Scope
from atoll_chat.accounts.authentication import admin_required
from atoll_chat.accounts.principal import Principal
from atoll_chat.accounts.repository import ApiKeyRepository
from atoll_chat.accounts.revocation import Revocations
from atoll_chat.accounts.schemas import ApiKey, CreateApiKey, CreatedApiKey
from atoll_chat.accounts.tables import ApiKeyRow
from atoll_chat.accounts.tokens import SHOWN_PREFIX, Digests, new_api_key
from atoll_chat.database import Database
from atoll_chat.identifiers import new_id, now
from atoll_kit.errors import Conflict, NotFound

MAX_KEYS = 50


class ApiKeysService:
    """Makes, lists and revokes the API keys of a user."""

    def __init__(self, database: Database, digests: Digests, revocations: Revocations) -> None:
        self._database = database
        self._digests = digests
        self._revocations = revocations

    async def all(self, user: Principal) -> list[ApiKey]:
        """Every key of `user`, the newest first."""
        async with self._database.read() as session:
            return [ApiKey.of(row) for row in await ApiKeyRepository(session, user.user_id).all()]

    async def create(self, user: Principal, wanted: CreateApiKey) -> CreatedApiKey:
        """A new key; its secret is in the answer and nowhere else.

        Raises:
            Forbidden: the scope `admin` for someone who is no administrator.
            Conflict: code `too_many_keys`.
        """
        if Scope.ADMIN in wanted.scopes and not user.is_admin:
            raise admin_required()
        key, at = new_api_key(), now()
        lifetime = wanted.expires_in_days
        row = ApiKeyRow(
            id=new_id(),
            user_id=user.user_id,
            name=wanted.name,
            prefix=key[:SHOWN_PREFIX],
            key_digest=self._digests.api_key(key),
            scopes=" ".join(scope for scope in Scope if scope in wanted.scopes),
            created_at=at,
            last_used_at=None,
            expires_at=at + timedelta(days=lifetime) if lifetime is not None else None,
        )
        async with self._database.write() as session:
            keys = ApiKeyRepository(session, user.user_id)
            if await keys.count() >= MAX_KEYS:
                raise Conflict(
                    f"You have {MAX_KEYS} API keys, the most allowed. Revoke one first.",
                    code="too_many_keys",
                )
            keys.add(row)
        return CreatedApiKey(**ApiKey.of(row).model_dump(), key=key)

    async def revoke(self, user: Principal, key_id: str) -> None:
        """End a key at once, and what is being generated for it.

        Raises:
            NotFound: absent, or another user's.
        """
        async with self._database.write() as session:
            found = await ApiKeyRepository(session, user.user_id).delete(key_id)
        if not found:
            raise NotFound("There is no such API key.")
        await self._revocations.announce("key", key_id)
