"""One job at work: ask inference, wait where it is busy, keep what it makes, end once."""

import asyncio
import json
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar, cast

from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from atoll_chat.files.schemas import File
from atoll_chat.files.service import FilesService
from atoll_chat.jobs.calls import Answer, Asker, BrokenOff, MadeFile, Progress, Queued, TaskCalls
from atoll_chat.jobs.ledger import INTERRUPTED, JobGone, Ledger
from atoll_chat.jobs.live import LiveJob
from atoll_chat.jobs.schemas import JobError, TaskName
from atoll_chat.jobs.tables import JobRow
from atoll_chat.jobs.tasks import kind_of, result_name
from atoll_chat.settings import Settings
from atoll_kit.errors import ApiError, BadRequest
from atoll_kit.logs import get_logger

log = get_logger(__name__)
T = TypeVar("T")

FIRST_RETRY = 0.5
LONGEST_RETRY = 10.0
FETCHES = 3
SAVE_SECONDS = 1.0
JSON = "application/json"

# What passes by itself: others leave the queue, a model is loaded, a service is restarted.
_PASSING = frozenset(
    {"queue_full", "model_loading", "memory_budget", "concurrency_limit", "upstream_unavailable"}
)
_DISK_FULL = JobError(
    code="disk_full",
    message="The server's disk is full, so the result was not kept. Ask an administrator, then "
    "start the job again.",
)


class Ended(Exception):
    """Somebody asked the job to end."""


class Work:
    """The work on one claimed job. `run` stores how it ended, whatever happened."""

    def __init__(
        self,
        settings: Settings,
        files: FilesService,
        calls: TaskCalls,
        ledger: Ledger,
        *,
        row: JobRow,
        live: LiveJob,
    ) -> None:
        self._settings = settings
        self._files = files
        self._calls = calls
        self._ledger = ledger
        self._row = row
        self.live = live
        self._attempt = row.attempts
        self._saved = time.monotonic()

    async def run(self) -> None:
        """Work until the job is complete, failed, cancelled, or the service stops."""
        self.live.log.write("progress", {"fraction": 0.0, "stage": None})
        try:
            answer = await self._unless_ended(self._answered())
            await self._keep(answer)
            await self._ledger.settle(self.live, "complete")
        except Ended:
            if self.live.reason == "interrupted":
                # Left running in the database: the next start takes it up again.
                self.live.log.close()
                self.live.settled.set()
            else:
                await self._ledger.settle(self.live, "cancelled")
        except JobGone:
            await self._ledger.settle(self.live, "cancelled")
        except ApiError as error:
            await self._ledger.settle(self.live, "failed", _explained(error))
        except TimeoutError:
            await self._ledger.settle(self.live, "failed", self._too_long())
        except Exception as error:
            log.error("job_failed", job_id=self.live.id, exc_info=error)
            await self._ledger.settle(self.live, "failed", _unexpected(error))

    async def _answered(self) -> Answer:
        """The answer of inference. Where it is busy, wait; where it breaks off, try once more."""
        body = await self._body()
        deadline = self._queue_deadline()
        pause = FIRST_RETRY
        while True:
            try:
                return await self._asked(body)
            except BrokenOff as error:
                attempt = await self._ledger.begin_again(self.live)
                if attempt is None:
                    raise ApiError(INTERRUPTED.message, code=INTERRUPTED.code) from error
                log.warning("job_broken_off", job_id=self.live.id, attempt=attempt)
                self._attempt, deadline = attempt, self._queue_deadline()
            except ApiError as error:
                if error.code not in _PASSING and error.status != 429:
                    raise
                if time.monotonic() >= deadline:
                    raise self._waited_too_long(error.message) from error
            # Spread out, so that those who were refused together do not come back together.
            left = max(deadline - time.monotonic(), 0.01)
            await asyncio.sleep(min(pause * random.uniform(0.5, 1.0), left))  # noqa: S311
            pause = min(pause * 2, LONGEST_RETRY)

    async def _body(self) -> dict[str, Any]:
        """The request to the task. A text is sent itself, as its routes take no file."""
        file, path = await self._files.content(self.live.user_id, self._row.input_id)
        kind = kind_of(self._task, file)
        if kind != "text":
            return {**self._row.parameters, kind: {"file_id": file.id}}
        content = await asyncio.to_thread(path.read_bytes)
        try:
            return {**self._row.parameters, kind: content.decode("utf-8-sig")}
        except UnicodeDecodeError:
            raise BadRequest(
                f"{file.name} is not text in UTF-8. Save it as such and start the job again.",
                code="undecodable",
            ) from None

    async def _asked(self, body: dict[str, Any]) -> Answer:
        async with (
            asyncio.timeout(self._settings.job_timeout),
            aclosing(self._calls.work(self._task, body, self._asker)) as events,
        ):
            async for said in events:
                match said:
                    case Answer():
                        return said
                    case Queued(position):
                        self.live.queue_at(position)
                    case Progress(fraction, stage):
                        await self._progressed(fraction, stage)
        raise BrokenOff("The inference service stopped in the middle of the work.")

    async def _progressed(self, fraction: float, stage: str | None) -> None:
        """Tell the readers, and now and then the database."""
        self.live.log.write("progress", {"fraction": fraction, "stage": stage})
        at = time.monotonic()
        if at - self._saved >= SAVE_SECONDS:
            self._saved = at
            try:
                await self._ledger.save_progress(self.live, fraction, stage)
            except OperationalError as error:
                # A full disk must not end the work: the next progress is stored instead.
                log.error("job_progress_not_stored", job_id=self.live.id, exc_info=error)

    async def _keep(self, answer: Answer) -> None:
        """Store the result and, in the same transaction, that the job is complete.

        Ended only between two pieces of the result, so that a file is stored whole or not at all.
        """
        made = answer.file
        media_type = made.media_type if made else JSON
        name = result_name(self._task, self._row.input_name, media_type, made.name if made else "")

        async def also(session: AsyncSession, file: File) -> None:
            await self._ledger.complete(session, self.live, file, answer.model)

        for left in reversed(range(FETCHES)):
            chunks = self._fetched(made) if made else _written(answer.content)
            try:
                await self._files.store(
                    self.live.user_id, name=name, media_type=media_type, chunks=chunks, also=also
                )
                return
            except ApiError as error:
                # The result stays at inference until it was read to the end.
                if not left or error.code not in (BrokenOff.code, "upstream_unavailable"):
                    raise
                await asyncio.sleep(FIRST_RETRY)

    async def _fetched(self, made: MadeFile) -> AsyncIterator[bytes]:
        async with aclosing(self._calls.fetch(made, self._asker)) as chunks:
            while chunk := await self._unless_ended(_next(chunks)):
                yield chunk

    async def _unless_ended(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` returns; it is stopped when the job is asked to end.

        Raises:
            Ended: it was.
        """
        task = asyncio.create_task(work)
        ended = asyncio.create_task(self.live.ended.wait())
        try:
            await asyncio.wait({task, ended}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
            if not task.done():
                task.cancel()
            await asyncio.gather(task, ended, return_exceptions=True)
        if task.cancelled() or self.live.ended.is_set():
            raise Ended
        return task.result()

    @property
    def _task(self) -> TaskName:
        return cast(TaskName, self._row.task)

    @property
    def _asker(self) -> Asker:
        return Asker(self.live.id, self.live.user_id, self.live.key_id, self._attempt)

    def _queue_deadline(self) -> float:
        return time.monotonic() + self._settings.job_queue_timeout

    def _too_long(self) -> JobError:
        return JobError(
            code="deadline_exceeded",
            message=f"The job was not finished within {self._settings.job_timeout:.0f} s. Send the "
            "input in parts, or ask an administrator to raise JOB_TIMEOUT.",
        )

    def _waited_too_long(self, reason: str) -> ApiError:
        return ApiError(
            f"No model was free within {self._settings.job_queue_timeout:.0f} s. Start the job "
            f"again later. The reason given last: {reason}",
            code="queue_timeout",
        )


async def _next(chunks: AsyncGenerator[bytes]) -> bytes:
    return await anext(chunks, b"")


async def _written(content: dict[str, Any]) -> AsyncIterator[bytes]:
    yield (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode()


def _explained(error: ApiError) -> JobError:
    if error.code == "storage_full":
        return _DISK_FULL
    if error.code == "file_too_large":
        return JobError(
            code="result_too_large",
            message=f"The result is larger than a stored file may be. {error.message} That is "
            "MAX_UPLOAD_BYTES.",
        )
    if error.code == "not_found":
        return JobError(code="file_not_found", message="The job's file was deleted meanwhile.")
    return JobError(code=error.code, message=error.message)


def _unexpected(error: Exception) -> JobError:
    if isinstance(error, OperationalError) and "full" in str(error.orig):
        return _DISK_FULL
    return JobError(
        code="internal_error",
        message="Something failed on the server while it worked on this job. It was logged; start "
        "the job again, and tell an administrator if that does not help.",
    )
