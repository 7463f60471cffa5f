"""Usage: reported once, summed by day and model, for its user alone."""

from typing import Any

import pytest
from chat_fixtures import Browser


def report(number: int, user: str, **fields: Any) -> dict[str, Any]:
    return {
        "request_id": f"r{number}", "user": user, "key": None, "model": "m", "kind": "chat",
        "prompt_tokens": 10, "completion_tokens": 5, "seconds": 0.5,
        "created_at": "2026-03-01T12:00:00Z", **fields,
    }  # fmt: skip


async def send(browser: Browser, *items: dict[str, Any]) -> int:
    token = browser.person.atoll.settings.internal_token
    answer = await browser.http.post(
        "/internal/usage", json={"items": items}, headers={"X-Internal-Token": token}
    )
    return answer.status_code


async def test_reports_count_once(ada: Browser, grace: Browser) -> None:
    mine = ada.person.id
    batch = [
        report(1, mine),
        report(2, mine, created_at="2026-03-02T00:00:00+01:00"),  # still March 1 in UTC
        report(3, mine, model="other"),
        report(4, mine, created_at="2026-03-02T10:00:00Z"),
        report(5, grace.person.id),
        report(6, "0" * 32),
    ]
    assert await send(ada, *batch) == 204
    assert await send(ada, *batch, report(1, mine, prompt_tokens=999)) == 204
    page = (await ada.http.get("/api/usage")).json()
    assert page["next_cursor"] is None
    assert [(i["day"], i["model"], i["requests"], i["prompt_tokens"]) for i in page["items"]] == [
        ("2026-03-02", "m", 1, 10),
        ("2026-03-01", "other", 1, 10),
        ("2026-03-01", "m", 2, 20),
    ]
    assert [i["requests"] for i in (await grace.http.get("/api/usage")).json()["items"]] == [1]
    first = (await ada.http.get("/api/usage", params={"limit": 2})).json()
    query = {"limit": 2, "cursor": first["next_cursor"]}
    second = (await ada.http.get("/api/usage", params=query)).json()
    assert first["items"] + second["items"] == page["items"]


async def test_only_services_report(ada: Browser) -> None:
    answer = await ada.http.post("/internal/usage", json={"items": [report(1, ada.person.id)]})
    assert answer.status_code == 401
    assert (await ada.http.get("/api/usage")).json()["items"] == []


@pytest.mark.parametrize(
    "fields", [{"prompt_tokens": -1}, {"request_id": ""}, {"created_at": "yesterday"}]
)
async def test_a_bad_report_is_refused(ada: Browser, fields: dict[str, Any]) -> None:
    assert await send(ada, report(1, ada.person.id, **fields)) == 422
