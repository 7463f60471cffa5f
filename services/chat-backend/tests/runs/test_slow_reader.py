"""One reader that stops reading neither stalls the answer nor the other readers."""

import asyncio
import socket
from urllib.parse import urlsplit

from chat_fixtures import Browser, Seen, eventually, text_of
from fake_openai import FakeServer, Gate, Raw, chunk, event

PIECE = "words " * 5000
PIECES = 250  # 7.5 MB: more than the kernel's buffers and the server's hold


def stalled_reader(browser: Browser, address: str, run: str) -> socket.socket:
    """A client that asks for the events and then reads nothing."""
    url = urlsplit(address)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect((url.hostname, url.port))
    headers = "".join(f"{k}: {v}\r\n" for k, v in browser.person.cookie_headers.items())
    connection.sendall(
        f"GET /api/runs/{run}/events HTTP/1.1\r\nHost: {url.netloc}\r\n{headers}\r\n".encode()
    )
    return connection


def rest_of(connection: socket.socket) -> bytes:
    """Everything still to be read, until the server hangs up."""
    connection.settimeout(60)
    data = b""
    while part := connection.recv(1 << 20):
        data += part
    return data


def sending() -> list[asyncio.Task[None]]:
    """The event streams that the server is still sending."""
    return [task for task in asyncio.all_tasks() if "RunEvents" in repr(task.get_coro())]


async def watched(browser: Browser, run: str) -> list[Seen]:
    async with browser.watch(run) as events:
        return [event async for event in events]


async def test_stalled_reader_is_cut_and_others_get_everything(start, fake: FakeServer) -> None:
    chat = await start(inference_url=fake.url, slow_client_seconds=3)
    ada = Browser(await chat.user())
    gate = Gate()
    fake.answer(gate, *[Raw(event(chunk(PIECE)))] * PIECES)
    run = (await ada.ask())["run"]["id"]
    with stalled_reader(ada, await ada.address(), run) as stalled:
        readers = [asyncio.create_task(watched(ada, run)) for _ in range(3)]
        gate.open()
        for events in await asyncio.gather(*readers):
            assert text_of(events) == PIECE * PIECES
            assert events[-1].name == "done"
        await eventually(lambda: not sending(), "the stalled reader is not cut")
        # Its connection ends without the final event; it may resume.
        data = await asyncio.to_thread(rest_of, stalled)
        assert b"event: done" not in data
    assert (await ada.finish(run)).name == "done"
    await ada.close()
