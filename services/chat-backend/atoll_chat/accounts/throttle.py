"""Throttling of log-ins.

Failures are counted for an account from one network, so that a stranger cannot lock its owner
out, and, with a higher limit, for the account from anywhere. An attempt is counted before the
password is looked at and taken back when it was right: a hundred attempts at once count as a
hundred.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, select

from atoll_chat.accounts.client import Client
from atoll_chat.accounts.tables import LoginFailureRow, SessionRow, UserRow
from atoll_chat.accounts.tokens import Digests
from atoll_chat.database import Database
from atoll_chat.identifiers import new_id, now
from atoll_kit.errors import TooManyRequests

WINDOW = timedelta(minutes=15)
ANYWHERE = 10  # the limit of an account from anywhere, in limits from one network


class LoginThrottle:
    """Counts failed attempts at a password.

    Args:
        attempts: failures allowed for an account from one network in 15 minutes.
    """

    def __init__(self, database: Database, digests: Digests, attempts: int) -> None:
        self._database = database
        self._digests = digests
        self._attempts = attempts

    async def begin(self, username_key: str, client: Client) -> str:
        """Count an attempt as failed until `succeeded` or `take_back` says otherwise.

        Returns the id of the attempt.

        Raises:
            TooManyRequests: code `too_many_attempts`, with the seconds to wait.
        """
        account, attempt, at = self._account(username_key), new_id(), now()
        async with self._database.write() as session:
            await session.execute(
                delete(LoginFailureRow).where(LoginFailureRow.created_at <= at - WINDOW)
            )
            rows = await session.execute(
                select(LoginFailureRow.address, LoginFailureRow.created_at)
                .where(LoginFailureRow.account == account)
                .order_by(LoginFailureRow.created_at)
            )
            everywhere: list[datetime] = []
            here: list[datetime] = []
            for address, created_at in rows:
                everywhere.append(created_at)
                if address == client.network:
                    here.append(created_at)
            if len(here) >= self._attempts:
                raise _too_many(here[-self._attempts], at)
            limit = self._attempts * ANYWHERE
            if len(everywhere) >= limit:
                # Whoever signed in from here before is not locked out by strangers.
                known = await session.scalar(
                    select(SessionRow.id)
                    .join(UserRow, UserRow.id == SessionRow.user_id)
                    .where(UserRow.username_key == username_key)
                    .where(SessionRow.address == client.address)
                    .limit(1)
                )
                if known is None:
                    raise _too_many(everywhere[-limit], at)
            session.add(
                LoginFailureRow(id=attempt, account=account, address=client.network, created_at=at)
            )

        return attempt

    async def take_back(self, attempt: str) -> None:
        """Forget an attempt whose password was never looked at."""
        async with self._database.write() as session:
            await session.execute(delete(LoginFailureRow).where(LoginFailureRow.id == attempt))

    async def succeeded(self, username_key: str, client: Client) -> None:
        """Forget the failures of this account from this network."""
        async with self._database.write() as session:
            await session.execute(
                delete(LoginFailureRow)
                .where(LoginFailureRow.account == self._account(username_key))
                .where(LoginFailureRow.address == client.network)
            )

    def _account(self, username_key: str) -> str:
        return self._digests.of("login", username_key)


def _too_many(oldest: datetime, at: datetime) -> TooManyRequests:
    return TooManyRequests(
        "Too many failed attempts. Wait before you try again.",
        code="too_many_attempts",
        retry_after=(oldest + WINDOW - at).total_seconds(),
    )
