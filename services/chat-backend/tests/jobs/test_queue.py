"""Jobs wait for their turn, are limited in number, and can be cancelled."""

import asyncio
from typing import Any

import pytest
from chat_fixtures import DEADLINE, eventually, parsed
from fake_inference import Done, FakeInference, Gate, Progress, Raw
from job_fixtures import Owner, on_disk


def order(inference: FakeInference) -> list[str]:
    """Jobs in the order in which inference was asked."""
    return [asked.headers["x-atoll-job"] for asked in inference.asked]


async def test_users_take_turns(ada: Owner, grace: Owner, inference: FakeInference) -> None:
    gate = Gate()
    inference.answer(gate, Done({}))
    inference.always(Done({}))
    file = await ada.upload()
    first = await ada.start(file)
    await ada.until(first, "running")
    jobs = [await ada.start(file) for _ in range(3)]
    single = await grace.start()
    positions = [(await ada.job(job))["position"] for job in jobs]
    assert positions == [2, 3, 4]
    assert (await grace.job(single))["position"] == 1
    assert (await ada.job(first))["position"] is None
    gate.open()
    for job in jobs:
        await ada.end(job)
    assert order(inference) == [first, single, *jobs]


async def test_readers_are_told_their_place(
    ada: Owner, grace: Owner, inference: FakeInference
) -> None:
    gates = [Gate(), Gate()]
    for gate in gates:
        inference.answer(gate, Done({}))
    file = await ada.upload()
    await ada.until(await ada.start(file), "running")
    await ada.start(file)
    last = await ada.start(file)
    places: list[int] = []
    client = await ada.live()
    async with client.stream("GET", f"/api/jobs/{last}/events") as answer:
        async with asyncio.timeout(DEADLINE):
            async for event in parsed(answer):
                if event.name != "queued":
                    continue
                places.append(event.data["position"])
                match places:
                    case [2]:
                        other = await grace.start()
                    case [2, 3]:
                        await grace.http.post(f"/api/jobs/{other}/cancel")
                    case [2, 3, 2]:
                        gates[0].open()
                    case [2, 3, 2, 1]:
                        gates[1].open()
    assert places == [2, 3, 2, 1]
    assert event.name == "done"


async def test_several_at_the_same_time(start: Any, inference: FakeInference) -> None:
    atoll = await start(inference_url=inference.url, job_concurrency=3)
    ada = Owner(await atoll.user("ada"))
    gate = Gate()
    inference.always(gate, Done({}))
    file = await ada.upload()
    jobs = [await ada.start(file) for _ in range(5)]
    await eventually(lambda: len(inference.asked) == 3)
    assert [(await ada.job(job))["status"] for job in jobs[3:]] == ["queued", "queued"]
    gate.open()
    for job in jobs:
        assert (await ada.end(job)).name == "done"
    await ada.close()


async def test_a_user_has_a_limited_number_of_jobs(start: Any, inference: FakeInference) -> None:
    atoll = await start(inference_url=inference.url, jobs_per_user=2)
    ada, grace = Owner(await atoll.user("ada")), Owner(await atoll.user("grace"))
    gate = Gate()
    inference.always(gate, Done({}))
    file = await ada.upload()
    jobs = [await ada.start(file) for _ in range(2)]
    refused = await ada.post(file)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "job_limit")
    assert int(refused.headers["Retry-After"]) > 0
    assert len((await ada.http.get("/api/jobs")).json()["items"]) == 2
    await grace.start()
    # At once, and the limit holds.
    await ada.http.post(f"/api/jobs/{jobs[1]}/cancel")
    answers = await asyncio.gather(*(ada.post(file) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [202, 429, 429, 429, 429]
    gate.open()
    await ada.close()
    await grace.close()


async def test_a_waiting_job_is_cancelled(ada: Owner, inference: FakeInference) -> None:
    gate = Gate()
    inference.answer(gate, Done({}))
    first, second = await ada.start(), await ada.start()
    cancelled = (await ada.http.post(f"/api/jobs/{second}/cancel")).json()
    assert (cancelled["status"], cancelled["position"]) == ("cancelled", None)
    final = await ada.end(second)
    assert final.name == "done"
    assert final.data["job"] == cancelled == await ada.job(second)
    gate.open()
    await ada.end(first)
    assert order(inference) == [first]


async def test_a_running_job_is_cancelled_at_inference_too(
    ada: Owner, inference: FakeInference
) -> None:
    inference.answer(Progress(0.5), Gate())
    inference.always(Done({}))
    job = await ada.start()
    await eventually(lambda: bool(inference.asked))
    cancelled = (await ada.http.post(f"/api/jobs/{job}/cancel")).json()
    assert (cancelled["status"], cancelled["result"]) == ("cancelled", None)
    assert cancelled["finished_at"]
    await eventually(inference.asked[0].closed.is_set)
    # The next one is worked on, and a cancelled one stays cancelled.
    assert (await ada.end(await ada.start())).name == "done"
    again = await ada.http.post(f"/api/jobs/{job}/cancel")
    assert (again.status_code, again.json()) == (200, cancelled)


async def test_a_job_is_cancelled_while_its_result_is_fetched(
    ada: Owner, inference: FakeInference
) -> None:
    content = b"x" * 3_000_000
    inference.answer(Done(content=content))
    inference.fetch_scripts.append(
        [Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 3000000\r\n\r\n" + content[:2_000_000]), Gate()]
    )
    job = await ada.start()
    await eventually(lambda: len(on_disk(ada.person.atoll)) == 2)
    cancelled = (await ada.http.post(f"/api/jobs/{job}/cancel")).json()
    assert cancelled["status"] == "cancelled"
    assert len(on_disk(ada.person.atoll)) == 1
    assert len(await ada.files()) == 1


async def test_a_finished_job_is_not_cancelled(ada: Owner, inference: FakeInference) -> None:
    job = await ada.start()
    await ada.end(job)
    before = await ada.job(job)
    answer = await ada.http.post(f"/api/jobs/{job}/cancel")
    assert (answer.status_code, answer.json()) == (200, before)
    assert before["status"] == "complete"


async def test_jobs_of_a_suspended_user_are_cancelled(
    atoll: Any, ada: Owner, grace: Owner, inference: FakeInference
) -> None:
    inference.answer(Gate())
    inference.always(Done({}))
    running, waiting = await ada.start(), await ada.start()
    other = await grace.start()
    await eventually(lambda: bool(inference.asked))
    root = await atoll.admin()
    path = f"/api/admin/users/{ada.person.id}"
    assert (await root.client.patch(path, json={"status": "suspended"})).status_code == 200
    await eventually(inference.asked[0].closed.is_set)
    assert (await grace.end(other)).name == "done"
    await root.client.patch(path, json={"status": "active"})
    for job in (running, waiting):
        assert (await ada.job(job))["status"] == "cancelled"
    assert len(inference.asked) == 2


async def test_jobs_made_through_a_revoked_key_are_cancelled(
    ada: Owner, inference: FakeInference
) -> None:
    inference.answer(Gate())
    inference.always(Done({}))
    client = await ada.person.key_client()
    body = {"task": "video_enhancement", "input": {"file_id": await ada.upload()}}
    theirs = (await client.post("/api/jobs", json=body)).json()["job"]["id"]
    own = await ada.start()
    await eventually(lambda: bool(inference.asked))
    [key] = (await ada.http.get("/api/auth/api-keys")).json()["items"]
    await ada.http.delete(f"/api/auth/api-keys/{key['id']}")
    assert (await ada.job(theirs))["status"] == "cancelled"
    assert (await ada.end(own)).data["job"]["status"] == "complete"


async def test_a_stream_ends_when_access_does(
    ada: Owner, inference: FakeInference, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atoll_chat.runs.sse.RECHECK_SECONDS", 0.0)
    monkeypatch.setattr("atoll_chat.runs.sse.PING_SECONDS", 0.05)
    inference.answer(Gate())
    job = await ada.start()
    client = await ada.live()
    pings = 0
    async with client.stream("GET", f"/api/jobs/{job}/events") as answer:
        async with asyncio.timeout(DEADLINE):
            async for line in answer.aiter_lines():
                pings += line == ": ping"
                if pings == 3:
                    await ada.http.post("/api/auth/logout")
    assert pings >= 3


async def test_a_reader_resumes_and_is_told_when_there_is_nothing_more(
    ada: Owner, inference: FakeInference
) -> None:
    gate = Gate()
    inference.answer(Progress(0.5), gate, Done({}))
    job = await ada.start()
    client = await ada.live()
    async with client.stream("GET", f"/api/jobs/{job}/events") as answer:
        async with asyncio.timeout(DEADLINE):
            async for event in parsed(answer):
                if event.data.get("fraction") == 0.5:
                    break
    gate.open()
    rest = await ada.job_events(job, after=event.id)
    assert [seen.name for seen in rest] == ["done"]
    assert rest[0].id > event.id
    # Whoever comes late gets how it ended, and whoever has that gets nothing.
    for after in (None, 0, rest[0].id - 1):
        assert await ada.job_events(job, after) == rest
    url = f"/api/jobs/{job}/events"
    headers = {"Last-Event-ID": str(rest[0].id)}
    assert (await ada.http.get(url, headers=headers)).status_code == 204
    assert (await ada.http.get(f"{url}?last_event_id={rest[0].id}")).status_code == 204
