"""Answers that are given before the request body was read, and still arrive.

A server that answers early and closes makes the kernel reset the connection while the client is
still sending; the client, here the gateway, then often loses the answer (RFC 9112, section 9.6).
So the last part of an early answer is held back until the sender has stopped, the body is over, or
a few seconds have passed; what is read meanwhile is dropped.
"""

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LINGER_SECONDS = 5.0


def has_body(scope: Scope) -> bool:
    """Whether the head of the request announces a body."""
    headers = Headers(scope=scope)
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


class LingerMiddleware:
    """Holds the end of an early answer back until the rest of the body was dropped."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not has_body(scope):
            await self.app(scope, receive, send)
            return
        finished = False

        async def watched() -> Message:
            nonlocal finished
            message = await receive()
            finished = message["type"] == "http.disconnect" or not message.get("more_body", False)
            return message

        async def drop_the_rest() -> None:
            try:
                async with asyncio.timeout(LINGER_SECONDS):
                    while not finished:
                        await watched()
            except TimeoutError:
                pass

        async def send_then_linger(message: Message) -> None:
            last = message["type"] == "http.response.body" and not message.get("more_body", False)
            if not last or finished:
                await send(message)
                return
            await send({**message, "more_body": True})
            await drop_the_rest()
            await send({"type": "http.response.body", "body": b""})

        await self.app(scope, watched, send_then_linger)
