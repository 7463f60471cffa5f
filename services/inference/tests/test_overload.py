"""More requests than the service can take: refused at once or answered, never hung."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest

Ask = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def narrow(start_service: Callable[..., Any]) -> Any:
    """One slot, two places in the queue."""
    return start_service(CHAT_PARALLEL=1, QUEUE_LIMIT=2, REQUEST_TIMEOUT=8)


async def test_two_hundred_at_once(service: Any, ask: Ask) -> None:
    async def one(client: httpx.AsyncClient, number: int) -> httpx.Response:
        body = ask(f"Say the number {number}.", max_tokens=2)
        return await client.post("/v1/chat/completions", json=body)

    async with service.client() as client:
        answers = await asyncio.wait_for(asyncio.gather(*(one(client, n) for n in range(200))), 120)
    counts = Counter(a.status_code for a in answers)
    assert set(counts) == {200, 429}, counts
    # Four run and 64 wait; the rest comes too early or finds places that became free.
    assert counts[200] >= 68
    for refused in (a for a in answers if a.status_code == 429):
        assert refused.json()["error"]["code"] == "queue_full"
        assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert service.metric("num_requests_running") == 0
    assert service.metric("num_requests_waiting") == 0


async def test_a_waiting_stream_is_told_its_place(
    narrow: Any, long_question: dict[str, Any]
) -> None:
    stream = long_question | {"stream": True}
    async with (
        narrow.client() as client,
        client.stream("POST", "/v1/chat/completions", json=stream) as first,
    ):
        lines = first.aiter_lines()
        while not (await anext(lines)).startswith("data: "):
            pass
        async with client.stream("POST", "/v1/chat/completions", json=stream) as second:
            assert await anext(second.aiter_lines()) == ": queued 1"
    narrow.wait_until(lambda: narrow.metric("num_requests_running") == 0, "both stop")
    assert narrow.metric("num_requests_waiting") == 0


async def test_deadline_while_running_and_while_queued(
    narrow: Any, long_question: dict[str, Any]
) -> None:
    started = time.monotonic()
    async with narrow.client() as client:
        answers = await asyncio.gather(
            *(client.post("/v1/chat/completions", json=long_question) for _ in range(3))
        )
    assert {a.status_code for a in answers} == {504}
    assert {a.json()["error"]["code"] for a in answers} == {"deadline_exceeded"}
    # The slot of the first may go to the second for the last moment of its time.
    assert sum("in the queue" in a.text for a in answers) in (1, 2)
    assert time.monotonic() - started < 40
    narrow.wait_until(lambda: narrow.metric("num_requests_running") == 0, "the slot is free")


async def test_a_user_over_the_limit_is_refused(
    service: Any, ask: Ask, long_question: dict[str, Any]
) -> None:
    identity = {"X-Atoll-User": "u1", "X-Atoll-Max-Concurrent": "1"}
    stream = long_question | {"stream": True}
    async with service.client() as client:
        async with client.stream(
            "POST", "/v1/chat/completions", json=stream, headers=identity
        ) as first:
            lines = first.aiter_lines()
            await anext(lines)
            refused = await client.post("/v1/chat/completions", json=ask("Hi"), headers=identity)
            assert refused.status_code == 429
            assert refused.json()["error"]["code"] == "concurrency_limit"
            assert "retry-after" in refused.headers
            other = await client.post(
                "/v1/chat/completions",
                json=ask("Hi", max_tokens=2),
                headers=identity | {"X-Atoll-User": "u2"},
            )
            assert other.status_code == 200
        service.wait_until(lambda: service.metric("num_requests_running") == 0, "it stops")
        again = await client.post(
            "/v1/chat/completions", json=ask("Hi", max_tokens=2), headers=identity
        )
        assert again.status_code == 200


async def test_a_limit_that_is_no_number_is_refused(service: Any, ask: Ask) -> None:
    answer = service.post("/v1/chat/completions", ask("Hi"), **{"X-Atoll-Max-Concurrent": "many"})
    assert answer.status_code == 400
