"""A model server on loopback that behaves as badly as a test asks it to.

It runs in a thread of its own and speaks HTTP over real sockets. It stands for inference and for
a foreign OpenAI-compatible upstream alike.
"""

import asyncio
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

MODEL = "fake-small"
DEADLINE = 20.0


class Gate:
    """Holds an answer back until the test opens it."""

    def __init__(self) -> None:
        self._open = threading.Event()

    def open(self) -> None:
        self._open.set()

    async def passed(self) -> None:
        # The test opens it from another thread, so an asyncio.Event would not do.
        while not self._open.is_set():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@dataclass(frozen=True)
class Refuse:
    """An error instead of an answer."""

    status: int
    code: str = "server_error"
    message: str = "no"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True)
class Raw:
    """Bytes written as they are, each to its own packet."""

    data: bytes


class Drop:
    """Cut the connection."""


class NoEnd:
    """End the response without a finish reason and without [DONE]."""


@dataclass(frozen=True)
class Html:
    """A page where a completion was expected."""

    body: bytes = b"<html>Welcome to nginx</html>"


Step = str | float | Gate | Refuse | Raw | Drop | NoEnd | Html
DEFAULT: tuple[Step, ...] = ("The capital", " of France", " is Paris.")


@dataclass
class Asked:
    """One completion request as the server saw it."""

    headers: dict[str, str]
    body: dict[str, Any]
    raw: bytes
    closed: threading.Event = field(default_factory=threading.Event)
    """Set when the client closed the connection before the answer was whole."""


class FakeServer:
    """Answers with the scripts given to `answer`, one per request, then with `DEFAULT`."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.cancelled: list[dict[str, str]] = []
        self.models: list[dict[str, Any]] = [
            {"id": MODEL, "object": "model", "created": 1, "owned_by": "atoll", "state": "ready",
             "kind": "chat", "slot": "chat", "bytes": 1, "default": True, "context_length": 2048},
            {"id": "fake-large", "object": "model", "created": 1, "owned_by": "atoll",
             "state": "available", "kind": "vision_language", "default": False},
            {"id": "fake-embed", "object": "model", "created": 1, "owned_by": "atoll",
             "state": "ready", "kind": "text_embedding", "default": True},
        ]  # fmt: skip
        self.slots: dict[str, Any] = {"slots": [], "bytes_loaded": 0, "memory_budget": None}
        self.cards: dict[str, str] = {}
        self.ready = True
        self.connections = 0
        self.list_requests = 0
        self.port = 0
        self._scripts: deque[Sequence[Step]] = deque()
        self._always: Sequence[Step] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped: asyncio.Event | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._started = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, *steps: Step) -> None:
        """Use this script for the next request that has none."""
        self._scripts.append(steps)

    def always(self, *steps: Step) -> None:
        """Use this script for every request without one of its own."""
        self._always = steps

    def wait_for(self, condition: Callable[["FakeServer"], bool]) -> None:
        deadline = time.monotonic() + DEADLINE
        while not condition(self):
            assert time.monotonic() < deadline, "the fake server never saw it"
            time.sleep(0.005)

    def start(self) -> "FakeServer":
        self._thread.start()
        assert self._started.wait(DEADLINE)
        return self

    def stop(self) -> None:
        """Stop listening and cut every connection, as a killed process does."""
        if self._thread.is_alive():
            assert self._loop
            assert self._stopped
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join(DEADLINE)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._stopped.wait()
        server.close()
        for writer in self._writers:
            writer.transport.abort()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            # A cancelled handler would be reported by asyncio; stopping is no news.
            pass
        finally:
            self._writers.discard(writer)
            writer.close()
            with suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ", 2)
        headers = {}
        for line in head[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        raw = await reader.readexactly(int(headers.get("content-length", 0)))
        path = path.partition("?")[0]
        if method == "GET" and path.endswith("/models"):
            self.list_requests += 1
            return await _json(writer, 200, {"object": "list", "data": self.models})
        if path == "/internal/slots":
            return await _json(writer, 200, self.slots)
        if path.startswith("/internal/models/"):
            name = path.removeprefix("/internal/models/").removesuffix("/card")
            if name in self.cards:
                card = {"model": name, "text": self.cards[name], "truncated": False}
                return await _json(writer, 200, card)
            error = {"message": f"{name} has no card.", "code": "card_not_found"}
            return await _json(writer, 404, {"error": error})
        if path == "/v2/health/ready":
            return await _json(writer, 200 if self.ready else 503, {})
        if path == "/internal/cancel":
            self.cancelled.append(json.loads(raw))
            return await _json(writer, 200, {"cancelled": 0})
        if not path.endswith("/chat/completions"):
            return await _json(writer, 404, {"error": {"message": path, "code": "not_found"}})
        asked = Asked(headers, json.loads(raw), raw)
        self.asked.append(asked)
        steps = self._scripts.popleft() if self._scripts else (self._always or DEFAULT)
        playing = asyncio.create_task(_play(steps, asked, writer))
        gone = asyncio.create_task(reader.read(1))
        await asyncio.wait({playing, gone}, return_when=asyncio.FIRST_COMPLETED)
        if playing.done():
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)
            return playing.result()
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
        asked.closed.set()
        return False


async def _play(steps: Sequence[Step], asked: Asked, writer: asyncio.StreamWriter) -> bool:
    if steps and isinstance(steps[0], Gate):
        await steps[0].passed()
        steps = steps[1:]
    if steps and isinstance(steps[0], Refuse):
        refusal = steps[0]
        error = {"error": {"message": refusal.message, "type": "x", "code": refusal.code}}
        body = refusal.body if refusal.body is not None else json.dumps(error).encode()
        return await _respond(writer, refusal.status, body, refusal.headers)
    if steps and isinstance(steps[0], Html):
        return await _respond(writer, 200, steps[0].body, {"content-type": "text/html"})
    if not asked.body.get("stream"):
        return await _json(writer, 200, whole("".join(s for s in steps if isinstance(s, str))))
    writer.write(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    count = 0
    for step in steps:
        match step:
            case str():
                count += 1
                await _write(writer, event(chunk(step)))
            case Raw(data):
                await _write(writer, data)
            case float() | int():
                await asyncio.sleep(step)
            case Gate():
                await step.passed()
            case Drop():
                writer.transport.abort()
                return False
            case NoEnd():
                writer.write(b"0\r\n\r\n")
                return True
    await _write(writer, event(chunk(None, finish="stop")))
    if (asked.body.get("stream_options") or {}).get("include_usage"):
        await _write(writer, event({**chunk(None), "choices": [], "usage": usage(count)}))
    await _write(writer, b"data: [DONE]\n\n")
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    return True


def chunk(text: str | None, finish: str | None = None) -> dict[str, Any]:
    delta = {} if text is None else {"content": text}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "x", "object": "chat.completion.chunk", "model": MODEL, "choices": [choice]}


def usage(count: int) -> dict[str, int]:
    return {"prompt_tokens": 7, "completion_tokens": count, "total_tokens": 7 + count}


def whole(text: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {
        "id": "x", "object": "chat.completion", "model": MODEL, "choices": [choice],
        "usage": usage(1),
    }  # fmt: skip


def event(data: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


async def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    await writer.drain()


async def _json(writer: asyncio.StreamWriter, status: int, body: dict[str, Any]) -> bool:
    return await _respond(writer, status, json.dumps(body).encode(), {})


async def _respond(
    writer: asyncio.StreamWriter, status: int, body: bytes, headers: dict[str, str]
) -> bool:
    lines = {"content-type": "application/json", "content-length": str(len(body)), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    writer.write(f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + body)
    await writer.drain()
    return True
