"""Every query on jobs. Those of a user go through the owner."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from atoll_chat.jobs.schemas import UNFINISHED
from atoll_chat.jobs.tables import JobRow


class JobsRepository:
    """The jobs of one user, in one database session."""

    def __init__(self, session: AsyncSession, user_id: str) -> None:
        self._session = session
        self._user_id = user_id

    def add(self, row: JobRow) -> None:
        """Store a new job."""
        self._session.add(row)

    async def get(self, id: str) -> JobRow | None:
        """The job, if it is this user's."""
        return await self._session.scalar(
            select(JobRow).where(JobRow.id == id, JobRow.user_id == self._user_id)
        )

    async def page(self, before: str | None, limit: int) -> Sequence[JobRow]:
        """The newest `limit` jobs older than the id `before`."""
        query = select(JobRow).where(JobRow.user_id == self._user_id)
        if before is not None:
            query = query.where(JobRow.id < before)
        return (await self._session.scalars(query.order_by(JobRow.id.desc()).limit(limit))).all()

    async def unfinished(self) -> int:
        """How many are queued or running."""
        query = select(func.count()).where(
            JobRow.user_id == self._user_id, JobRow.status.in_(UNFINISHED)
        )
        return await self._session.scalar(query) or 0


async def waiting(session: AsyncSession) -> Sequence[tuple[str, str]]:
    """Id and owner of every queued job of all users, the oldest first."""
    query = select(JobRow.id, JobRow.user_id).where(JobRow.status == "queued").order_by(JobRow.id)
    return [(id, user_id) for id, user_id in await session.execute(query)]


async def left_unfinished(session: AsyncSession) -> Sequence[JobRow]:
    """Unfinished jobs of all users. For the start of the process, before anything runs."""
    query = select(JobRow).where(JobRow.status.in_(UNFINISHED)).order_by(JobRow.id)
    return (await session.scalars(query)).all()


async def any_user(session: AsyncSession, id: str) -> JobRow | None:
    """A job whoever owns it: for the worker, which acts for the owner."""
    return await session.get(JobRow, id)
