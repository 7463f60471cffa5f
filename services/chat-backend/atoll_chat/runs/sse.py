"""A run's events as server-sent events."""

import asyncio
from contextlib import suppress

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from atoll_chat.event_stream import MEDIA_TYPE, PING, encode
from atoll_chat.runs.log import Reader
from atoll_kit.logs import get_logger

log = get_logger(__name__)

PING_SECONDS = 15.0
STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


async def client_gone(receive: Receive) -> None:
    """Wait until the client closes the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


class RunEvents(Response):
    """Sends what `reader` reads until the final event.

    The run never waits for this: a client that keeps its buffer full for `slow_seconds` is cut,
    and may resume.
    """

    media_type = MEDIA_TYPE

    def __init__(self, reader: Reader, *, slow_seconds: float) -> None:
        super().__init__(headers=STREAM_HEADERS)
        del self.headers["content-length"]
        self._reader = reader
        self._slow_seconds = slow_seconds

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
