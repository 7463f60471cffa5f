"""Bodies are admitted by their head, read at a pace, and never delay each other."""

import asyncio
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from atoll_kit.body import BodyAdmissionMiddleware


async def length(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


def admission(**limits: Any) -> BodyAdmissionMiddleware:
    settings: dict[str, Any] = {"max_bytes": lambda path: 1_000_000, "inflight_bytes": 1_500_000}
    return BodyAdmissionMiddleware(length, **(settings | limits))


class Call:
    """One request driven by hand: the test decides when each part of the body arrives."""

    def __init__(self, app: BodyAdmissionMiddleware, declared: int | None) -> None:
        headers = [] if declared is None else [(b"content-length", str(declared).encode())]
        if declared is None:
            headers.append((b"transfer-encoding", b"chunked"))
        scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
        self.parts: asyncio.Queue[Message] = asyncio.Queue()
        self.read = 0
        self.status = 0
        self.body = b""
        self.task = asyncio.create_task(app(scope, self._receive, self._send))

    async def _receive(self) -> Message:
        message = await self.parts.get()
        self.read += len(message.get("body", b""))
        return message

    async def _send(self, message: Message) -> None:
        self.status = message.get("status", self.status)
        self.body += message.get("body", b"")

    def part(self, data: bytes, more: bool = True) -> None:
        self.parts.put_nowait({"type": "http.request", "body": data, "more_body": more})

    async def done(self) -> int:
        await asyncio.wait_for(self.task, 20)
        return self.status


async def test_a_body_arrives_whole() -> None:
    call = Call(admission(), 700_000)
    for _ in range(7):
        call.part(b"x" * 100_000)
    call.part(b"", more=False)
    assert await call.done() == 200
    assert call.body == b"700000"


async def test_a_declared_length_over_the_cap_is_refused_unread() -> None:
    call = Call(admission(), 1_000_001)
    assert await call.done() == 413
    assert call.read == 0


async def test_an_undeclared_length_is_cut_at_the_cap() -> None:
    call = Call(admission(), None)
    for _ in range(11):
        call.part(b"x" * 100_000)
    assert await call.done() == 413


async def test_bodies_in_flight_are_bounded_and_small_ones_are_not_delayed() -> None:
    app = admission()
    first = Call(app, 900_000)
    await asyncio.sleep(0)
    second = Call(app, 900_000)
    assert await second.done() == 429
    assert b"too_many_bodies" in second.body
    assert second.read == 0
    small = Call(app, 10)
    small.part(b"0123456789", more=False)
    assert await small.done() == 200
    first.part(b"x" * 900_000, more=False)
    assert await first.done() == 200
    third = Call(app, 900_000)
    third.part(b"x" * 900_000, more=False)
    assert await third.done() == 200, "a finished body gives its permit back"


async def test_a_trickle_is_cut() -> None:
    call = Call(admission(grace_s=0.2, min_rate=1000), 900_000)
    call.part(b"x")
    assert await call.done() == 408
    assert b"slow_upload" in call.body


async def test_the_deadline_holds_for_a_steady_sender() -> None:
    call = Call(admission(grace_s=0.1, min_rate=1, deadline_s=0.3), 900_000)
    call.part(b"x" * 1000)
    assert await call.done() == 408


@pytest.mark.parametrize("declared", ["-1", "1e3", "ten"])
async def test_a_length_that_is_no_number_is_refused(declared: str) -> None:
    call = Call(admission(), declared)  # type: ignore[arg-type]
    assert await call.done() == 400


async def test_a_client_that_goes_away_gives_the_permit_back() -> None:
    app = admission()
    call = Call(app, 900_000)
    call.parts.put_nowait({"type": "http.disconnect"})
    assert await call.done() == 0
    assert app.large.used == 0
