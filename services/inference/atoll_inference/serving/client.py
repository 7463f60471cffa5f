"""What the routes know of serving: take a seat or stream, read the answer, cancel."""

import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Protocol

from atoll_inference.catalog.checkpoint import Defaults
from atoll_inference.engines.chat import ChatMessage, ChatRequest, Finished
from atoll_inference.serving.batch_lane import BatchLane, Seat
from atoll_inference.serving.caller import Caller, ConcurrencyLimit
from atoll_inference.serving.cancel import Cancel, cancelled
from atoll_inference.serving.output import OutputEvent
from atoll_inference.serving.registry import Registry
from atoll_inference.serving.stream_lane import StreamLane
from atoll_kit.errors import ApiError, Unprocessable

PING_S = 15.0
"""A silent stream gives an `Idle` event this often, in seconds."""


@dataclass(frozen=True, slots=True)
class Served:
    """The model that answers, as the client may name it."""

    id: str
    context_length: int


class Client(Protocol):
    """Serving, in this process or behind another one."""

    def stream(
        self,
        model: str | None,
        request: ChatRequest,
        *,
        caller: Caller,
        deadline: float,
        cancel: Cancel,
    ) -> AsyncGenerator[Served | OutputEvent]:
        """The answer: first the model that gives it, then events, `Finished` last.

        Args:
            model: a name or an alias; None is the default chat model.
            deadline: on the monotonic clock.
            cancel: ends the request at the next generation step.

        Raises:
            ApiError: as the message says; before the first event nothing was generated.
        """
        ...

    def seat(
        self,
        slot: str,
        model: str | None,
        *,
        caller: Caller,
        deadline: float,
        cancel: Cancel,
        bulk: bool = False,
    ) -> AbstractAsyncContextManager[Seat]:
        """A place with a model of `slot`, taken before the input is decoded.

        Args:
            model: a name or an alias; None is the default model of the slot.
            deadline: on the monotonic clock.
            cancel: ends the request at the next step.
            bulk: many inputs, which give way to single requests.

        Raises:
            ApiError: `model_not_installed`, `model_loading`, `queue_full` and others.
        """
        ...

    def cancel(self, *, user: str | None = None, key: str | None = None) -> int:
        """End all requests of a user or of an API key, queued and running; returns how many."""
        ...


class LocalClient:
    """Serving by the models of this process."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._limit = ConcurrencyLimit()
        self._closed: ApiError | None = None

    async def stream(
        self,
        model: str | None,
        request: ChatRequest,
        *,
        caller: Caller,
        deadline: float,
        cancel: Cancel,
    ) -> AsyncGenerator[Served | OutputEvent]:
        """See `Client.stream`."""
        if self._closed is not None:
            raise self._closed
        with self._limit.enter(caller):
            async with self._registry.use(model, "chat") as used:
                lane = used.lane
                assert isinstance(lane, StreamLane)
                context = lane.engine.context_length
                filled = with_defaults(request, used.checkpoint.defaults, context)
                generation = lane.submit(filled, caller, cancel, deadline)
                try:
                    yield Served(used.id, context)
                    while True:
                        event = await generation.output.get(PING_S)
                        yield event
                        if isinstance(event, Finished):
                            return
                finally:
                    # Reached early when the reader goes away; harmless when the answer is complete.
                    lane.abort(generation, cancel.error or cancelled())

    @asynccontextmanager
    async def seat(
        self,
        slot: str,
        model: str | None,
        *,
        caller: Caller,
        deadline: float,
        cancel: Cancel,
        bulk: bool = False,
    ) -> AsyncIterator[Seat]:
        """See `Client.seat`."""
        if self._closed is not None:
            raise self._closed
        with self._limit.enter(caller):
            async with self._registry.use(model, slot) as used:
                assert isinstance(used.lane, BatchLane)
                seat = used.lane.reserve(caller, cancel, deadline, bulk=bulk)
                try:
                    yield seat
                finally:
                    seat.close()

    def cancel(self, *, user: str | None = None, key: str | None = None) -> int:
        """See `Client.cancel`."""

        def matches(caller: Caller) -> bool:
            return (user is not None and caller.user == user) or (
                key is not None and caller.key == key
            )

        lanes = [m.lane for m in self._registry.models if m.lane is not None]
        return sum(lane.abort_where(matches, cancelled()) for lane in lanes)

    def close(self, error: ApiError) -> None:
        """Refuse what comes and end what runs with `error`."""
        self._closed = error
        for model in self._registry.models:
            if model.lane is not None:
                model.lane.abort_where(lambda _: True, error)


def with_defaults(request: ChatRequest, defaults: Defaults, context_length: int) -> ChatRequest:
    """`request` with the checkpoint's defaults where it is silent.

    Raises:
        Unprocessable: `max_tokens` is more than the context holds.
    """
    if request.max_tokens is not None and request.max_tokens > context_length:
        raise Unprocessable(
            f"`max_tokens`: {request.max_tokens} is more than the {context_length} tokens of this "
            "model's context.",
            param="max_tokens",
        )
    messages = request.messages
    if defaults.system_prompt and not any(m.role == "system" for m in messages):
        messages = (ChatMessage("system", defaults.system_prompt), *messages)
    return replace(
        request,
        messages=messages,
        max_tokens=request.max_tokens or defaults.max_tokens or context_length,
        temperature=(defaults.temperature if request.temperature is None else request.temperature),
        top_p=defaults.top_p if request.top_p is None else request.top_p,
    )


def deadline_in(seconds: float) -> float:
    """A deadline that many seconds from now, on the clock of `Client.stream`."""
    return time.monotonic() + seconds
