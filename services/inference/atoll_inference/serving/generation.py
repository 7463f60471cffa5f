"""One streamed request on its way through a lane."""

import asyncio
import time

from atoll_inference.engines.chat import ChatEvent, ChatRequest, Delta, Finished, Prefill
from atoll_inference.serving.caller import Caller
from atoll_inference.serving.output import OutputBuffer
from atoll_kit.errors import ApiError


class Generation:
    """A request, its output and its times (seconds of the monotonic clock).

    The event loop owns it; `emit` alone is called on the engine's thread.
    """

    def __init__(
        self, request: ChatRequest, caller: Caller, output: OutputBuffer, deadline: float
    ) -> None:
        self.request = request
        self.caller = caller
        self.output = output
        self.deadline = deadline
        self.arrived = time.monotonic()
        self.started: float | None = None
        self.first_text: float | None = None
        self.last_sign = self.arrived
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self.announced = False
        """Whether the client is told its place in the queue."""
        self.timer: asyncio.TimerHandle | None = None
        self.finished = False
        self.failure: ApiError | None = None

    def emit(self, event: ChatEvent) -> bool:
        """Pass an event of the engine on; True when the engine should stop."""
        self.last_sign = time.monotonic()
        if isinstance(event, Delta):
            if self.first_text is None:
                self.first_text = self.last_sign
            self.completion_tokens += 1
            return self.output.put(event)
        if isinstance(event, Finished):
            self.prompt_tokens = event.prompt_tokens
            self.completion_tokens = event.completion_tokens
            self.finished = True
            return self.output.put(event)
        assert isinstance(event, Prefill)
        self.prompt_tokens = event.prompt_tokens
        return self.failure is not None

    def fail(self, error: ApiError) -> None:
        """End with `error` unless it already has an end."""
        if self.failure is None and not self.finished:
            self.failure = error
            self.output.fail(error)

    def is_stalled(self, seconds: float) -> bool:
        """Whether it runs and has given no sign of life for `seconds`, its reader not at fault."""
        return (
            self.started is not None
            and not self.output.blocked
            and time.monotonic() - self.last_sign > seconds
        )
