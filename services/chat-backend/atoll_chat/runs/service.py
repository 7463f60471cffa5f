"""Runs: start them, follow them, stop them, and end what a crash left open."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, suppress
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from atoll_chat.accounts.principal import Principal
from atoll_chat.conversations.schemas import Message
from atoll_chat.conversations.service import ConversationsService, Newest
from atoll_chat.database import Database
from atoll_chat.identifiers import new_id, now
from atoll_chat.models.service import ModelsService
from atoll_chat.runs import events
from atoll_chat.runs.admission import Admission, Place
from atoll_chat.runs.aftercare import Aftercare
from atoll_chat.runs.events import Event
from atoll_chat.runs.generation import INTERRUPTED, Assignment, Generation
from atoll_chat.runs.log import Reader, RunLog
from atoll_chat.runs.repository import UNFINISHED, RunsRepository
from atoll_chat.runs.schemas import Accepted, Run
from atoll_chat.runs.tables import RunRow
from atoll_chat.runs.transcript import Transcript
from atoll_chat.settings import Settings
from atoll_chat.upstream import Identity, Upstream
from atoll_chat.usage.schemas import UsageReport
from atoll_chat.usage.service import UsageService
from atoll_kit.errors import ApiError, Conflict, NotFound
from atoll_kit.logs import get_logger

log = get_logger(__name__)

STOP_SECONDS = 2.5


class RunsService:
    """Every run of this process, live ones in memory and all of them in the database."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        upstream: Upstream,
        *,
        models: ModelsService,
        usage: UsageService,
        conversations: ConversationsService,
    ) -> None:
        self._settings = settings
        self._database = database
        self._upstream = upstream
        self._models = models
        self._usage = usage
        self._conversations = conversations
        self._admission = Admission(settings.max_concurrent)
        self._aftercare = Aftercare(
            database, conversations, kept=timedelta(minutes=settings.run_log_minutes)
        )
        self._live: dict[str, Generation] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._pruner: asyncio.Task[None] | None = None

    async def start(
        self,
        principal: Principal,
        conversation_id: str,
        *,
        content: str,
        parent_id: str | Newest | None,
        model: str | None,
    ) -> Accepted:
        """Store a question with its queued answer, and begin to generate it.

        Raises:
            TooManyRequests: `concurrency_limit`, with nothing stored, as for all others.
            NotFound: no such conversation, parent or model.
            Conflict: `run_in_progress` in this conversation.
            Unprocessable: the content or the parent is not valid.
        """
        self._conversations.check_content(content)

        async def ask(session: AsyncSession, message_id: str) -> Message:
            return await self._conversations.ask(
                session,
                principal.user_id,
                conversation_id,
                message_id=message_id,
                content=content,
                parent_id=parent_id,
            )

        return await self._begin(principal, conversation_id, model, ask, show="question")

    async def regenerate(
        self, principal: Principal, conversation_id: str, message_id: str, model: str | None
    ) -> Accepted:
        """Generate another answer beside `message_id`, to the same question.

        Raises:
            ApiError: as `start`.
        """

        async def question(session: AsyncSession, _: str) -> Message:
            return await self._conversations.answered(
                session, principal.user_id, conversation_id, message_id
            )

        return await self._begin(principal, conversation_id, model, question, show="answer")

    async def get(self, user_id: str, id: str) -> Run:
        """A run as it is stored.

        Raises:
            NotFound: it is absent, or another user's.
        """
        async with self._database.read() as session:
            return Run.model_validate(await _existing(RunsRepository(session, user_id), id))

    async def cancel(self, user_id: str, id: str) -> Run:
        """Stop a run and wait until its end is stored; a finished run stays as it is.

        Raises:
            NotFound: it is absent, or another user's.
        """
        generation = self._live.get(id)
        if generation and generation.place.user_id == user_id:
            generation.place.end("cancelled")
            await self._ended(id)
        run = await self.get(user_id, id)
        if run.status not in UNFINISHED or id in self._live:
            return run
        async with self._database.write() as session:
            abandoned = await _existing(RunsRepository(session, user_id), id)
            await self._aftercare.interrupt(session, abandoned)
        return Run.model_validate(abandoned)

    async def stop_conversation(self, user_id: str, conversation_id: str) -> None:
        """Stop what is being written in a conversation of this user."""
        for id, generation in list(self._live.items()):
            mine = generation.place.user_id == user_id
            if mine and generation.assignment.conversation_id == conversation_id:
                generation.place.end("cancelled")
                await self._ended(id)

    async def follow(self, user_id: str, id: str, after: int) -> Reader | None:
        """A reader of the events after `after`; None when the final one is not after it.

        Raises:
            NotFound: the run is absent, or another user's.
        """
        generation = self._live.get(id)
        if generation and generation.place.user_id == user_id:
            return Reader(generation.transcript.log, after)
        async with self._database.read() as session:
            runs = RunsRepository(session, user_id)
            run = await _existing(runs, id)
            if run.events_end and after == run.events_end:
                return None
            stored = await runs.events(run, after)
            answer = await self._conversations.read_answer(session, user_id, run.message_id)
        assert answer is not None
        if not stored or not stored[-1].is_final:
            stored = _snapshot(answer, run.events_end, after)
        return Reader(RunLog(stored))

    def hold(self, principal: Principal) -> AbstractContextManager[Place]:
        """A place for a generation that is no run; it counts against the same limit.

        Raises:
            TooManyRequests: `concurrency_limit`.
        """
        return self._admission.hold(principal.user_id, principal.key_id)

    def identity(self, principal: Principal, request_id: str | None = None) -> Identity:
        """How inference gets to know the caller."""
        return Identity(
            user_id=principal.user_id,
            role=principal.role,
            key_id=principal.key_id,
            max_concurrent=self._settings.max_concurrent,
            request_id=request_id,
        )

    async def cancel_all_of(self, kind: Literal["user", "key"], id: str) -> None:
        """Stop whatever is generated for a user, or through a key, that lost access."""
        self._admission.end_all_of(kind, id)

    async def recover(self) -> None:
        """End the runs that a crash left open, and begin to prune old logs."""
        await self._aftercare.recover()
        if self._pruner is None:
            self._pruner = asyncio.create_task(self._aftercare.prune_for_ever())

    async def stop_all(self) -> None:
        """End every generation as interrupted, keeping its text; admit no more. Quick."""
        self._admission.close()
        tasks = list(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=STOP_SECONDS)
            if late:
                # Left as they are: the next start ends them.
                log.error("runs_not_stopped", count=len(late))
        if self._pruner:
            self._pruner.cancel()
            with suppress(asyncio.CancelledError):
                await self._pruner
            self._pruner = None

    async def _begin(
        self,
        principal: Principal,
        conversation_id: str,
        model_name: str | None,
        message: Callable[[AsyncSession, str], Awaitable[Message]],
        *,
        show: Literal["question", "answer"],
    ) -> Accepted:
        place = self._admission.take(principal.user_id, principal.key_id)
        run_id = new_id()
        try:
            conversation = await self._conversations.get(principal.user_id, conversation_id)
            model = await self._models.resolve(model_name or conversation.model)
            # Ids order messages; two made in one millisecond are in no order by themselves.
            question_id, answer_id = sorted((new_id(), new_id()))
            async with self._database.write() as session:
                runs = RunsRepository(session, principal.user_id)
                given: Message = await message(session, question_id)
                if unfinished := await runs.unfinished(conversation_id):
                    if unfinished.id in self._live:
                        raise _in_progress()
                    # Its end could not be stored, or a crash left it open.
                    await self._aftercare.interrupt(session, unfinished)
                question = given.id if given.role == "user" else given.parent_id
                assert question is not None
                answer = await self._conversations.begin_answer(
                    session,
                    principal.user_id,
                    conversation_id,
                    message_id=answer_id,
                    parent_id=question,
                    run_id=run_id,
                    model=model.id,
                    keep_model=model_name is not None,
                )
                row = RunRow(
                    id=run_id, user_id=principal.user_id, conversation_id=conversation_id,
                    message_id=answer_id, status="queued", model=model.id, error=None,
                    events_end=0, created_at=now(), finished_at=None,
                )  # fmt: skip
                session.add(row)
                await session.flush()
                assignment = Assignment(
                    run_id=run_id,
                    conversation_id=conversation_id,
                    question_id=question,
                    model=model,
                    identity=self.identity(principal, request_id=run_id),
                )
                # Before the commit: whoever finds the run in the database finds it live.
                generation = self._live[run_id] = self._prepare(assignment, place, answer)
        except BaseException:
            self._live.pop(run_id, None)
            self._admission.release(place)
            raise
        self._tasks[run_id] = asyncio.create_task(self._run(generation))
        return Accepted(
            message=given if show == "question" else answer, run=Run.model_validate(row)
        )

    def _prepare(self, assignment: Assignment, place: Place, answer: Message) -> Generation:
        transcript = Transcript(
            self._database,
            self._conversations,
            user_id=place.user_id,
            run_id=assignment.run_id,
            answer=answer,
        )
        return Generation(
            self._settings,
            self._upstream,
            self._conversations,
            assignment=assignment,
            place=place,
            transcript=transcript,
        )

    async def _run(self, generation: Generation) -> None:
        assignment = generation.assignment
        started = now()
        try:
            await generation.run()
            await self._count(generation, started)
        except Exception as error:
            log.error("run_broke", run_id=assignment.run_id, exc_info=error)
        finally:
            self._admission.release(generation.place)
            self._live.pop(assignment.run_id, None)
            self._tasks.pop(assignment.run_id, None)

    async def _count(self, generation: Generation, started: datetime) -> None:
        assignment = generation.assignment
        counts = generation.ending.usage if generation.ending else None
        if assignment.model.source == "upstream" and counts:
            # Inference reports for itself; a foreign upstream does not.
            await self._usage.record(
                [
                    UsageReport(
                        request_id=assignment.run_id,
                        user=assignment.identity.user_id,
                        key=assignment.identity.key_id,
                        model=assignment.model.id,
                        kind="chat",
                        prompt_tokens=counts.prompt_tokens,
                        completion_tokens=counts.completion_tokens,
                        seconds=(now() - started).total_seconds(),
                        created_at=started,
                    )
                ]
            )

    async def _ended(self, id: str) -> None:
        if task := self._tasks.get(id):
            await asyncio.wait([task], timeout=STOP_SECONDS)


def _snapshot(answer: Message, end: int, after: int) -> list[Event]:
    """What a reader gets when the log is gone: the answer as it is stored, and the end."""
    if answer.status in UNFINISHED:
        # No process writes it and its end could not be stored; the next start will store this.
        answer = answer.model_copy(update={"status": "failed", "error": INTERRUPTED})
    last = max(end, after + 1, 2)
    final = Event(last, *events.final(answer))
    if after >= last - 1:
        return [final]
    return [Event(last - 1, "message", events.message(answer)), final]


async def _existing(runs: RunsRepository, id: str) -> RunRow:
    row = await runs.get(id)
    if row is None:
        raise NotFound("There is no such run.", code="run_not_found")
    return row


def _in_progress() -> ApiError:
    return Conflict(
        "An answer is being written in this conversation. Wait for it, or stop it.",
        code="run_in_progress",
    )
