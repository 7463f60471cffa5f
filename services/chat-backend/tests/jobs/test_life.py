"""From a file to a job, its progress, and the file that it makes."""

import asyncio
import json
from datetime import datetime
from typing import Any

import pytest
from chat_fixtures import DEADLINE, eventually, parsed
from fake_inference import Done, FakeInference, Gate, Progress, Queued
from job_fixtures import Owner, on_disk


async def test_a_job_makes_a_file_of_its_owner(ada: Owner, inference: FakeInference) -> None:
    gate = Gate()
    content = bytes(range(256)) * 20_000
    inference.answer(Queued(2), gate, Progress(0.25, "frames"), Done(content=content))
    file = await ada.upload()
    answer = await ada.post(file, parameters={"model": "swin2sr"})
    assert answer.status_code == 202
    job = answer.json()["job"]
    assert set(answer.json()) == {"job"}
    assert job["task"] == "video_enhancement"
    assert job["input"] == {"file_id": file, "name": "holiday.mp4"}
    assert job["parameters"] == {"model": "swin2sr"}
    assert (job["result"], job["error"], job["finished_at"]) == (None, None, None)
    gate.open()
    final = await ada.end(job["id"])
    done = final.data["job"]
    assert final.name == "done"
    assert done == await ada.job(job["id"])
    assert (done["status"], done["model"], done["error"]) == ("complete", "fake-model", None)
    assert done["progress"] == {"fraction": 1.0, "stage": None}
    assert done["created_at"] <= done["started_at"] <= done["finished_at"]
    result = done["result"]
    assert result["name"] == "holiday.enhanced.mp4"
    assert (result["media_type"], result["size"]) == ("video/mp4", len(content))
    made, given = await ada.files()
    assert (made["id"], given["id"]) == (result["file_id"], file)
    assert (made["name"], made["size"]) == (result["name"], result["size"])
    assert (await ada.content(made["id"])).content == content


async def test_progress_is_seen_as_it_happens(ada: Owner, inference: FakeInference) -> None:
    steps = [Gate(), Gate(), Gate()]
    inference.answer(
        Queued(3), steps[0], Progress(0.25, "sound"), steps[1], Progress(0.75), steps[2], Done({})
    )
    job = await ada.start()
    seen = []
    client = await ada.live()
    async with client.stream("GET", f"/api/jobs/{job}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["x-accel-buffering"] == "no"
        assert answer.headers["cache-control"] == "no-store"
        async with asyncio.timeout(DEADLINE):
            async for event in parsed(answer):
                seen.append(event)
                if event.data == {"position": 3}:
                    steps[0].open()
                elif event.data == {"fraction": 0.25, "stage": "sound"}:
                    steps[1].open()
                elif event.data == {"fraction": 0.75, "stage": "frames"}:
                    steps[2].open()
    assert [event.name for event in seen][-3:] == ["progress", "progress", "done"]
    ids = [event.id for event in seen]
    assert ids == sorted(set(ids))


KINDS = [
    ("speech_recognition", "talk.webm", "video/webm", "audio"),
    ("audio_denoising", "talk.wav", "audio/wav", "audio"),
    ("audio_deepfake", "talk.wav", "application/octet-stream", "audio"),
    ("video_enhancement", "a.mp4", "video/mp4", "video"),
    ("video_enhancement", "a.png", "image/png", "image"),
    ("video_enhancement", "a.MKV", "application/octet-stream", "video"),
    ("video_enhancement", "a.jpeg", "application/octet-stream", "image"),
    ("face_deepfake", "a.png", "image/png", "image"),
]


@pytest.mark.parametrize(("task", "name", "media_type", "kind"), KINDS)
async def test_inference_is_told_what_and_for_whom(
    ada: Owner, inference: FakeInference, task: str, name: str, media_type: str, kind: str
) -> None:
    file = await ada.upload(name=name, kind=media_type)
    job = await ada.start(file, task, parameters={"model": "m", "extra": [1]})
    await ada.end(job)
    (asked,) = inference.asked
    assert (asked.method, asked.path) == ("POST", f"/inference/{task}")
    assert asked.body == {kind: {"file_id": file}, "model": "m", "extra": [1]}
    headers = asked.headers
    assert headers["x-atoll-user"] == ada.person.id
    assert headers["x-atoll-job"] == job
    assert headers["x-request-id"] == f"{job}.1"
    assert headers["x-internal-token"] == ada.person.atoll.settings.internal_token
    assert headers["accept"] == "text/event-stream"
    assert headers["content-type"] == "application/json"
    assert "x-atoll-key" not in headers
    (fetched,) = inference.fetched
    assert fetched.headers["x-atoll-user"] == ada.person.id
    assert fetched.headers["x-internal-token"] == headers["x-internal-token"]


@pytest.mark.parametrize("task", ["emotion_detection", "text_summarization"])
async def test_a_text_is_read_from_its_file(
    ada: Owner, inference: FakeInference, task: str
) -> None:
    inference.always(Done({"summary": "short"}))
    file = await ada.upload("\ufeffEin langer Text: 长".encode(), "text.txt", "text/plain")
    await ada.end(await ada.start(file, task, parameters={"max_tokens": 5}))
    assert inference.asked[0].body == {"text": "Ein langer Text: 长", "max_tokens": 5}
    file = await ada.upload(b"\xff\xfe\x00", "text.txt", "text/plain")
    assert await ada.failure(await ada.start(file, task)) == "undecodable"


async def test_a_json_result_is_stored_as_a_file(ada: Owner, inference: FakeInference) -> None:
    result = {"text": "grüß dich 你好", "segments": [{"start": 0.0, "end": 1.5, "text": "x"}]}
    inference.answer(Done(result))
    file = await ada.upload(name="a talk.mp3", kind="audio/mpeg")
    final = await ada.end(await ada.start(file, "speech_recognition"))
    made = final.data["job"]["result"]
    assert (made["name"], made["media_type"]) == ("a talk.transcript.json", "application/json")
    stored = json.loads((await ada.content(made["file_id"])).content)
    assert stored["result"] == result
    assert (stored["model"], stored["timings"]) == ("fake-model", {"total": 1.0})
    assert inference.fetched == []


async def test_an_api_key_is_named_to_inference(
    atoll: Any, ada: Owner, inference: FakeInference
) -> None:
    client = await ada.person.key_client()
    file = await ada.upload()
    body = {"task": "video_enhancement", "input": {"file_id": file}}
    job = (await client.post("/api/jobs", json=body)).json()["job"]["id"]
    await ada.end(job)
    [key] = (await ada.http.get("/api/auth/api-keys")).json()["items"]
    assert inference.asked[0].headers["x-atoll-key"] == key["id"]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"task": "relation"}, 422, "invalid_value"),
        ({"input": {}}, 422, "invalid_value"),
        ({"input": {"file_id": "0" * 32}}, 404, "file_not_found"),
        ({"input": {"url": "https://a.test"}}, 422, "invalid_value"),
        ({"parameters": {"image": "aGk="}}, 422, "invalid_value"),
        ({"parameters": {"inputs": []}}, 422, "invalid_value"),
        ({"parameters": {"prompt": "x" * 20_000}}, 422, "invalid_value"),
        ({"parameters": []}, 422, "invalid_value"),
        ({"file_id": "x"}, 422, "invalid_value"),
    ],
)
async def test_a_request_that_makes_no_job(
    ada: Owner, change: dict[str, Any], status: int, code: str
) -> None:
    file = await ada.upload()
    body = {"task": "video_enhancement", "input": {"file_id": file}, **change}
    answer = await ada.http.post("/api/jobs", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert (await ada.http.get("/api/jobs")).json()["items"] == []


async def test_a_file_of_the_wrong_kind_makes_no_job(ada: Owner) -> None:
    file = await ada.upload(name="notes.txt", kind="text/plain")
    answer = await ada.post(file)
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_media_type")
    file = await ada.upload(b"x" * 2_100_000, "long.txt", "text/plain")
    answer = await ada.post(file, "text_summarization")
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "text_too_large")


async def test_jobs_are_listed_page_by_page(ada: Owner, inference: FakeInference) -> None:
    file = await ada.upload()
    jobs = [await ada.start(file) for _ in range(5)]
    for job in jobs:
        await ada.end(job)
    first = (await ada.http.get("/api/jobs?limit=3")).json()
    query = {"limit": 3, "cursor": first["next_cursor"]}
    second = (await ada.http.get("/api/jobs", params=query)).json()
    assert [item["id"] for item in first["items"] + second["items"]] == jobs[::-1]
    assert second["next_cursor"] is None
    assert second["items"][-1] == await ada.job(jobs[0])


async def test_the_result_outlives_its_input(ada: Owner, inference: FakeInference) -> None:
    file = await ada.upload()
    job = await ada.start(file)
    await ada.end(job)
    await ada.http.delete(f"/api/files/{file}")
    stored = await ada.job(job)
    assert (stored["status"], stored["input"]["file_id"]) == ("complete", file)
    assert (await ada.content(stored["result"]["file_id"])).content == b"enhanced"


async def test_an_input_deleted_while_the_job_waits(ada: Owner, inference: FakeInference) -> None:
    gate = Gate()
    inference.answer(gate, Done({}))
    first = await ada.start()
    file = await ada.upload()
    second = await ada.start(file)
    await ada.http.delete(f"/api/files/{file}")
    gate.open()
    await ada.end(first)
    assert await ada.failure(second) == "file_not_found"
    assert len(inference.asked) == 1


async def test_progress_is_stored_at_most_every_second(
    atoll: Any, ada: Owner, inference: FakeInference
) -> None:
    file = await ada.upload()
    before = atoll.backend.database.changes("jobs")
    inference.answer(*(Progress(n / 5000) for n in range(5000)), Done({}))
    job = await ada.start(file)
    events = await ada.job_events(job)
    final = events[-1].data["job"]
    began, ended = (datetime.fromisoformat(final[name]) for name in ("started_at", "finished_at"))
    seconds = (ended - began).total_seconds()
    # Made, claimed, complete, and the end looked at; then one each second.
    assert atoll.backend.database.changes("jobs") - before <= 5 + seconds
    assert len(events) <= 5 + seconds * 11


async def test_what_is_not_progress_is_passed_over(ada: Owner, inference: FakeInference) -> None:
    gate = Gate()
    inference.answer(
        Queued(-1), Queued("x"), Queued(True), Progress("half"), Progress(None), Progress(True),
        Progress([]), gate, Progress(7, "x" * 500), Done({}),
    )  # fmt: skip
    job = await ada.start()
    await eventually(lambda: bool(inference.asked))
    gate.open()
    assert (await ada.end(job)).name == "done"
    assert len(on_disk(ada.person.atoll)) == 2
