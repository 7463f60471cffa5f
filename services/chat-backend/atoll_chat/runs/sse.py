"""The events of a run, or of a job, as server-sent events."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from atoll_chat.event_stream import MEDIA_TYPE, PING, encode
from atoll_kit.errors import ApiError
from atoll_kit.logs import get_logger

log = get_logger(__name__)

PING_SECONDS = 15.0
RECHECK_SECONDS = 30.0
STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Sendable(Protocol):
    """One event."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def data(self) -> dict[str, Any]: ...


class EventReader(Protocol):
    """What is read, from one position on."""

    @property
    def ended(self) -> bool: ...
    async def next(self, wait: float) -> Sequence[Sendable]:
        """Events not read yet; empty when none came in `wait` seconds."""


async def client_gone(receive: Receive) -> None:
    """Wait until the client closes the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


class RunEvents(Response):
    """Sends what `reader` reads until it has ended.

    The run never waits for this: a client that keeps its buffer full for `slow_seconds` is cut,
    and may resume. So is one that lost access: `recheck`, for streams that last, raises then.
    """

    media_type = MEDIA_TYPE

    def __init__(
        self,
        reader: EventReader,
        *,
        slow_seconds: float,
        recheck: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        super().__init__(headers=STREAM_HEADERS)
        del self.headers["content-length"]
        self._reader = reader
        self._slow_seconds = slow_seconds
        self._recheck = recheck
        self._checked = time.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sending = asyncio.create_task(self._send(send))
        gone = asyncio.create_task(client_gone(receive))
        try:
            await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            if not sending.done():
                sending.cancel()
            with suppress(asyncio.CancelledError):
                await sending

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        # The head goes out with the first body: the client learns at once that it is connected.
        body = PING
        more = True
        while more:
            more = not self._reader.ended
            try:
                async with asyncio.timeout(self._slow_seconds):
                    await send({"type": "http.response.body", "body": body, "more_body": more})
            except TimeoutError:
                log.warning("slow_client", seconds=self._slow_seconds)
                return
            if more:
                events = await self._reader.next(PING_SECONDS)
                body = b"".join(encode(e.name, e.data, id=e.id) for e in events) or PING
                if not await self._still_allowed():
                    await send({"type": "http.response.body", "body": b""})
                    return

    async def _still_allowed(self) -> bool:
        if self._recheck is None or time.monotonic() - self._checked < RECHECK_SECONDS:
            return True
        self._checked = time.monotonic()
        try:
            await self._recheck()
        except ApiError as refusal:
            log.info("stream_ended", code=refusal.code)
            return False
        return True
