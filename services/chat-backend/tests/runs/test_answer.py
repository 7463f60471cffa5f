"""An answer is written once, and every reader sees the same one."""

import asyncio
import json

import pytest
from chat_fixtures import Browser, text_of
from fake_openai import MODEL, FakeServer, Gate, Raw, chunk, event


async def test_answer_is_streamed_then_stored(ada: Browser, fake: FakeServer) -> None:
    fake.answer("The capital ", "is Paris.")
    conversation = await ada.conversation()
    accepted = await ada.ask("Capital of France?", conversation)
    assert accepted["run"]["status"] == "queued"
    events = await ada.events(accepted["run"]["id"])
    assert [seen.name for seen in events if seen.name != "delta"] == ["message", "usage", "done"]
    assert [seen.id for seen in events] == sorted({seen.id for seen in events})
    assert text_of(events) == "The capital is Paris."
    assert text_of(events[:-1]) == "The capital is Paris.", "the deltas alone make the answer"
    question, answer = await ada.messages(conversation)
    assert (question["role"], question["content"]) == ("user", "Capital of France?")
    assert answer == events[-1].data["message"]
    assert answer["status"] == "complete"
    assert answer["parent_id"] == question["id"]
    assert answer["usage"] == {"prompt_tokens": 7, "completion_tokens": 2}
    run = (await ada.http.get(f"/api/runs/{accepted['run']['id']}")).json()
    assert run["status"] == "complete"
    assert run["finished_at"]


async def test_a_token_reaches_the_reader_before_the_answer_is_whole(
    ada: Browser, fake: FakeServer
) -> None:
    gate = Gate()
    fake.answer("first", gate, " last")
    accepted = await ada.ask()
    async with ada.watch(accepted["run"]["id"]) as events:
        async for seen in events:
            if seen.name == "delta":
                assert seen.data["text"] == "first"
                break
        gate.open()
        assert [seen async for seen in events][-1].data["message"]["content"] == "first last"


async def test_reload_in_mid_answer_shows_one_answer_stored_once(
    ada: Browser, fake: FakeServer
) -> None:
    gates = [Gate(), Gate()]
    fake.answer("one ", gates[0], "two ", gates[1], "three")
    conversation = await ada.conversation()
    run = (await ada.ask("Count.", conversation))["run"]["id"]
    before = []
    async with ada.watch(run) as events:
        async for seen in events:
            before.append(seen)
            if seen.name == "delta":
                break
    # The page is gone; the answer goes on.
    gates[0].open()
    other = asyncio.create_task(ada.events(run))
    resumed = asyncio.create_task(ada.events(run, after=before[-1].id))
    gates[1].open()
    assert text_of(await other) == "one two three"
    after = await resumed
    assert after[0].id > before[-1].id
    assert text_of([*before, *after[:-1]]) == "one two three"
    assert after[-1] == (await other)[-1]
    answers = [m for m in await ada.messages(conversation) if m["role"] == "assistant"]
    assert [answer["content"] for answer in answers] == ["one two three"]
    assert text_of(await ada.events(run)) == "one two three", "from the database, afterwards"


async def test_characters_cut_in_two_arrive_whole(ada: Browser, fake: FakeServer) -> None:
    whole = event(chunk("Grüße, 世界 🎉"))
    cuts = [Raw(whole[i : i + 1]) for i in range(len(whole))]
    halves = [
        Raw(b"data: " + json.dumps(chunk(half)).encode() + b"\r\n\r\n")
        for half in ("\ud83d", "\ude00!")
    ]
    fake.answer(*cuts, *halves)
    accepted = await ada.ask()
    done = await ada.finish(accepted["run"]["id"])
    assert done.data["message"]["content"] == "Grüße, 世界 🎉😀!"


async def test_a_lone_surrogate_does_no_harm(ada: Browser, fake: FakeServer) -> None:
    fake.answer(Raw(b'data: {"choices":[{"index":0,"delta":{"content":"a\\udc00b"}}]}\n\n'))
    accepted = await ada.ask()
    done = await ada.finish(accepted["run"]["id"])
    assert done.data["message"]["content"] == "a\N{REPLACEMENT CHARACTER}b"


async def test_regenerate_writes_a_sibling(ada: Browser, fake: FakeServer) -> None:
    fake.answer("first answer")
    fake.answer("second answer")
    conversation = await ada.conversation()
    first = await ada.ask("Why?", conversation)
    await ada.finish(first["run"]["id"])
    again = await ada.http.post(
        f"/api/conversations/{conversation}/messages/{first['run']['message_id']}/regenerate",
        json={"model": "fake-large"},
    )
    assert again.status_code == 202
    assert again.json()["message"]["role"] == "assistant"
    await ada.finish(again.json()["run"]["id"])
    question, one, two = await ada.messages(conversation)
    assert one["parent_id"] == two["parent_id"] == question["id"]
    assert [one["content"], two["content"]] == ["first answer", "second answer"]
    assert [one["model"], two["model"]] == [MODEL, "fake-large"]
    assert fake.asked[1].body["messages"] == [{"role": "user", "content": "Why?"}]
    # What is asked next follows the newest answer.
    await ada.finish((await ada.ask("And?", conversation))["run"]["id"])
    assert [turn["content"] for turn in fake.asked[2].body["messages"]] == [
        "Why?",
        "second answer",
        "And?",
    ]
    assert fake.asked[2].body["model"] == "fake-large", "the conversation goes on with it"


async def test_only_an_answer_is_regenerated(ada: Browser) -> None:
    conversation = await ada.conversation()
    accepted = await ada.ask("Why?", conversation)
    await ada.finish(accepted["run"]["id"])
    path = f"/api/conversations/{conversation}/messages"
    refused = await ada.http.post(f"{path}/{accepted['message']['id']}/regenerate")
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "not_an_answer")
    absent = await ada.http.post(f"{path}/{'0' * 32}/regenerate", json={})
    assert (absent.status_code, absent.json()["error"]["code"]) == (404, "message_not_found")


async def test_inference_is_told_for_whom(ada: Browser, fake: FakeServer) -> None:
    accepted = await ada.ask()
    await ada.finish(accepted["run"]["id"])
    headers = fake.asked[0].headers
    assert headers["x-atoll-user"] == ada.person.id
    assert headers["x-atoll-role"] == "user"
    assert headers["x-atoll-max-concurrent"] == "8"
    assert headers["x-request-id"] == accepted["run"]["id"]
    assert headers["x-internal-token"]
    assert "x-atoll-key" not in headers


async def test_a_silent_stream_is_kept_open(
    ada: Browser, fake: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atoll_chat.runs.sse.PING_SECONDS", 0.05)
    gate = Gate()
    fake.answer(gate, "text")
    run = (await ada.ask())["run"]["id"]
    client = await ada.live()
    pings = 0
    async with client.stream("GET", f"/api/runs/{run}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-accel-buffering"] == "no"
        async for line in answer.aiter_lines():
            pings += line == ": ping"
            if pings == 3:
                gate.open()
    assert pings >= 3


async def test_runs_use_connections_again(ada: Browser, fake: FakeServer) -> None:
    conversation = await ada.conversation()
    for _ in range(8):
        await ada.finish((await ada.ask("Go.", conversation))["run"]["id"])
    assert fake.connections <= 3
