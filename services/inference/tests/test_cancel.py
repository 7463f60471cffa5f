"""Work stops when nobody wants it any more."""

import asyncio
import json
import signal
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest


def generated(service: Any) -> float:
    return float(service.metric("generation_tokens_total"))


async def begin(client: httpx.AsyncClient, body: dict[str, Any], **headers: str) -> list[str]:
    """Read a stream to its end; the first line that is there ends nothing."""
    lines: list[str] = []
    async with client.stream(
        "POST", "/v1/chat/completions", json=body | {"stream": True}, headers=headers
    ) as answer:
        async for line in answer.aiter_lines():
            if line:
                lines.append(line)
    return lines


async def test_a_closed_stream_stops_the_generation(
    service: Any, long_question: dict[str, Any]
) -> None:
    before = generated(service)
    async with (
        service.client() as client,
        client.stream(
            "POST", "/v1/chat/completions", json=long_question | {"stream": True}
        ) as answer,
    ):
        lines = answer.aiter_lines()
        for _ in range(5):
            await anext(lines)
        assert service.metric("num_requests_running") == 1
    service.wait_until(lambda: service.metric("num_requests_running") == 0, "the end", 10)
    assert generated(service) - before < 1000
    assert service.metric("request_failures_total", reason="client_closed_request") >= 1


async def test_a_closed_connection_stops_a_plain_request(
    service: Any, long_question: dict[str, Any]
) -> None:
    before = generated(service)
    async with service.client() as client:
        request = asyncio.create_task(client.post("/v1/chat/completions", json=long_question))
        await service.until("num_requests_running", 1)
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
    service.wait_until(lambda: service.metric("num_requests_running") == 0, "the end", 10)
    assert generated(service) - before < 1000


@pytest.mark.parametrize("field", ["user", "key"])
async def test_cancelling_by_user_or_key_spares_the_others(
    service: Any, long_question: dict[str, Any], field: str
) -> None:
    header = {"user": "X-Atoll-User", "key": "X-Atoll-Key"}[field]
    async with service.client() as client:
        # More than there are slots, so that some are cancelled in the queue.
        mine = [
            asyncio.create_task(
                client.post("/v1/chat/completions", json=long_question, headers={header: "mine"})
            )
            for _ in range(6)
        ]
        await service.until("num_requests_waiting", 2)
        other = asyncio.create_task(
            client.post(
                "/v1/chat/completions",
                json=long_question | {"max_tokens": 8},
                headers={header: "other"},
            )
        )
        await service.until("num_requests_waiting", 3)
        told = await client.post("/internal/cancel", json={field: "mine"})
        assert told.json() == {"cancelled": 6}
        answers = await asyncio.wait_for(asyncio.gather(*mine), 30)
        assert {a.json()["error"]["code"] for a in answers} == {"cancelled"}
        assert (await other).status_code == 200


async def test_cancel_needs_a_name(service: Any) -> None:
    assert service.post("/internal/cancel", {}).status_code == 422


async def test_sigterm_ends_streams_with_an_error_and_the_service_within_ten_seconds(
    start_service: Callable[..., Any], long_question: dict[str, Any]
) -> None:
    service = start_service(CHAT_PARALLEL=2)
    async with service.client() as client:
        streams = [asyncio.create_task(begin(client, long_question)) for _ in range(3)]
        plain = asyncio.create_task(client.post("/v1/chat/completions", json=long_question))
        await service.until("num_requests_waiting", 2)
        # Let one of them begin to write.
        await service.until("num_requests_running", 2)
        started = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        ends = await asyncio.wait_for(asyncio.gather(*streams), 20)
        refused = await plain
    assert await asyncio.to_thread(service.process.wait, 20) == 0
    assert time.monotonic() - started < 10
    for lines in ends:
        last = json.loads(lines[-1].removeprefix("data: "))
        assert last["error"]["code"] == "interrupted"
    assert refused.status_code == 503
    assert refused.json()["error"]["code"] == "interrupted"
