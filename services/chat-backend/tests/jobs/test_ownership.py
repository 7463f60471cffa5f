"""Another user's jobs are absent, on every route that names one."""

from typing import Any

import pytest
from fake_inference import Done, FakeInference, Gate
from job_fixtures import Owner

ROUTES = [
    ("GET", "/api/jobs/{job_id}"),
    ("POST", "/api/jobs/{job_id}/cancel"),
    ("GET", "/api/jobs/{job_id}/events"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("finished", [True, False])
async def test_a_strangers_jobs_are_absent(
    ada: Owner, grace: Owner, inference: FakeInference, method: str, path: str, finished: bool
) -> None:
    gate = Gate()
    inference.answer(gate, Done({}))
    job = await ada.start()
    if finished:
        gate.open()
        await ada.end(job)
    answer = await grace.http.request(method, path.format(job_id=job))
    absent = await grace.http.request(method, path.format(job_id="0" * 32))
    assert answer.status_code == absent.status_code == 404
    # It cannot be told from one that never was.
    assert {**answer.json()["error"], "request_id": ""} == {
        **absent.json()["error"],
        "request_id": "",
    }
    assert answer.json()["error"]["code"] == "job_not_found"
    gate.open()
    assert (await ada.end(job)).data["job"]["status"] == "complete"


async def test_every_route_with_an_id_is_covered(atoll: Any) -> None:
    named = {
        (method.upper(), path)
        for path, methods in atoll.app.openapi()["paths"].items()
        if path.startswith("/api/jobs/")
        for method in methods
    }
    assert named == set(ROUTES)


async def test_lists_and_inputs_are_ones_own(ada: Owner, grace: Owner) -> None:
    file = await ada.upload()
    await ada.end(await ada.start(file))
    assert (await grace.http.get("/api/jobs")).json()["items"] == []
    refused = await grace.post(file)
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "file_not_found")


async def test_a_job_needs_the_scope_of_files(atoll: Any, ada: Owner) -> None:
    file = await ada.upload()
    body = {"task": "video_enhancement", "input": {"file_id": file}}
    lesser = await ada.person.key_client("inference")
    assert (await lesser.post("/api/jobs", json=body)).status_code == 403
    key = await ada.person.key_client("conversations")
    assert (await key.post("/api/jobs", json=body)).status_code == 202


async def test_a_foreign_page_starts_and_ends_no_job(
    atoll: Any, ada: Owner, inference: FakeInference
) -> None:
    inference.answer(Gate())
    job = await ada.start()
    cookie = atoll.client(cookies={"atoll_session": ada.person.token})
    for path in ("/api/jobs", f"/api/jobs/{job}/cancel"):
        refused = await cookie.post(path, json={})
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "csrf_failed")
    assert (await ada.job(job))["status"] in ("queued", "running")
