"""A chat completion passed through: bytes in, the same bytes out, nothing buffered."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from atoll_chat.accounts.principal import Principal
from atoll_chat.backend import Backend
from atoll_chat.compat.counting import Counting
from atoll_chat.compat.request import CompletionRequest
from atoll_chat.event_stream import MEDIA_TYPE
from atoll_chat.identifiers import new_id
from atoll_chat.models.schemas import Model
from atoll_chat.runs.admission import Place
from atoll_chat.runs.sse import STREAM_HEADERS, client_gone
from atoll_chat.upstream_errors import broken_off, not_understood
from atoll_chat.usage.schemas import UsageReport
from atoll_kit.errors import (
    ApiError,
    Forbidden,
    Unavailable,
    error_payload,
    error_response,
    internal_error,
)
from atoll_kit.logs import get_logger
from atoll_kit.request_id import request_id

log = get_logger(__name__)

DONE = b"data: [DONE]"
# Inside the text of an answer its quotes would be escaped.
ERROR = b'{"error"'


class SlowClient(Exception):
    """The client kept its buffer full for too long."""


class Relay(Response):
    """Asks the model and passes its answer on.

    What goes wrong before the first byte is an error with its status; after it, an error chunk
    ends the stream. The generation ends when the client leaves, loses access, or reads too slowly.
    """

    def __init__(self, held: Backend, user: Principal, request: CompletionRequest) -> None:
        super().__init__()
        self._held = held
        self._user = user
        self._request = request
        self._started = False
        self._complete = False
        self._counting: Counting | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            with self._held.runs.hold(self._user) as place:
                await self._serve(place, receive, send)
        except SlowClient:
            log.warning("slow_client", user=self._user.user_id)
        except ApiError as error:
            if not self._started:
                await error_response(error)(scope, receive, send)
                return
            # The head is gone, so the status cannot say it: OpenAI's clients read this chunk.
            chunk = b"data: " + json.dumps(error_payload(error), ensure_ascii=False).encode()
            with suppress(SlowClient):
                await self._send(send, chunk + b"\n\n")
                await self._send(send, b"", more=False)

    async def _serve(self, place: Place, receive: Receive, send: Send) -> None:
        work = asyncio.create_task(self._relay(send))
        gone = asyncio.create_task(client_gone(receive))
        ended = asyncio.create_task(place.ended.wait())
        try:
            await asyncio.wait({work, gone, ended}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # The client may leave the moment it has everything.
            finished = work.done() or self._complete
            for task in (work, gone, ended):
                task.cancel()
            # Waited for: the connection upstream is closed when this returns.
            await asyncio.gather(work, gone, ended, return_exceptions=True)
            if self._counting:
                # Here and not in the work, which a client that leaves cuts short.
                await self._report(self._counting)
        if finished:
            if not work.cancelled():
                work.result()
        elif place.reason == "revoked":
            raise Forbidden("Access was withdrawn while the answer was written.", code="revoked")
        elif place.reason:
            raise Unavailable(
                "The service is restarting. Ask again in a moment.",
                code="interrupted",
                retry_after=2,
            )
        else:
            log.info("client_gone", status=499)

    async def _relay(self, send: Send) -> None:
        model = await self._held.models.resolve(self._request.model)
        foreign = model.source == "upstream"
        content = self._request.bytes_for(model.id, count=foreign)
        identity = self._held.runs.identity(self._user)
        try:
            async with self._held.upstream.open_chat(model.source, content, identity) as answer:
                if foreign:
                    # Inference reports for itself; a foreign upstream does not.
                    self._counting = Counting(model.id, hide=not self._request.wants_usage)
                if self._request.stream:
                    await self._stream(model, answer, send)
                else:
                    await self._whole(model, answer, send)
        except (ApiError, SlowClient):
            raise
        except Exception as error:
            raise internal_error(error) from error

    async def _stream(self, model: Model, answer: httpx.Response, send: Send) -> None:
        if MEDIA_TYPE not in answer.headers.get("content-type", ""):
            raise not_understood(model.source)
        chunks: AsyncIterator[bytes] = answer.aiter_raw()
        if self._counting:
            chunks = self._counting.relay(chunks)
        tail = b""
        told = False
        async for chunk in chunks:
            if not self._started:
                await self._head(send, {"Content-Type": f"{MEDIA_TYPE}; charset=utf-8"})
            await self._send(send, chunk)
            tail = (tail + chunk)[-256:]
            told = told or ERROR in chunk
        if DONE not in tail and not told:
            raise broken_off(model.source)
        await self._send(send, b"", more=False)

    async def _whole(self, model: Model, answer: httpx.Response, send: Send) -> None:
        if "application/json" not in answer.headers.get("content-type", ""):
            raise not_understood(model.source)
        body = b"".join([chunk async for chunk in answer.aiter_raw()])
        if self._counting:
            self._counting.read(body)
        length = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        await self._head(send, length)
        await self._send(send, body, more=False)

    async def _head(self, send: Send, headers: dict[str, str]) -> None:
        pairs = {**STREAM_HEADERS, **headers}.items()
        raw = [(name.lower().encode(), value.encode()) for name, value in pairs]
        self._started = True
        await send({"type": "http.response.start", "status": 200, "headers": raw})

    async def _send(self, send: Send, body: bytes, *, more: bool = True) -> None:
        self._complete = not more
        try:
            async with asyncio.timeout(self._held.settings.slow_client_seconds):
                await send({"type": "http.response.body", "body": body, "more_body": more})
        except TimeoutError:
            raise SlowClient from None

    async def _report(self, counting: Counting) -> None:
        usage = counting.usage
        report = UsageReport(
            request_id=request_id() or new_id(),
            user=self._user.user_id,
            key=self._user.key_id,
            model=counting.model,
            kind="chat",
            prompt_tokens=usage.prompt_tokens if usage else 0,
            completion_tokens=usage.completion_tokens if usage else 0,
            seconds=counting.seconds,
            created_at=counting.began,
        )
        await self._held.usage.record([report])
