"""Stopping an answer: the text stays, the model stops, and the answer ends once."""

import asyncio
import random

from chat_fixtures import Browser, eventually, text_of
from fake_openai import FakeServer, Gate
from sqlalchemy import text


async def test_cancel_keeps_the_text_and_stops_the_model(ada: Browser, fake: FakeServer) -> None:
    fake.answer("some text", Gate(), "never")
    accepted = await ada.ask()
    run = accepted["run"]["id"]
    async with ada.watch(run) as events:
        async for seen in events:
            if seen.name == "delta":
                break
        stopped = await ada.http.post(f"/api/runs/{run}/cancel")
        rest = [seen async for seen in events]
    assert stopped.json()["status"] == "stopped"
    assert [seen.name for seen in rest] == ["done"]
    message = rest[-1].data["message"]
    assert (message["status"], message["content"]) == ("stopped", "some text")
    assert message["error"] is None
    await eventually(fake.asked[0].closed.is_set, "the model goes on generating")


async def test_cancel_before_the_first_word(ada: Browser, fake: FakeServer) -> None:
    fake.answer(Gate(), "never")
    accepted = await ada.ask()
    await eventually(lambda: fake.asked)
    stopped = await ada.http.post(f"/api/runs/{accepted['run']['id']}/cancel")
    assert stopped.json()["status"] == "stopped"
    assert text_of(await ada.events(accepted["run"]["id"])) == ""
    await eventually(fake.asked[0].closed.is_set)


async def test_cancel_that_races_with_the_end_ends_once(ada: Browser, fake: FakeServer) -> None:
    fake.always("a", "b")
    seed = random.Random(7)
    conversation = await ada.conversation()
    outcomes = set()
    for _ in range(15):
        run = (await ada.ask("Go.", conversation))["run"]["id"]
        await asyncio.sleep(seed.uniform(0, 0.03))
        stopped, _ = await asyncio.gather(
            ada.http.post(f"/api/runs/{run}/cancel"), ada.http.post(f"/api/runs/{run}/cancel")
        )
        events = await ada.events(run)
        assert [seen.name for seen in events].count("done") == 1
        assert events[-1].name == "done"
        status = events[-1].data["message"]["status"]
        assert stopped.json()["status"] == status
        outcomes.add(status)
    stored = [m["status"] for m in await ada.messages(conversation) if m["role"] == "assistant"]
    assert len(stored) == 15
    assert set(stored) == outcomes <= {"complete", "stopped"}


async def test_cancel_of_a_finished_run_changes_nothing(ada: Browser) -> None:
    run = (await ada.ask())["run"]["id"]
    await ada.finish(run)
    again = await ada.http.post(f"/api/runs/{run}/cancel")
    assert (again.status_code, again.json()["status"]) == (200, "complete")


async def test_deleting_a_conversation_stops_its_answer(
    ada: Browser, fake: FakeServer, chat
) -> None:
    fake.answer("some text", Gate())
    conversation = await ada.conversation()
    run = (await ada.ask("Go.", conversation))["run"]["id"]
    async with ada.watch(run) as events:
        async for seen in events:
            if seen.name == "delta":
                break
        assert (await ada.http.delete(f"/api/conversations/{conversation}")).status_code == 204
        assert [seen.name async for seen in events] == ["done"]
    await eventually(fake.asked[0].closed.is_set)
    assert (await ada.http.get(f"/api/runs/{run}")).status_code == 404
    async with chat.backend.database.read() as session:
        for table in ("conversations", "messages", "runs", "run_events"):
            assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == 0, table


async def test_who_loses_access_loses_the_answer(ada: Browser, fake: FakeServer, chat) -> None:
    fake.answer("some text", Gate())
    run = (await ada.ask())["run"]["id"]
    await eventually(lambda: fake.asked)
    admin = await chat.admin()
    changed = await admin.client.patch(
        f"/api/admin/users/{ada.person.id}", json={"status": "suspended"}
    )
    assert changed.status_code == 200, changed.text
    await eventually(fake.asked[0].closed.is_set)
    await eventually(lambda: {"user": ada.person.id} in fake.cancelled)
    stored = await chat.backend.runs.get(ada.person.id, run)
    assert stored.status in ("stopped", "streaming", "queued")
