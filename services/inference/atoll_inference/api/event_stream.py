"""The streamed form of a chat answer: server-sent events, written straight to the connection."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from atoll_inference.api.chat_answer import ChunkWriter
from atoll_inference.api.disconnect import cancelled_on_disconnect
from atoll_inference.engines.chat import Delta, Finished
from atoll_inference.serving.cancel import Cancel, slow_client
from atoll_inference.serving.client import Served
from atoll_inference.serving.output import OutputEvent, Queued
from atoll_kit.errors import ApiError, error_response
from atoll_kit.logs import get_logger

log = get_logger(__name__)

Events = AsyncGenerator[Served | OutputEvent]


class ChatEventStream(Response):
    """Sends the events of one answer.

    Nothing is sent before the engine has accepted the request or the request has waited for a
    while, so that refusals keep their status; later failures are a last `data:` line with the
    error. While a request waits its place is told as the comment `: queued N`, and a silent
    stream carries a comment `: ping`.

    Args:
        slow_client_s: a client that accepts nothing for this long is dropped, in seconds.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        events: Events,
        *,
        identifier: str,
        include_usage: bool,
        cancel: Cancel,
        slow_client_s: float,
    ) -> None:
        super().__init__(
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
            media_type="text/event-stream",
        )
        del self.headers["content-length"]
        self._events = events
        self._identifier = identifier
        self._include_usage = include_usage
        self._cancel = cancel
        self._slow_client_s = slow_client_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer to the end, or until the client goes away."""
        connection = _Connection(send, self.status_code, self.raw_headers, self._slow_client_s)
        async with (
            cancelled_on_disconnect(receive, self._cancel),
            aclosing(self._events) as events,
        ):
            try:
                await self._write(events, connection)
            except ApiError as error:
                self._cancel.set(error)  # when the failure is this connection's own
                log.info("stream_ended_early", code=error.code)
                if error.code in ("client_closed_request", "slow_client"):
                    return
                if not connection.begun:
                    await error_response(error)(scope, receive, send)
                    return
                await connection.write(ChunkWriter.error(error))
            await connection.end()

    async def _write(self, events: Events, connection: "_Connection") -> None:
        writer: ChunkWriter | None = None
        started = False
        async for event in events:
            if isinstance(event, Served):
                writer = ChunkWriter(self._identifier, event.id)
                continue
            assert writer is not None
            if isinstance(event, Delta):
                lead = b"" if started else writer.role()
                started = True
                await connection.write(lead + writer.text(event.text))
            elif isinstance(event, Finished):
                lead = b"" if started else writer.role()
                await connection.write(lead + writer.end(event, include_usage=self._include_usage))
            elif isinstance(event, Queued):
                await connection.write(f": queued {event.position}\n\n".encode())
            else:
                await connection.write(b": ping\n\n")


class _Connection:
    """Sends the head with the first bytes, and gives up on a client that takes nothing."""

    def __init__(
        self, send: Send, status: int, headers: list[tuple[bytes, bytes]], patience_s: float
    ) -> None:
        self.begun = False
        self._send = send
        self._status = status
        self._headers = headers
        self._patience_s = patience_s

    async def write(self, data: bytes) -> None:
        if not self.begun:
            self.begun = True
            await self._send(
                {
                    "type": "http.response.start",
                    "status": self._status,
                    "headers": self._headers,
                }
            )
        try:
            async with asyncio.timeout(self._patience_s):
                await self._send({"type": "http.response.body", "body": data, "more_body": True})
        except TimeoutError:
            raise slow_client(self._patience_s) from None

    async def end(self) -> None:
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})
