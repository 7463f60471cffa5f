"""What becomes of a job, stored: one arbiter for who changes it and what its readers are told."""

import asyncio
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from atoll_chat.database import Database
from atoll_chat.files.schemas import File
from atoll_chat.identifiers import now
from atoll_chat.jobs.live import LiveJob
from atoll_chat.jobs.log import Event
from atoll_chat.jobs.repository import JobsRepository, any_user, left_unfinished, waiting
from atoll_chat.jobs.schemas import UNFINISHED, Job, JobError, JobResult, Status
from atoll_chat.jobs.tables import JobRow
from atoll_chat.jobs.turns import Turns
from atoll_kit.logs import get_logger

log = get_logger(__name__)

# Readers may have seen events that a crash kept from the database. What is added after a restart
# gets an id beyond any of those.
CRASH_GAP = 1_000_000
ATTEMPTS = 2
END_TRIES = 5
END_PAUSE = 0.25

INTERRUPTED = JobError(
    code="interrupted",
    message="The work on this job was interrupted twice, so it was given up. Start it again.",
)


class JobGone(Exception):
    """The job is not running any more: it was ended, or deleted with its user."""


class Ledger:
    """Stores the states of jobs, in short transactions."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turns = Turns()

    async def claim(self) -> JobRow | None:
        """The job whose turn it is, now running; None when none waits."""
        async with self._database.write() as session:
            ids = self._turns.order(await waiting(session))
            row = await any_user(session, ids[0]) if ids else None
            if row is None:
                return None
            row.status, row.started_at = "running", now()
            row.attempts += 1
            row.fraction, row.stage = 0.0, None
        self._turns.served(row.user_id)
        return row

    async def order(self) -> Sequence[str]:
        """Ids of the queued jobs in the order of their turns."""
        async with self._database.read() as session:
            return self._turns.order(await waiting(session))

    async def save_progress(self, live: LiveJob, fraction: float, stage: str | None) -> None:
        """Store how far a running job is.

        Raises:
            JobGone: it is not running.
        """
        async with self._database.write() as session:
            row = await self._running(session, live)
            row.fraction, row.stage, row.events_end = fraction, stage, live.log.end

    async def begin_again(self, live: LiveJob) -> int | None:
        """The number of the next attempt at a running job; None when it has had its last.

        Raises:
            JobGone: it is not running.
        """
        async with self._database.write() as session:
            row = await self._running(session, live)
            if row.attempts >= ATTEMPTS:
                return None
            row.attempts += 1
            row.fraction, row.stage = 0.0, None
            return row.attempts

    async def complete(
        self, session: AsyncSession, live: LiveJob, file: File, model: str | None
    ) -> None:
        """Note the result of a running job, in the transaction that stores it.

        Raises:
            JobGone: it is not running.
        """
        row = await self._running(session, live)
        result = JobResult(
            file_id=file.id, name=file.name, media_type=file.media_type, size=file.size
        )
        row.status, row.finished_at = "complete", now()
        row.fraction, row.stage, row.model = 1.0, None, model
        row.result = result.model_dump()
        row.events_end = live.log.end + 1

    async def settle(self, live: LiveJob, status: Status, error: JobError | None = None) -> None:
        """Store the end of a job unless it has one, then tell its readers, in this order: whoever
        reloads on the final event finds the finished job."""
        for attempt in range(END_TRIES):
            try:
                async with self._database.write() as session:
                    row = await JobsRepository(session, live.user_id).get(live.id)
                    if row is not None and row.status in UNFINISHED:
                        self._end(row, status, error, live.log.end + 1)
                break
            except Exception as failure:
                log.error("job_end_not_stored", job_id=live.id, exc_info=failure)
                await asyncio.sleep(END_PAUSE * 2**attempt)
        else:
            # The row stays as it is, and the next start takes the job up again.
            live.log.close()
            live.settled.set()
            return
        if row is None:
            live.log.close()
        else:
            live.log.add(final(Job.of(row), live.log.end + 1))
            log.info("job_finished", job_id=live.id, status=row.status, code=_code(row))
        live.settled.set()

    async def recover(self) -> list[LiveJob]:
        """The jobs that are unfinished at the start, all of them queued again but for those that
        were interrupted twice."""
        again: list[LiveJob] = []
        async with self._database.write() as session:
            for row in await left_unfinished(session):
                row.events_end += CRASH_GAP
                if row.status == "running" and row.attempts >= ATTEMPTS:
                    self._end(row, "failed", INTERRUPTED, row.events_end)
                    log.warning("job_interrupted", job_id=row.id)
                    continue
                row.status, row.fraction, row.stage = "queued", 0.0, None
                again.append(LiveJob(row.id, row.user_id, row.key_id, events_end=row.events_end))
        return again

    async def _running(self, session: AsyncSession, live: LiveJob) -> JobRow:
        row = await JobsRepository(session, live.user_id).get(live.id)
        if row is None or row.status != "running":
            raise JobGone
        return row

    def _end(self, row: JobRow, status: Status, error: JobError | None, event: int) -> None:
        row.status, row.finished_at, row.events_end = status, now(), event
        row.error = error.model_dump() if error else None


def final(job: Job, id: int) -> Event:
    """The event that ends a finished job."""
    shown = job.model_dump(mode="json")
    if job.status == "failed":
        error = job.error or JobError(code="failed", message="The job failed.")
        return Event(id, "error", {"error": error.model_dump(), "job": shown})
    return Event(id, "done", {"job": shown})


def _code(row: JobRow) -> str | None:
    return row.error["code"] if row.error else None
