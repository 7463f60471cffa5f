"""Every query on runs and their events. Those of a user go through the owner."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from atoll_chat.runs.events import Event
from atoll_chat.runs.tables import RunEventsRow, RunRow

UNFINISHED = ("queued", "streaming")


class RunsRepository:
    """The runs of one user, in one database session."""

    def __init__(self, session: AsyncSession, user_id: str) -> None:
        self.session = session
        self.user_id = user_id

    async def get(self, id: str) -> RunRow | None:
        """The run, if it is this user's."""
        return await self.session.scalar(
            select(RunRow).where(RunRow.id == id, RunRow.user_id == self.user_id)
        )

    async def unfinished(self, conversation_id: str) -> RunRow | None:
        """The run that is writing in this conversation."""
        return await self.session.scalar(
            select(RunRow).where(
                RunRow.conversation_id == conversation_id,
                RunRow.user_id == self.user_id,
                RunRow.status.in_(UNFINISHED),
            )
        )

    async def events(self, run: RunRow, after: int) -> list[Event]:
        """The stored events of a run of this user whose ids are above `after`."""
        batches = await self.session.scalars(
            select(RunEventsRow)
            .where(RunEventsRow.run_id == run.id, RunEventsRow.last_id > after)
            .order_by(RunEventsRow.last_id)
        )
        events = (Event(*fields) for batch in batches for fields in batch.events)
        return [event for event in events if event.id > after]

    async def last_event(self, run: RunRow) -> int:
        """Id of the last stored event of a run of this user; 0 when none is."""
        last = await self.session.scalar(
            select(func.max(RunEventsRow.last_id)).where(RunEventsRow.run_id == run.id)
        )
        return last or 0

    def add_events(self, run_id: str, events: Sequence[Event]) -> None:
        """Store consecutive events of a run."""
        self.session.add(
            RunEventsRow(
                run_id=run_id,
                first_id=events[0].id,
                last_id=events[-1].id,
                events=[[event.id, event.name, event.data] for event in events],
            )
        )


async def left_unfinished(session: AsyncSession) -> Sequence[RunRow]:
    """Unfinished runs of all users. For the start of the process, before anything runs."""
    return (await session.scalars(select(RunRow).where(RunRow.status.in_(UNFINISHED)))).all()


async def has_events_before(session: AsyncSession, instant: datetime) -> bool:
    """Whether `prune` has anything to do."""
    old = select(RunEventsRow.run_id).join(RunRow, RunRow.id == RunEventsRow.run_id)
    return bool(await session.scalar(select(exists(old.where(RunRow.finished_at < instant)))))


async def prune(session: AsyncSession, instant: datetime) -> None:
    """Delete the events of all users' runs that finished before `instant`."""
    runs = select(RunRow.id).where(RunRow.finished_at < instant)
    await session.execute(delete(RunEventsRow).where(RunEventsRow.run_id.in_(runs)))
