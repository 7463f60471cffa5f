"""What a run has written so far: at once for its readers, in batches for the database."""

import asyncio
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from atoll_chat.conversations.schemas import Message, RunError, Status, Usage
from atoll_chat.conversations.service import ConversationsService
from atoll_chat.database import Database
from atoll_chat.identifiers import now
from atoll_chat.runs import events
from atoll_chat.runs.events import Event
from atoll_chat.runs.log import RunLog
from atoll_chat.runs.repository import RunsRepository
from atoll_kit.logs import get_logger

log = get_logger(__name__)

FLUSH_SECONDS = 0.25
FLUSH_BYTES = 4096
FINAL_TRIES = 5


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended."""

    status: Status
    error: RunError | None = None
    usage: Usage | None = None


class RunDeleted(Exception):
    """The run's rows are gone: its conversation was deleted meanwhile."""


class Transcript:
    """The answer and the event log of one run.

    Events reach readers when they happen. Every 250 ms or 4 kB they are stored, together with the
    text so far, in one transaction: what a crash leaves behind is consistent.
    """

    def __init__(
        self,
        database: Database,
        conversations: ConversationsService,
        *,
        user_id: str,
        run_id: str,
        answer: Message,
    ) -> None:
        self._database = database
        self._conversations = conversations
        self._user_id = user_id
        self._run_id = run_id
        self.answer = answer
        self.log = RunLog()
        self._text: list[str] = []
        self._pending: list[Event] = []
        self._pending_bytes = 0
        self._dirty = asyncio.Event()
        self._full = asyncio.Event()
        self._closing = False
        self.write("message", events.message(answer))

    @property
    def text(self) -> str:
        """The answer so far."""
        return "".join(self._text)

    def write(self, name: str, data: dict[str, object]) -> None:
        """Give an event to the readers now and to the database soon."""
        self._pending.append(self.log.append(name, data))
        self._dirty.set()

    def add(self, text: str) -> None:
        """Append `text` to the answer."""
        self._text.append(text)
        self._pending_bytes += len(text.encode())
        if self._pending_bytes >= FLUSH_BYTES:
            self._full.set()
        self.write("delta", events.delta(self.answer.id, text))

    async def keep(self) -> None:
        """Store batches until `close`.

        Raises:
            RunDeleted: there is nothing left to store to.
        """
        while True:
            await self._dirty.wait()
            try:
                async with asyncio.timeout(FLUSH_SECONDS):
                    await self._full.wait()
            except TimeoutError:
                pass
            if self._closing:
                return
            self._dirty.clear()
            self._full.clear()
            self._pending_bytes = 0
            try:
                await self._flush()
            except RunDeleted:
                raise
            except Exception as error:
                # A full disk must not end the answer: what is pending is tried again.
                log.error("run_not_stored", run_id=self._run_id, exc_info=error)
                self._dirty.set()
                await asyncio.sleep(FLUSH_SECONDS)

    def close(self) -> None:
        """End `keep`; the batch in hand is finished first."""
        self._closing = True
        self._dirty.set()
        self._full.set()

    async def finish(self, ending: Ending) -> Message:
        """Store the end of the run, then tell the readers; to be called once, after `keep`.

        The final event is published after it is stored, so that whoever reloads on it finds the
        finished answer.
        """
        finished: Message | None = None
        for attempt in range(FINAL_TRIES):
            try:
                finished = await self._store(ending)
                break
            except RunDeleted:
                break
            except Exception as error:
                log.error("run_end_not_stored", run_id=self._run_id, exc_info=error)
                await asyncio.sleep(FLUSH_SECONDS * 2**attempt)
        shown = finished or self._imagined(ending)
        self.log.add(Event(self.log.end + 1, *events.final(shown)))
        return shown

    async def _flush(self) -> None:
        batch = list(self._pending)
        if not batch:
            return
        status: Status = "streaming" if self._text else "queued"
        text = self.text
        async with self._database.write() as session:
            await self._save(session, Ending(status), text, batch)
        del self._pending[: len(batch)]

    async def _store(self, ending: Ending) -> Message:
        async with self._database.write() as session:
            answer = await self._save(session, ending, self.text, [])
            last = Event(self.log.end + 1, *events.final(answer))
            runs = RunsRepository(session, self._user_id)
            runs.add_events(self._run_id, [*self._pending, last])
            run = await runs.get(self._run_id)
            assert run is not None
            run.error = ending.error.model_dump() if ending.error else None
            run.events_end = last.id
            run.finished_at = now()
        return answer

    async def _save(
        self, session: AsyncSession, ending: Ending, text: str, batch: list[Event]
    ) -> Message:
        runs = RunsRepository(session, self._user_id)
        run = await runs.get(self._run_id)
        answer = await self._conversations.save_answer(
            session,
            self._user_id,
            self.answer.id,
            status=ending.status,
            content=text,
            error=ending.error,
            usage=ending.usage,
        )
        if run is None or answer is None:
            raise RunDeleted
        run.status = ending.status
        if batch:
            runs.add_events(self._run_id, batch)
        return answer

    def _imagined(self, ending: Ending) -> Message:
        return self.answer.model_copy(
            update={
                "content": self.text,
                "status": ending.status,
                "error": ending.error,
                "usage": ending.usage,
            }
        )
