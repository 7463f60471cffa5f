"""Every query on usage."""

from collections.abc import Sequence

from sqlalchemy import func, select, tuple_
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncSession

from atoll_chat.accounts.tables import UserRow
from atoll_chat.usage.schemas import DailyUsage, UsageReport
from atoll_chat.usage.tables import UsageRow


async def add(session: AsyncSession, reports: Sequence[UsageReport]) -> None:
    """Store reports of any users; known request ids and unknown users are left out."""
    users = {report.user for report in reports}
    known = set(await session.scalars(select(UserRow.id).where(UserRow.id.in_(users))))
    rows = [
        {
            "request_id": report.request_id,
            "user_id": report.user,
            "key_id": report.key,
            **report.model_dump(
                include={"model", "kind", "prompt_tokens", "completion_tokens", "seconds"}
            ),
            "created_at": report.created_at,
        }
        for report in reports
        if report.user in known
    ]
    if rows:
        await session.execute(insert(UsageRow).on_conflict_do_nothing(), rows)


class UsageRepository:
    """The usage of one user."""

    def __init__(self, session: AsyncSession, user_id: str) -> None:
        self.session = session
        self.user_id = user_id

    async def page(self, after: tuple[str, str] | None, limit: int) -> list[DailyUsage]:
        """Up to `limit` sums by day and model, newest day first, after the position `after`."""
        day = func.date(UsageRow.created_at)
        query = (
            select(
                day.label("day"),
                UsageRow.model,
                func.count().label("requests"),
                func.sum(UsageRow.prompt_tokens).label("prompt_tokens"),
                func.sum(UsageRow.completion_tokens).label("completion_tokens"),
            )
            .where(UsageRow.user_id == self.user_id)
            .group_by(day, UsageRow.model)
            .order_by(day.desc(), UsageRow.model.desc())
        )
        if after:
            query = query.where(tuple_(day, UsageRow.model) < after)
        rows = await self.session.execute(query.limit(limit))
        return [DailyUsage(**row) for row in rows.mappings()]
