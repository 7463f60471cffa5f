"""Usage: counted once per request, summed by day and model."""

from collections.abc import Sequence

from atoll_chat.database import Database
from atoll_chat.paging import decode_cursor, encode_cursor
from atoll_chat.usage.repository import UsageRepository, add
from atoll_chat.usage.schemas import UsagePage, UsageReport


class UsageService:
    """What each user's requests cost, in tokens."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, reports: Sequence[UsageReport]) -> None:
        """Store reports; a request id that is known already, or a user that is not, is ignored."""
        if reports:
            async with self._database.write() as session:
                await add(session, reports)

    async def page(self, user_id: str, cursor: str | None, limit: int) -> UsagePage:
        """Sums by day and model, the newest day first.

        Raises:
            BadRequest: `invalid_cursor`.
        """
        after: tuple[str, str] | None = None
        if cursor:
            day, model = decode_cursor(cursor, 2)
            after = (str(day), str(model))
        async with self._database.read() as session:
            items = await UsageRepository(session, user_id).page(after, limit + 1)
        last = items[limit - 1] if len(items) > limit else None
        return UsagePage(
            items=items[:limit], next_cursor=encode_cursor(last.day, last.model) if last else None
        )
