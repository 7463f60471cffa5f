"""What happens to runs that nothing works on any more: ended, and their logs pruned."""

import asyncio
from datetime import timedelta
from typing import NoReturn

from sqlalchemy.ext.asyncio import AsyncSession

from atoll_chat.conversations.service import ConversationsService
from atoll_chat.database import Database
from atoll_chat.identifiers import now
from atoll_chat.runs import events
from atoll_chat.runs.events import Event
from atoll_chat.runs.generation import INTERRUPTED
from atoll_chat.runs.repository import (
    UNFINISHED,
    RunsRepository,
    has_events_before,
    left_unfinished,
    prune,
)
from atoll_chat.runs.tables import RunRow
from atoll_kit.logs import get_logger

log = get_logger(__name__)

# Readers may have seen events that a crash kept from the database. What is added after a restart
# gets an id beyond any of those: a quarter of a second of events is far less than this.
CRASH_GAP = 10_000
PRUNE_SECONDS = 60.0


class Aftercare:
    """Ends abandoned runs, and forgets the events of old ones.

    Args:
        kept: how long the events of a finished run are kept.
    """

    def __init__(
        self, database: Database, conversations: ConversationsService, *, kept: timedelta
    ) -> None:
        self._database = database
        self._conversations = conversations
        self._kept = kept

    async def recover(self) -> None:
        """End the runs that a crash left open. Before anything runs."""
        async with self._database.write() as session:
            for run in await left_unfinished(session):
                await self.interrupt(session, run)

    async def interrupt(self, session: AsyncSession, run: RunRow) -> None:
        """End one run as interrupted, with the text that was stored."""
        if run.status not in UNFINISHED:
            return
        answer = await self._conversations.save_answer(
            session, run.user_id, run.message_id, status="failed", error=INTERRUPTED
        )
        assert answer is not None
        runs = RunsRepository(session, run.user_id)
        final = Event(await runs.last_event(run) + CRASH_GAP, *events.final(answer))
        runs.add_events(run.id, [final])
        run.status = "failed"
        run.error = INTERRUPTED.model_dump()
        run.events_end = final.id
        run.finished_at = now()
        log.warning("run_interrupted", run_id=run.id)

    async def prune_for_ever(self) -> NoReturn:
        """Delete the events of runs that finished long ago, until cancelled."""
        while True:
            try:
                async with self._database.read() as session:
                    due = await has_events_before(session, now() - self._kept)
                if due:
                    async with self._database.write() as session:
                        await prune(session, now() - self._kept)
            except Exception as error:
                log.error("run_logs_not_pruned", exc_info=error)
            await asyncio.sleep(min(PRUNE_SECONDS, max(self._kept.total_seconds(), 1.0)))
