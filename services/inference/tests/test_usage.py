"""Usage reaches chat-backend once it is there, in batches, and at shutdown."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from atoll_inference.usage import UsageItem, UsageReporter, now


def item(number: int) -> UsageItem:
    return UsageItem(f"r{number}", "u", None, "m", "chat", 1, 2, 0.5, now())


class Backend:
    """A small HTTP server in chat-backend's place, which fails as often as it is told to."""

    def __init__(self) -> None:
        self.failures = 0
        self.posts: list[list[str]] = []
        self.tokens: set[str] = set()
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        body = json.loads(await reader.readexactly(int(fields["content-length"])))
        self.tokens.add(fields["x-internal-token"])
        self.posts.append([i["request_id"] for i in body["items"]])
        status = "503 Busy" if self.failures > 0 else "200 OK"
        self.failures -= 1
        writer.write(
            f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
        )
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@pytest.fixture
async def backend() -> AsyncIterator[Backend]:
    backend = Backend()
    server = await asyncio.start_server(backend.serve, "127.0.0.1", 0)
    backend.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield backend


async def test_items_are_sent_together_and_repeated_until_taken(backend: Backend) -> None:
    backend.failures = 1
    reporter = UsageReporter(backend.url, "t" * 32)
    for number in range(3):
        reporter.add(item(number))
    task = asyncio.create_task(reporter.run())
    for _ in range(600):
        if len(backend.posts) >= 2:
            break
        await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert backend.posts == [["r0", "r1", "r2"]] * 2
    assert backend.tokens == {"t" * 32}


async def test_what_is_left_is_flushed_at_shutdown(backend: Backend) -> None:
    reporter = UsageReporter(backend.url, "t" * 32)
    reporter.add(item(1))
    await reporter.flush()
    assert backend.posts == [["r1"]]


async def test_an_absent_backend_does_not_hold_up_the_shutdown() -> None:
    reporter = UsageReporter("http://127.0.0.1:9", "t" * 32)
    reporter.add(item(1))
    async with asyncio.timeout(10):
        await reporter.flush()
