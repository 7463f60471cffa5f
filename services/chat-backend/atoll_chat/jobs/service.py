"""Jobs: make them, follow them, cancel them, and take up again what a restart interrupted."""

import asyncio
from contextlib import suppress
from typing import Literal

from atoll_chat.accounts.principal import Principal
from atoll_chat.database import Database
from atoll_chat.files.service import FilesService
from atoll_chat.identifiers import new_id, now
from atoll_chat.jobs.calls import TaskCalls
from atoll_chat.jobs.ledger import Ledger, final
from atoll_chat.jobs.live import LiveJob
from atoll_chat.jobs.log import JobLog, JobReader
from atoll_chat.jobs.repository import JobsRepository
from atoll_chat.jobs.schemas import UNFINISHED, Job, JobCreate
from atoll_chat.jobs.tables import JobRow
from atoll_chat.jobs.tasks import kind_of
from atoll_chat.jobs.work import Work
from atoll_chat.jobs.worker import Worker
from atoll_chat.paging import Page, decode_cursor, encode_cursor
from atoll_chat.settings import Settings
from atoll_chat.upstream import Upstream
from atoll_kit.errors import ApiError, NotFound, TooManyRequests, Unavailable
from atoll_kit.logs import get_logger

log = get_logger(__name__)

STOP_SECONDS = 2.5
RETRY_SECONDS = 30


class JobsService:
    """Every job: unfinished ones in memory too, all of them in the database."""

    def __init__(
        self, settings: Settings, database: Database, upstream: Upstream, files: FilesService
    ) -> None:
        self._settings = settings
        self._database = database
        self._files = files
        self._calls = TaskCalls(upstream)
        self._ledger = Ledger(database)
        self._live: dict[str, LiveJob] = {}
        self._at_work: set[str] = set()
        self._worker = Worker(self._work_on_next, loops=settings.job_concurrency)
        self._stopping = False

    async def start(self) -> None:
        """Queue again what a restart interrupted, and begin to work."""
        for live in await self._ledger.recover():
            self._live[live.id] = live
        await self._tell_positions()
        self._worker.start()

    async def create(self, principal: Principal, wanted: JobCreate) -> Job:
        """Store a job, to be worked on when its turn comes.

        Raises:
            NotFound: `file_not_found`.
            UnsupportedType: the file is nothing that the task takes.
            TooManyRequests: `job_limit`, with nothing stored, as for all others.
            Unavailable: the service is stopping.
        """
        if self._stopping:
            raise Unavailable(
                "The service is restarting. Try again in a moment.",
                code="interrupted",
                retry_after=2,
            )
        user_id, key_id = principal.user_id, principal.key_id
        try:
            file = await self._files.get(user_id, wanted.input.file_id)
        except NotFound as error:
            raise NotFound(error.message, code="file_not_found", param="input.file_id") from None
        kind_of(wanted.task, file)
        row = JobRow(
            id=new_id(), user_id=user_id, key_id=key_id, task=wanted.task, input_id=file.id,
            input_name=file.name, parameters=wanted.parameters, status="queued", fraction=0.0,
            stage=None, attempts=0, model=None, result=None, error=None, events_end=0,
            created_at=now(), started_at=None, finished_at=None,
        )  # fmt: skip
        try:
            async with self._database.write() as session:
                jobs = JobsRepository(session, user_id)
                if await jobs.unfinished() >= self._settings.jobs_per_user:
                    raise self._too_many()
                jobs.add(row)
                # Before the commit: whoever finds the job in the database finds it live.
                live = self._live[row.id] = LiveJob(row.id, user_id, key_id)
        except BaseException:
            self._live.pop(row.id, None)
            raise
        self._worker.wake()
        await self._tell_positions()
        return Job.of(row, live.position)

    async def page(self, user_id: str, cursor: str | None, limit: int) -> Page[Job]:
        """A page of the user's jobs, the newest first."""
        before = str(decode_cursor(cursor, 1)[0]) if cursor else None
        async with self._database.read() as session:
            rows = await JobsRepository(session, user_id).page(before, limit + 1)
        items = [self._shown(row) for row in rows[:limit]]
        more = len(rows) > limit
        return Page(items=items, next_cursor=encode_cursor(items[-1].id) if more else None)

    async def get(self, user_id: str, id: str) -> Job:
        """One job.

        Raises:
            NotFound: it is absent, or another user's.
        """
        return self._shown(await self._row(user_id, id))

    async def cancel(self, user_id: str, id: str) -> Job:
        """End a job and wait until that is stored; a finished one stays as it is.

        Raises:
            NotFound: it is absent, or another user's.
        """
        row = await self._row(user_id, id)
        if row.status not in UNFINISHED:
            return self._shown(row)
        # One that is not live could not be ended before, as the database took nothing.
        live = self._live.get(id) or LiveJob(id, user_id, None, events_end=row.events_end)
        await self._end([live])
        return await self.get(user_id, id)

    async def cancel_all_of(self, kind: Literal["user", "key"], id: str) -> None:
        """End the jobs of a user, or made through a key, that lost access."""
        theirs = [
            live
            for live in self._live.values()
            if id == (live.user_id if kind == "user" else live.key_id)
        ]
        await self._end(theirs)

    async def follow(self, user_id: str, id: str, after: int) -> JobReader | None:
        """A reader of the events after `after`; None when the final one is not after it.

        Raises:
            NotFound: the job is absent, or another user's.
        """
        live = self._live.get(id)
        row = await self._row(user_id, id)
        if live and row.status in UNFINISHED:
            return JobReader(live.log, after)
        stored = JobLog(row.events_end)
        if row.status in UNFINISHED:
            # Nobody works on it and its end could not be stored: the next start takes it up.
            stored.close()
        elif after >= row.events_end:
            return None
        else:
            stored.add(final(Job.of(row), row.events_end))
        return JobReader(stored, after)

    async def stop(self) -> None:
        """End the work in hand, to be taken up at the next start; admit no more. Quick."""
        self._stopping = True
        for live in self._live.values():
            live.end("interrupted")
            if live.id not in self._at_work:
                live.log.close()
        if not await self._worker.stop(STOP_SECONDS):
            log.error("jobs_not_stopped")

    async def _work_on_next(self) -> bool:
        row = await self._ledger.claim()
        if row is None:
            return False
        live = self._live.get(row.id) or LiveJob(row.id, row.user_id, row.key_id)
        self._live[row.id] = live
        self._at_work.add(row.id)
        try:
            await self._tell_positions()
            work = Work(self._settings, self._files, self._calls, self._ledger, row=row, live=live)
            await work.run()
        finally:
            self._at_work.discard(row.id)
            self._live.pop(row.id, None)
            live.log.close()
            live.settled.set()
        await self._tell_positions()
        return True

    async def _end(self, jobs: list[LiveJob]) -> None:
        for live in jobs:
            live.end("cancelled")
        for live in jobs:
            if live.id not in self._at_work:
                await self._ledger.settle(live, "cancelled")
                if live.id not in self._at_work:
                    self._live.pop(live.id, None)
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                for live in jobs:
                    await live.settled.wait()
        await self._tell_positions()

    async def _tell_positions(self) -> None:
        """Tell every waiting job its place. Failing to is no reason to stop the work."""
        try:
            waiting = await self._ledger.order()
        except Exception as error:
            log.error("job_positions_not_read", exc_info=error)
            return
        for position, id in enumerate(waiting, 1):
            # One that was begun since does not wait any more.
            if (live := self._live.get(id)) and id not in self._at_work:
                live.queue_at(position)

    async def _row(self, user_id: str, id: str) -> JobRow:
        async with self._database.read() as session:
            row = await JobsRepository(session, user_id).get(id)
        if row is None:
            raise NotFound("There is no such job.", code="job_not_found")
        return row

    def _shown(self, row: JobRow) -> Job:
        live = self._live.get(row.id)
        return Job.of(row, live.position if live else None)

    def _too_many(self) -> ApiError:
        most = self._settings.jobs_per_user
        return TooManyRequests(
            f"You already have {most} jobs that wait or run. Wait for one to end, or cancel one.",
            code="job_limit",
            retry_after=RETRY_SECONDS,
        )
