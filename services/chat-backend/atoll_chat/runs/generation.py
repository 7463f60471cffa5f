"""One run at work: ask the model, write the answer, end once."""

import asyncio
import random
import time
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from atoll_chat.chunks import Characters, text_of, usage_of
from atoll_chat.conversations.schemas import RunError, Usage
from atoll_chat.conversations.service import ConversationsService
from atoll_chat.models.schemas import Model
from atoll_chat.runs import events
from atoll_chat.runs.admission import Place, Reason
from atoll_chat.runs.prompt import prompt
from atoll_chat.runs.transcript import Ending, RunDeleted, Transcript
from atoll_chat.settings import Settings
from atoll_chat.upstream import Identity, Upstream
from atoll_kit.errors import ApiError
from atoll_kit.logs import get_logger

log = get_logger(__name__)

FIRST_RETRY = 0.25
LONGEST_RETRY = 2.0

INTERRUPTED = RunError(
    code="interrupted",
    message="The server stopped while this answer was being written. The text so far is kept: "
    "ask for the answer again.",
)
_CONTEXT = RunError(
    code="context_length_exceeded",
    message="This conversation is longer than the model can read. Begin a new conversation, "
    "shorten the message, or choose a model with a longer context.",
)


@dataclass(frozen=True, slots=True)
class Assignment:
    """What is to be generated, and for whom."""

    run_id: str
    conversation_id: str
    question_id: str
    model: Model
    identity: Identity


class Generation:
    """The background task of one run.

    The work (waiting in the queue, reading chunks) can be stopped at any moment; the ending runs
    after it, in one place and once, whatever stopped the work.
    """

    def __init__(
        self,
        settings: Settings,
        upstream: Upstream,
        conversations: ConversationsService,
        *,
        assignment: Assignment,
        place: Place,
        transcript: Transcript,
    ) -> None:
        self._settings = settings
        self._upstream = upstream
        self._conversations = conversations
        self.assignment = assignment
        self.place = place
        self.transcript = transcript
        self.ending: Ending | None = None
        self._usage: Usage | None = None

    async def run(self) -> None:
        """Generate until the answer is complete, stopped or failed, and store how it ended."""
        work = asyncio.create_task(self._work())
        keep = asyncio.create_task(self.transcript.keep())
        ended = asyncio.create_task(self.place.ended.wait())
        await asyncio.wait({work, keep, ended}, return_when=asyncio.FIRST_COMPLETED)
        for task in (work, ended):
            task.cancel()
        self.transcript.close()
        done, deleted, _ = await asyncio.gather(work, keep, ended, return_exceptions=True)
        if isinstance(done, Ending):
            self.ending = done
        elif isinstance(deleted, RunDeleted):
            self.ending = Ending("stopped")
        elif self.place.reason:
            self.ending = self._stopped(self.place.reason)
        else:
            log.error("run_failed", run_id=self.assignment.run_id, exc_info=done)
            self.ending = Ending("failed", _internal(), self._usage)
        await self.transcript.finish(self.ending)
        log.info(
            "run_finished",
            run_id=self.assignment.run_id,
            status=self.ending.status,
            code=self.ending.error.code if self.ending.error else None,
        )

    def _stopped(self, reason: Reason) -> Ending:
        if reason == "interrupted":
            return Ending("failed", INTERRUPTED, self._usage)
        return Ending("stopped", usage=self._usage)

    async def _work(self) -> Ending:
        branch = await self._conversations.branch(
            self.assignment.identity.user_id,
            self.assignment.conversation_id,
            self.assignment.question_id,
        )
        body = {
            "model": self.assignment.model.id,
            "messages": prompt(branch),
            "stream_options": {"include_usage": True},
        }
        try:
            await self._until_admitted(body)
        except ApiError as error:
            return Ending("failed", _explained(error), self._usage)
        except TimeoutError:
            return Ending("failed", self._too_long(), self._usage)
        return Ending("complete", usage=self._usage)

    async def _until_admitted(self, body: dict[str, Any]) -> None:
        """Generate; while there is no room, or the model loads, wait and try again."""
        deadline = time.monotonic() + self._settings.run_queue_timeout
        pause = FIRST_RETRY
        while True:
            try:
                return await self._generate(body, deadline)
            except ApiError as error:
                remaining = deadline - time.monotonic()
                if not _worth_waiting(error) or self.transcript.text:
                    raise
                if remaining <= 0:
                    raise self._waited_too_long(error.message) from error
            # Spread out, so that those who were refused together do not come back together.
            await asyncio.sleep(min(pause * random.uniform(0.5, 1.0), max(remaining, 0.01)))  # noqa: S311
            pause = min(pause * 2, LONGEST_RETRY)

    async def _generate(self, body: dict[str, Any], queue_deadline: float) -> None:
        """One attempt. The clock of RUN_TIMEOUT stands while the request waits in a queue."""
        loop = asyncio.get_running_loop()
        waiting = False

        def queued(position: int) -> None:
            nonlocal waiting
            waiting = position > 0
            if waiting:
                self.transcript.write("queued", events.queued(position))
                clock.reschedule(loop.time() + queue_deadline - time.monotonic())
            else:
                clock.reschedule(loop.time() + self._settings.run_timeout)

        characters = Characters()
        model = self.assignment.model
        stream = self._upstream.stream_chat(
            model.source, body, self.assignment.identity, on_queued=queued
        )
        try:
            async with (
                asyncio.timeout(self._settings.run_timeout) as clock,
                aclosing(stream) as read,
            ):
                async for chunk in read:
                    if waiting:
                        queued(0)
                    if text := characters.feed(text_of(chunk)):
                        self.transcript.add(text)
                    if counts := usage_of(chunk):
                        self._usage = counts
        except TimeoutError:
            if waiting:
                raise self._waited_too_long("the model is busy with other answers.") from None
            raise
        if self._usage:
            self.transcript.write("usage", events.usage(self._usage))

    def _too_long(self) -> RunError:
        return RunError(
            code="deadline_exceeded",
            message=f"The answer was not finished within {self._settings.run_timeout:.0f} s. The "
            "text so far is kept: ask for a shorter answer, or for a part of it.",
        )

    def _waited_too_long(self, reason: str) -> ApiError:
        return ApiError(
            f"No place was free within {self._settings.run_queue_timeout:.0f} s. Ask again "
            f"later. The reason given last: {reason}",
            code="queue_timeout",
            status=503,
        )


def _worth_waiting(error: ApiError) -> bool:
    return error.status == 429 or error.code == "model_loading"


def _explained(error: ApiError) -> RunError:
    if error.code == "context_length_exceeded":
        return _CONTEXT
    return RunError(code=error.code, message=error.message)


def _internal() -> RunError:
    return RunError(
        code="internal_error",
        message="Something failed on the server while the answer was written. It was logged; ask "
        "for the answer again.",
    )
