"""Waiting for a place, and limits that hold before anything is stored."""

from chat_fixtures import Browser, eventually
from fake_openai import FakeServer, Gate, Raw, Refuse

FULL = Refuse(429, "queue_full", "4 are waiting.", {"retry-after": "1"})
LOADING = Refuse(503, "model_loading", "Loading.", {"retry-after": "1"})


async def test_a_full_queue_is_waited_for(ada: Browser, fake: FakeServer) -> None:
    for refusal in (FULL, LOADING, FULL):
        fake.answer(refusal)
    fake.answer("here it is")
    conversation = await ada.conversation()
    run = (await ada.ask("Go.", conversation))["run"]["id"]
    await eventually(lambda: fake.asked)
    assert (await ada.finish(run)).data["message"]["content"] == "here it is"
    assert len(fake.asked) == 4


async def test_the_place_in_the_queue_is_told(ada: Browser, fake: FakeServer) -> None:
    fake.answer(Raw(b": queued 2\n\n"), Raw(b": ping\n\n"), Raw(b": queued 1\n\n"), "text")
    events = await ada.events((await ada.ask())["run"]["id"])
    assert [seen.data["position"] for seen in events if seen.name == "queued"] == [2, 1]
    assert events[-1].name == "done"


async def test_waiting_has_an_end(start, fake: FakeServer) -> None:
    chat = await start(inference_url=fake.url, run_queue_timeout=0.6)
    ada = Browser(await chat.user())
    for script in ([FULL], [LOADING], [Raw(b": queued 1\n\n"), Gate()]):
        fake.always(*script)
        conversation = await ada.conversation()
        run = (await ada.ask("Go.", conversation))["run"]["id"]
        last = await ada.finish(run)
        assert last.data["error"]["code"] == "queue_timeout"
        question, answer = await ada.messages(conversation)
        assert answer["status"] == "failed"
        assert question["content"] == "Go."
    await ada.close()


async def test_a_long_prefill_is_not_queueing(start, fake: FakeServer) -> None:
    chat = await start(inference_url=fake.url, run_queue_timeout=0.3)
    ada = Browser(await chat.user())
    fake.answer(Raw(b": queued 1\n\n"), Raw(b": queued 0\n\n"), 0.8, "text")
    assert (await ada.finish((await ada.ask())["run"]["id"])).name == "done"
    await ada.close()


async def test_too_many_at_once_are_refused_before_anything_is_stored(
    start, fake: FakeServer
) -> None:
    chat = await start(inference_url=fake.url, max_concurrent=2)
    ada, grace = Browser(await chat.user("ada")), Browser(await chat.user("grace"))
    gate = Gate()
    fake.always(gate, "text")
    running = [(await ada.ask())["run"]["id"] for _ in range(2)]
    third = await ada.conversation()
    refused = await ada.send(third)
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "concurrency_limit"
    assert int(refused.headers["retry-after"]) >= 1
    assert await ada.messages(third) == []
    assert (await ada.http.get(f"/api/conversations/{third}")).json()["title"] == ""
    # Programs draw on the same places.
    completion = {"messages": [{"role": "user", "content": "x"}]}
    program = await ada.http.post("/v1/chat/completions", json=completion)
    assert program.json()["error"]["code"] == "concurrency_limit"
    # Others have places of their own.
    other = (await grace.ask())["run"]["id"]
    gate.open()
    for run in running:
        assert (await ada.finish(run)).name == "done"
    await grace.finish(other)
    assert (await ada.send(third)).status_code == 202
    await ada.close()
    await grace.close()


async def test_an_unknown_model_stores_nothing(ada: Browser) -> None:
    conversation = await ada.conversation()
    refused = await ada.send(conversation, model="no-such-model")
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "model_not_found")
    assert await ada.messages(conversation) == []


async def test_one_answer_at_a_time_in_a_conversation(ada: Browser, fake: FakeServer) -> None:
    gate = Gate()
    fake.answer(gate, "text")
    conversation = await ada.conversation()
    first = await ada.ask("One?", conversation)
    refused = await ada.send(conversation, "Two?")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "run_in_progress")
    again = await ada.http.post(
        f"/api/conversations/{conversation}/messages/{first['run']['message_id']}/regenerate"
    )
    assert again.status_code == 409
    assert len(await ada.messages(conversation)) == 2
    gate.open()
    await ada.finish(first["run"]["id"])
    assert (await ada.send(conversation, "Two?")).status_code == 202
