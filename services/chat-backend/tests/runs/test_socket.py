"""The WebSocket reads the same log as the event stream."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from chat_fixtures import DEADLINE, Browser, eventually
from fake_openai import FakeServer, Gate
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus


@asynccontextmanager
async def open_socket(
    browser: Browser, *, origin: str | None = "own", **arguments: Any
) -> AsyncIterator[ClientConnection]:
    address = await browser.address()
    headers = {"Cookie": browser.person.cookie_headers["Cookie"]}
    async with connect(
        address.replace("http:", "ws:") + "/ws/chat",
        origin=address if origin == "own" else origin,
        additional_headers=arguments.pop("headers", headers),
        proxy=None,
        **arguments,
    ) as socket:
        yield socket


async def receive(socket: ClientConnection) -> Any:
    return json.loads(await asyncio.wait_for(socket.recv(), DEADLINE))


async def until_final(socket: ClientConnection) -> list[Any]:
    events = [await receive(socket)]
    while events[-1]["event"] not in ("done", "error"):
        events.append(await receive(socket))
    return events


async def test_events_resume_and_cancel(ada: Browser, fake: FakeServer) -> None:
    fake.answer("one ", "two")
    run = (await ada.ask())["run"]["id"]
    async with open_socket(ada) as socket:
        await socket.send(json.dumps({"type": "subscribe", "run_id": run}))
        events = await until_final(socket)
        assert {event["run_id"] for event in events} == {run}
        seen = [(event.id, event.name) for event in await ada.events(run)]
        assert (events[-1]["id"], events[-1]["event"]) == seen[-1]
        again = {"type": "subscribe", "run_id": run, "last_event_id": events[-1]["id"] - 1}
        await socket.send(json.dumps(again))
        assert (await until_final(socket)) == [events[-1]]
        fake.answer("text", Gate())
        run = (await ada.ask())["run"]["id"]
        await socket.send(json.dumps({"type": "subscribe", "run_id": run}))
        while (await receive(socket))["event"] != "delta":
            pass
        await socket.send(json.dumps({"type": "cancel", "run_id": run}))
        assert (await until_final(socket))[-1]["data"]["message"]["status"] == "stopped"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "subscribe", "run_id": "0" * 32}, "run_not_found"),
        ({"type": "cancel", "run_id": "0" * 32}, "run_not_found"),
        ({"type": "subscribe"}, "invalid_message"),
        ({"type": "dance", "run_id": "x"}, "invalid_message"),
        ("nonsense", "invalid_message"),
        ("x" * 10_000, "invalid_message"),
    ],
)
async def test_a_bad_message_is_answered(ada: Browser, message: Any, code: str) -> None:
    async with open_socket(ada) as socket:
        await socket.send(message if isinstance(message, str) else json.dumps(message))
        answer = await receive(socket)
        assert (answer["event"], answer["data"]["error"]["code"]) == ("error", code)
        await socket.send(json.dumps({"type": "cancel", "run_id": "0" * 32}))
        assert (await receive(socket))["data"]["error"]["code"] == "run_not_found"


@pytest.mark.parametrize("origin", ["http://evil.example", None])
async def test_a_foreign_page_cannot_listen(ada: Browser, origin: str | None) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with open_socket(ada, origin=origin):
            pass
    assert refused.value.response.status_code == 403


async def test_a_program_needs_no_origin(ada: Browser) -> None:
    key = await ada.person.key()
    async with open_socket(ada, origin=None, headers={"Authorization": f"Bearer {key}"}):
        pass
    async with open_socket(ada, origin=None, headers={}, subprotocols=[f"bearer.{key}"]) as socket:
        assert socket.subprotocol == f"bearer.{key}"


async def test_a_stranger_hears_nothing(ada: Browser, grace: Browser, fake: FakeServer) -> None:
    fake.answer("secret", Gate())
    run = (await ada.ask())["run"]["id"]
    async with open_socket(grace) as socket:
        for kind in ("subscribe", "cancel"):
            await socket.send(json.dumps({"type": kind, "run_id": run}))
            assert (await receive(socket))["data"]["error"]["code"] == "run_not_found"
    assert (await ada.http.get(f"/api/runs/{run}")).json()["status"] in ("queued", "streaming")


@pytest.mark.parametrize(
    ("change", "code"),
    [({"status": "suspended"}, 4403), (None, 4401)],
    ids=["suspended", "signed out"],
)
async def test_an_open_socket_closes_when_access_ends(
    ada: Browser, chat, monkeypatch: pytest.MonkeyPatch, change, code: int
) -> None:
    monkeypatch.setattr("atoll_chat.runs.socket.RECHECK_SECONDS", 0.05)
    async with open_socket(ada) as socket:
        if change:
            await ada.person.change(**change)
        else:
            assert (await ada.http.post("/api/auth/logout")).status_code == 204
        with pytest.raises(ConnectionClosed) as closed:
            await receive(socket)
        assert closed.value.rcvd
        assert closed.value.rcvd.code == code


async def test_leaving_ends_the_subscription(ada: Browser, fake: FakeServer) -> None:
    gate = Gate()
    fake.answer("text", gate, "more")
    run = (await ada.ask())["run"]["id"]
    async with open_socket(ada) as socket:
        await socket.send(json.dumps({"type": "subscribe", "run_id": run}))
        await receive(socket)
    tasks = lambda: [t for t in asyncio.all_tasks() if "_forward" in repr(t.get_coro())]  # noqa: E731
    await eventually(lambda: not tasks())
    gate.open()
    assert (await ada.finish(run)).data["message"]["content"] == "textmore"
