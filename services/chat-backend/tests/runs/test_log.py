"""Resuming: what a reader gets that was away, for a moment or for too long."""

import asyncio
import time

from chat_fixtures import Browser, eventually
from fake_openai import FakeServer

from atoll_chat.runs.events import Event, merged
from atoll_chat.runs.log import Reader, RunLog


def test_neighbouring_deltas_are_joined() -> None:
    deltas = [Event(i, "delta", {"message_id": "m", "text": str(i)}) for i in (2, 3, 4)]
    events = [Event(1, "message", {}), *deltas, Event(5, "usage", {}), Event(6, "done", {})]
    assert [(event.id, event.name) for event in merged(events)] == [
        (1, "message"),
        (4, "delta"),
        (5, "usage"),
        (6, "done"),
    ]
    assert merged(events)[1].data == {"message_id": "m", "text": "234"}


def test_joined_deltas_stay_small() -> None:
    deltas = [Event(i, "delta", {"message_id": "m", "text": "x" * 1000}) for i in range(1, 101)]
    pieces = merged(deltas)
    assert max(len(piece.data["text"]) for piece in pieces) < 20_000
    assert "".join(piece.data["text"] for piece in pieces) == "x" * 100_000


async def test_every_reader_has_its_own_position() -> None:
    log = RunLog()
    log.append("message", {})
    early, late = Reader(log), Reader(log, after=1)
    assert [event.id for event in await early.next(0)] == [1]
    waiting = asyncio.create_task(late.next(30))
    await asyncio.sleep(0)
    log.append("done", {})
    assert [event.id for event in await waiting] == [2]
    assert late.ended
    assert not early.ended
    assert [event.id for event in await early.next(0)] == [2]
    assert early.ended


async def test_nothing_comes_after_the_final_event(ada: Browser) -> None:
    run = (await ada.ask())["run"]["id"]
    final = await ada.finish(run)
    for query, headers in (
        ("", {"Last-Event-ID": str(final.id)}),
        (f"?last_event_id={final.id}", {}),
    ):
        again = await ada.http.get(f"/api/runs/{run}/events{query}", headers=headers)
        assert again.status_code == 204, "a browser would connect again and again"


async def test_a_bad_event_id_is_refused(ada: Browser) -> None:
    run = (await ada.ask())["run"]["id"]
    await ada.finish(run)
    for bad in ("x", "-1", "1.5", str(2**70)):
        refused = await ada.http.get(f"/api/runs/{run}/events", headers={"Last-Event-ID": bad})
        assert refused.status_code == 422


async def test_a_pruned_log_answers_with_one_snapshot(start, fake: FakeServer) -> None:
    chat = await start(inference_url=fake.url, run_log_minutes=0)
    ada = Browser(await chat.user())
    run = (await ada.ask())["run"]["id"]
    final = await ada.finish(run)
    deadline = time.monotonic() + 30
    while len(events := await ada.events(run)) != 2 or events[0].data != events[1].data:
        assert time.monotonic() < deadline, "the log is not pruned"
        await asyncio.sleep(0.05)
    assert [event.name for event in events] == ["message", "done"]
    assert events[-1] == final
    (only,) = await ada.events(run, after=final.id - 1)
    assert only == final
    assert (await ada.events(run, after=final.id + 1_000_000))[-1].name == "done"
    await ada.close()


async def test_what_is_seen_live_is_in_the_database_soon(ada: Browser, fake: FakeServer) -> None:
    from fake_openai import Gate

    gate = Gate()
    fake.answer("some text", gate)
    conversation = await ada.conversation()
    run = (await ada.ask("Go.", conversation))["run"]["id"]
    found: list[str] = []

    async def look() -> None:
        while "some text" not in found:
            answer = (await ada.messages(conversation))[-1]
            found.append(answer["content"])
            assert answer["status"] in ("queued", "streaming")

    async with asyncio.timeout(30):
        await look()
    gate.open()
    await ada.finish(run)
    await eventually(lambda: not ada.person.atoll.backend.runs._live)
