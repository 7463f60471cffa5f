"""Inference that misbehaves, disks that are full: a job ends, says why, and leaves no half file."""

import asyncio
import errno
from typing import Any

import pytest
from chat_fixtures import eventually
from fake_inference import Done, Fail, FakeInference, Gate, NoEnd, Progress, Queued
from fake_openai import Drop, Html, Raw, Refuse
from job_fixtures import Owner, on_disk

from atoll_chat.files import storage
from atoll_chat.jobs import work


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "FIRST_RETRY", 0.01)
    monkeypatch.setattr(work, "LONGEST_RETRY", 0.05)


async def failed(ada: Owner, job: str) -> str:
    """The code of the failure; the input alone is left."""
    code = await ada.failure(job)
    assert len(await ada.files()) == 1
    assert len(on_disk(ada.person.atoll)) == 1
    return code


@pytest.mark.parametrize("how", [Drop(), NoEnd()])
async def test_what_breaks_off_once_is_tried_again(
    ada: Owner, inference: FakeInference, how: Any
) -> None:
    inference.answer(Progress(0.9), how)
    job = await ada.start()
    final = await ada.end(job)
    assert final.data["job"]["status"] == "complete"
    assert [asked.headers["x-request-id"] for asked in inference.asked] == [f"{job}.1", f"{job}.2"]


@pytest.mark.parametrize("how", [Drop(), Fail("interrupted")])
async def test_what_breaks_off_twice_fails(ada: Owner, inference: FakeInference, how: Any) -> None:
    inference.always(Progress(0.9), how)
    assert await failed(ada, await ada.start()) == "interrupted"
    assert len(inference.asked) == 2


async def test_an_answer_that_never_comes(
    ada: Owner, inference: FakeInference, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atoll_chat.jobs.calls.SILENCE_SECONDS", 1.5)
    inference.answer(Gate())
    assert await failed(ada, await ada.start()) == "deadline_exceeded"
    inference.answer(Progress(0.1), Gate())
    assert await failed(ada, await ada.start(await the_file(ada))) == "deadline_exceeded"
    await eventually(lambda: all(asked.closed.is_set() for asked in inference.asked))


async def test_a_job_that_takes_too_long(start: Any, inference: FakeInference) -> None:
    atoll = await start(inference_url=inference.url, job_timeout=3)
    ada = Owner(await atoll.user("ada"))
    pings = [step for _ in range(2000) for step in (Raw(b": ping\n\n"), Progress(0.1))]
    inference.answer(*pings, Gate())
    job = await ada.start()
    assert await failed(ada, job) == "deadline_exceeded"
    assert "JOB_TIMEOUT" in (await ada.job(job))["error"]["message"]
    await eventually(inference.asked[0].closed.is_set)
    await ada.close()


async def the_file(ada: Owner) -> str:
    """The id of the one file that is stored."""
    [file] = await ada.files()
    return str(file["id"])


@pytest.mark.parametrize(
    "steps",
    [
        (Html(),),
        (Html(b'{"task": "x", "result": {}}'),),
        (Raw(b"event: done\ndata: nonsense\n\n"),),
        (Raw(b"event: done\ndata: []\n\n"),),
        (Raw(b'event: done\ndata: {"result": {"score": NaN}}\n\n'),),
        (Raw(b"data: \xff\xfe\n\n"),),
        (Raw(b"x" * 5_000_000),),
        (Done(None),),
        (Done("text"),),
        (Done({"file": "x"}),),
        (Done({"file": {"id": "../cancel", "media_type": "a/b", "bytes": 1, "name": ""}}),),
        (Done({"file": {"id": "abc", "media_type": "a/b", "bytes": -1, "name": ""}}),),
        (Done({"file": {"id": "abc", "media_type": None, "bytes": 1, "name": ""}}),),
        (Done({"file": {"id": "abc", "media_type": "a/b", "bytes": True, "name": ""}}),),
    ],
)
async def test_an_answer_that_is_none(
    ada: Owner, inference: FakeInference, steps: tuple[Any, ...]
) -> None:
    inference.answer(Progress(0.5), *steps) if not isinstance(steps[0], Html) else (
        inference.answer(*steps)
    )
    assert await failed(ada, await ada.start()) == "upstream_error"
    assert len(inference.asked) == 1
    assert inference.fetched == []


@pytest.mark.parametrize("how", ["as a status", "inside the stream"])
async def test_a_full_queue_is_waited_for(ada: Owner, inference: FakeInference, how: str) -> None:
    busy = Refuse(429, "queue_full", headers={"Retry-After": "1"})
    for _ in range(3):
        inference.answer(busy if how == "as a status" else Fail("queue_full", "rate_limit_error"))
    inference.answer(Fail("model_loading"))
    job = await ada.start()
    assert (await ada.end(job)).data["job"]["status"] == "complete"
    assert len(inference.asked) == 5
    # Waiting is no attempt.
    assert {asked.headers["x-request-id"] for asked in inference.asked} == {f"{job}.1"}


async def test_a_queue_that_stays_full(start: Any, inference: FakeInference) -> None:
    atoll = await start(inference_url=inference.url, job_queue_timeout=0.3)
    ada = Owner(await atoll.user("ada"))
    inference.always(Refuse(429, "queue_full", "The queue is full."))
    job = await ada.start()
    assert await failed(ada, job) == "queue_timeout"
    assert "The queue is full." in (await ada.job(job))["error"]["message"]
    assert len(inference.asked) > 1
    await ada.close()


async def test_inference_that_is_away_is_waited_for(ada: Owner, inference: FakeInference) -> None:
    inference.stop()
    job = await ada.start()
    await ada.until(job, "running")
    inference.start()
    assert (await ada.end(job)).data["job"]["status"] == "complete"


async def test_a_job_waiting_for_room_is_cancelled(ada: Owner, inference: FakeInference) -> None:
    inference.always(Refuse(429, "queue_full"))
    job = await ada.start()
    await eventually(lambda: len(inference.asked) > 2)
    cancelled = (await ada.http.post(f"/api/jobs/{job}/cancel")).json()
    assert cancelled["status"] == "cancelled"


REFUSALS = [
    (Refuse(503, "model_not_installed", "Run make models."), "model_not_installed"),
    (Refuse(422, "invalid_value", "no such parameter"), "invalid_value"),
    (Refuse(404, "model_not_found", "no such model"), "model_not_found"),
    (Refuse(401, "not_authenticated"), "upstream_credential_refused"),
    (Fail("file_not_found", "not_found_error"), "file_not_found"),
    (Fail("undecodable", "invalid_request_error", "No video in it."), "undecodable"),
    (Fail("out_of_memory"), "out_of_memory"),
    (Fail("disk_full"), "disk_full"),
]


@pytest.mark.parametrize(("refusal", "code"), REFUSALS)
async def test_a_refusal_is_told_at_once(
    ada: Owner, inference: FakeInference, refusal: Any, code: str
) -> None:
    inference.answer(refusal)
    job = await ada.start()
    assert await failed(ada, job) == code
    assert len(inference.asked) == 1
    if code != "upstream_credential_refused":
        assert refusal.message in (await ada.job(job))["error"]["message"]
    # The next job is not harmed.
    assert (await ada.end(await ada.start(await the_file(ada)))).name == "done"


CONTENT = b"x" * 100_000
HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"


@pytest.mark.parametrize(
    "steps",
    [
        [Raw(HEAD % 100_000 + CONTENT[:50_000]), Drop()],
        [Raw(HEAD % 100_000 + CONTENT[:50_000])],
        [Drop()],
    ],
)
async def test_a_result_that_breaks_off_is_fetched_again(
    ada: Owner, inference: FakeInference, steps: list[Any]
) -> None:
    inference.answer(Done(content=CONTENT))
    inference.fetch_scripts.append(steps)
    final = await ada.end(await ada.start())
    result = final.data["job"]["result"]
    assert (await ada.content(result["file_id"])).content == CONTENT
    assert len(inference.asked) == 1
    assert len(on_disk(ada.person.atoll)) == 2


async def test_a_result_that_always_breaks_off(ada: Owner, inference: FakeInference) -> None:
    inference.answer(Done(content=CONTENT))
    for _ in range(10):
        inference.fetch_scripts.append([Raw(HEAD % 100_000 + CONTENT[:50_000])])
    assert await failed(ada, await ada.start()) == "interrupted"
    assert len(inference.fetched) == 3


@pytest.mark.parametrize(
    ("announced", "head"),
    [
        (100_001, None),
        (99_999, None),
        (0, None),
        # What was announced comes, but the length of the answer is another.
        (100_000, HEAD % 50_000),
        (100_000, b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\ncontent-length: 5\r\n\r\n"),
    ],
)
async def test_a_result_of_another_length(
    ada: Owner, inference: FakeInference, announced: int, head: bytes | None
) -> None:
    inference.answer(Done(content=CONTENT, announced=announced))
    if head:
        for _ in range(3):
            inference.fetch_scripts.append([Raw(head + CONTENT), Drop()])
    code = await failed(ada, await ada.start())
    assert code in ("upstream_error", "interrupted", "upstream_unavailable")


async def test_a_result_that_is_gone(ada: Owner, inference: FakeInference) -> None:
    file = {"id": "f" * 32, "media_type": "video/mp4", "bytes": 5, "name": "x.mp4"}
    inference.answer(Done({"file": file}))
    assert await failed(ada, await ada.start()) == "result_not_found"


async def test_an_empty_result_is_a_file(ada: Owner, inference: FakeInference) -> None:
    inference.answer(Done(content=b"", media_type="application/x-thing", name="a.thing"))
    result = (await ada.end(await ada.start())).data["job"]["result"]
    assert (result["size"], result["name"]) == (0, "holiday.enhanced.thing")


async def test_a_result_larger_than_a_file_may_be(start: Any, inference: FakeInference) -> None:
    atoll = await start(inference_url=inference.url, max_upload_bytes=65536)
    ada = Owner(await atoll.user("ada"))
    inference.answer(Done(content=b"x" * 65537))
    job = await ada.start()
    assert await failed(ada, job) == "result_too_large"
    assert "MAX_UPLOAD_BYTES" in (await ada.job(job))["error"]["message"]
    await ada.close()


@pytest.mark.parametrize("result", [Done({}), Done(content=CONTENT)])
async def test_a_full_disk_is_said_and_leaves_no_half_file(
    ada: Owner, inference: FakeInference, monkeypatch: pytest.MonkeyPatch, result: Done
) -> None:
    file = await ada.upload()

    def full(_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(storage, "_flush", full)
    inference.answer(result)
    assert await failed(ada, await ada.start(file)) == "disk_full"
    monkeypatch.undo()
    assert (await ada.end(await ada.start(file))).name == "done"


async def test_a_database_that_takes_nothing_keeps_no_file(
    ada: Owner, inference: FakeInference, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file and the job's end are one transaction: there is never a result without its job."""
    ledger = ada.person.atoll.backend.jobs._ledger

    async def fails(*_: Any) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(ledger, "complete", fails)
    assert await failed(ada, await ada.start()) == "internal_error"


async def test_one_broken_job_does_not_stop_the_others(
    ada: Owner, inference: FakeInference, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = ada.person.atoll.backend.jobs._ledger
    claim, calls = ledger.claim, 0

    async def sometimes() -> Any:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise RuntimeError("the worker stumbles")
        return await claim()

    monkeypatch.setattr(ledger, "claim", sometimes)
    monkeypatch.setattr("atoll_chat.jobs.worker.AFTER_FAILURE", 0.01)
    assert (await ada.end(await ada.start())).name == "done"
    assert calls > 1


async def test_a_job_whose_row_is_gone(ada: Owner, inference: FakeInference) -> None:
    from sqlalchemy import delete

    from atoll_chat.jobs.tables import JobRow

    gate = Gate()
    inference.answer(Queued(1), gate, Done(content=CONTENT))
    job = await ada.start()
    await eventually(lambda: bool(inference.asked))
    following = asyncio.create_task(ada.job_events(job))
    await asyncio.sleep(0)
    async with ada.person.atoll.backend.database.write() as session:
        await session.execute(delete(JobRow))
    gate.open()
    await eventually(lambda: not ada.person.atoll.backend.jobs._live)
    assert len(await ada.files()) == 1
    try:
        assert all(seen.name not in ("done", "error") for seen in await following)
    except AssertionError as refused:
        # Asked for after the row was gone.
        assert "job_not_found" in str(refused)
