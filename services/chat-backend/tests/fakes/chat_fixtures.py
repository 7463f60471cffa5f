"""Fixtures of the conversation tests: a backend on a socket, and two people with browsers."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fake_openai import FakeServer

DEADLINE = 30.0


@dataclass(frozen=True)
class Seen:
    """One event as a client saw it."""

    id: int
    name: str
    data: dict[str, Any]


class Browser:
    """A signed-in user.

    `http` calls the application directly, which is quick; `live` goes over a real connection, as
    whatever streams has to. With `url` everything does.
    """

    def __init__(self, person: Any, url: str | None = None) -> None:
        self.person = person
        self.url = url
        self._live: httpx.AsyncClient | None = None
        self.http: httpx.AsyncClient = self._connect(url) if url else person.client

    async def address(self) -> str:
        """Where the server listens; it is put on a socket when first asked for."""
        if self.url is None:
            self.url = str(await self.person.atoll.serve())
        return self.url

    async def live(self) -> httpx.AsyncClient:
        """A client on a real connection."""
        return self._live or self._connect(await self.address())

    async def close(self) -> None:
        if self._live:
            await self._live.aclose()

    def _connect(self, url: str) -> httpx.AsyncClient:
        self._live = httpx.AsyncClient(
            base_url=url,
            headers=self.person.cookie_headers,
            timeout=DEADLINE,
            trust_env=False,
            verify=False,
        )
        return self._live

    async def conversation(self, **body: Any) -> str:
        """The id of a new conversation."""
        answer = await self.http.post("/api/conversations", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def send(self, conversation: str, content: str = "Hello?", **body: Any) -> httpx.Response:
        """POST a message."""
        return await self.http.post(
            f"/api/conversations/{conversation}/messages", json={"content": content, **body}
        )

    async def ask(
        self, content: str = "Hello?", conversation: str | None = None, **body: Any
    ) -> Any:
        """POST a message that must be accepted; `{message, run}`."""
        answer = await self.send(conversation or await self.conversation(), content, **body)
        assert answer.status_code == 202, answer.text
        return answer.json()

    @asynccontextmanager
    async def watch(self, run: str, after: int | None = None) -> AsyncIterator[AsyncIterator[Seen]]:
        """The events of a run as they come."""
        headers = {} if after is None else {"Last-Event-ID": str(after)}
        client = await self.live()
        async with client.stream("GET", f"/api/runs/{run}/events", headers=headers) as answer:
            assert answer.status_code == 200, await answer.aread()
            yield parsed(answer)

    async def events(self, run: str, after: int | None = None) -> list[Seen]:
        """All events until the stream ends, which they do within the deadline."""
        headers = {} if after is None else {"Last-Event-ID": str(after)}
        async with asyncio.timeout(DEADLINE):
            answer = await self.http.get(f"/api/runs/{run}/events", headers=headers)
        assert answer.status_code == 200, answer.text
        return [event async for event in parsed(answer)]

    async def finish(self, run: str) -> Seen:
        """The final event of a run."""
        events = await self.events(run)
        assert [event.name for event in events if event.name in ("done", "error")] == [
            events[-1].name
        ]
        return events[-1]

    async def messages(self, conversation: str) -> list[dict[str, Any]]:
        answer = await self.http.get(f"/api/conversations/{conversation}/messages")
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])


async def parsed(answer: httpx.Response) -> AsyncIterator[Seen]:
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line.startswith(":"):
            continue
        if not line:
            if fields:
                yield Seen(int(fields["id"]), fields["event"], json.loads(fields["data"]))
            fields = {}
            continue
        name, _, value = line.partition(": ")
        fields[name] = value


def text_of(events: list[Seen]) -> str:
    """What a page shows after these events."""
    text = ""
    for event in events:
        match event.name:
            case "message" | "done" | "error":
                text = event.data["message"]["content"]
            case "delta":
                text += event.data["text"]
    return text


async def eventually(condition: Callable[[], Any], what: str = "it did not happen") -> None:
    """Wait until `condition()` holds, with patience for a busy machine."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.005)


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    """A model server that does as it is told."""
    server = FakeServer().start()
    yield server
    server.stop()


@pytest.fixture
async def chat(start: Any, fake: FakeServer) -> Any:
    """A running backend in front of the fake model server."""
    return await start(inference_url=fake.url)


@pytest.fixture
async def ada(chat: Any) -> AsyncIterator[Browser]:
    """Ada, signed in."""
    browser = Browser(await chat.user("ada"))
    yield browser
    await browser.close()


@pytest.fixture
async def grace(chat: Any) -> AsyncIterator[Browser]:
    """Grace, signed in; a stranger to Ada."""
    browser = Browser(await chat.user("grace"))
    yield browser
    await browser.close()
