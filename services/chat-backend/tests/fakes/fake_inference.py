"""The task routes of an inference service on loopback, as well or badly behaved as a test asks.

It runs in a thread of its own and speaks HTTP over real sockets.
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

from fake_openai import Drop, Gate, Html, Raw, Refuse

DEADLINE = 20.0


@dataclass(frozen=True)
class Queued:
    """The place in the queue."""

    position: Any


@dataclass(frozen=True)
class Progress:
    """How far the work is."""

    fraction: Any
    stage: Any = "frames"


@dataclass(frozen=True)
class Done:
    """The end: a JSON result, or bytes that are kept for one fetch."""

    result: Any = None
    content: bytes | None = None
    media_type: str = "video/mp4"
    name: str = "output.mp4"
    announced: int | None = None


@dataclass(frozen=True)
class Fail:
    """The end: an error inside the stream."""

    code: str
    type: str = "server_error"
    message: str = "no"


class NoEnd:
    """End the response without a final event."""


Step = Queued | Progress | Done | Fail | NoEnd | Gate | Refuse | Raw | Drop | Html
DEFAULT: tuple[Step, ...] = (Progress(0.5), Done(content=b"enhanced"))


@dataclass
class Asked:
    """One request as the server saw it."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    closed: threading.Event = field(default_factory=threading.Event)
    """Set when the client closed the connection before the answer was whole."""


class FakeInference:
    """Answers tasks with the scripts given to `answer`, one per request, then with `DEFAULT`."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.fetched: list[Asked] = []
        self.results: dict[str, tuple[bytes, str]] = {}
        self.fetch_scripts: deque[Sequence[Step]] = deque()
        self.port = 0
        self._scripts: deque[Sequence[Step]] = deque()
        self._always: Sequence[Step] = DEFAULT
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, *steps: Step) -> None:
        """Use this script for the next task that has none."""
        self._scripts.append(steps)

    def always(self, *steps: Step) -> None:
        """Use this script for every task without one of its own."""
        self._always = steps

    def wait_for(self, condition: Callable[["FakeInference"], bool]) -> None:
        deadline = time.monotonic() + DEADLINE
        while not condition(self):
            assert time.monotonic() < deadline, "the fake inference never saw it"
            time.sleep(0.005)

    def start(self) -> "FakeInference":
        """Listen, on the same port as before if there was one."""
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        assert self._started.wait(DEADLINE)
        return self

    def stop(self) -> None:
        """Stop listening and cut every connection, as a killed process does."""
        if self._thread.is_alive():
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
        self._writers.add(writer)
        try:
            await self._exchange(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            # A cancelled handler would be reported by asyncio; stopping is no news.
            pass
        finally:
            self._writers.discard(writer)
            writer.close()
            with suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ", 2)
        headers = {}
        for line in head[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        raw = await reader.readexactly(int(headers.get("content-length", 0)))
        asked = Asked(method, path, headers, json.loads(raw) if raw else None)
        if path.startswith("/inference/"):
            self.asked.append(asked)
            steps = self._scripts.popleft() if self._scripts else self._always
            playing = asyncio.create_task(self._play(steps, writer))
        elif path.startswith("/internal/results/"):
            self.fetched.append(asked)
            steps = self.fetch_scripts.popleft() if self.fetch_scripts else ()
            playing = asyncio.create_task(self._give(asked, steps, writer))
        else:
            await respond(writer, 200 if path == "/internal/cancel" else 404, b"{}")
            return
        gone = asyncio.create_task(reader.read(1))
        await asyncio.wait({playing, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not playing.done():
            asked.closed.set()
        for task in (playing, gone):
            task.cancel()
        await asyncio.gather(playing, gone, return_exceptions=True)

    async def _play(self, steps: Sequence[Step], writer: asyncio.StreamWriter) -> None:
        if steps and isinstance(steps[0], Gate):
            await steps[0].passed()
            steps = steps[1:]
        match steps[0] if steps else None:
            case Refuse() as refusal:
                error = {"message": refusal.message, "type": "x", "code": refusal.code}
                body = json.dumps({"error": error}).encode()
                await respond(writer, refusal.status, body, **refusal.headers)
                return
            case Html(body):
                await respond(writer, 200, body, **{"content-type": "text/html"})
                return
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
            b"transfer-encoding: chunked\r\n\r\n"
        )
        await write(writer, b": ping\n\n")
        for step in steps:
            match step:
                case Queued(position):
                    await write(writer, event("queued", {"position": position}))
                case Progress(fraction, stage):
                    await write(writer, event("progress", {"fraction": fraction, "stage": stage}))
                case Done():
                    await write(writer, event("done", self._done(step)))
                case Fail(code, kind, message):
                    error = {"message": message, "type": kind, "code": code, "param": None}
                    await write(writer, event("error", {"error": error}))
                case Raw(data):
                    await write(writer, data)
                case Gate():
                    await step.passed()
                case Drop():
                    writer.transport.abort()
                    return
                case NoEnd():
                    break
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    def _done(self, step: Done) -> dict[str, Any]:
        result = step.result
        if step.content is not None:
            id = f"{len(self.results):032x}"
            self.results[id] = (step.content, step.media_type)
            size = len(step.content) if step.announced is None else step.announced
            file = {"id": id, "media_type": step.media_type, "bytes": size, "name": step.name}
            result = {"file": file, "width": 64}
        return {"task": "x", "model": "fake-model", "result": result, "timings": {"total": 1.0}}

    async def _give(
        self, asked: Asked, steps: Sequence[Step], writer: asyncio.StreamWriter
    ) -> None:
        kept = self.results.get(asked.path.rpartition("/")[2])
        for step in steps:
            match step:
                case Gate():
                    await step.passed()
                case Raw(data):
                    writer.write(data)
                    await writer.drain()
                case Drop():
                    writer.transport.abort()
                    return
        if steps and not isinstance(steps[-1], Gate):
            return
        if kept is None:
            await respond(writer, 404, b'{"error": {"message": "no", "code": "result_not_found"}}')
            return
        await respond(writer, 200, kept[0], **{"content-type": kept[1]})


def event(name: str, data: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


async def write(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    await writer.drain()


async def respond(writer: asyncio.StreamWriter, status: int, body: bytes, **headers: str) -> None:
    lines = {"content-type": "application/json", "content-length": str(len(body)), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    writer.write(f"HTTP/1.1 {status} X\r\n{head}connection: close\r\n\r\n".encode() + body)
    await writer.drain()
