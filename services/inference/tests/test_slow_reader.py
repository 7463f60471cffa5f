"""A reader that stops reading loses its answer, and nobody else notices."""

import asyncio
import socket
from typing import Any

import httpx
import pytest

from atoll_inference.engines.chat import Delta, Finished
from atoll_inference.serving.output import Idle, OutputBuffer, Queued
from atoll_kit.errors import ApiError


def buffer(limit: int = 1000, patience: float = 30) -> OutputBuffer:
    return OutputBuffer(asyncio.get_running_loop(), limit=limit, slow_client_s=patience)


async def test_text_is_joined_while_the_reader_is_away() -> None:
    output = buffer()
    for piece in "abc":
        assert output.put(Delta(piece)) is False
    output.put(Finished("stop", 1, 3))
    assert await output.get(1) == Delta("abc")
    assert await output.get(1) == Finished("stop", 1, 3)


async def test_places_replace_each_other_and_silence_is_told() -> None:
    output = buffer()
    output.announce(3)
    output.announce(2)
    assert await output.get(1) == Queued(2)
    assert await output.get(0.01) == Idle()


async def test_text_before_an_error_is_delivered_first() -> None:
    output = buffer()
    output.put(Delta("half"))
    output.fail(ApiError("over"))
    assert await output.get(1) == Delta("half")
    with pytest.raises(ApiError, match="over"):
        await output.get(1)
    assert output.put(Delta("more")) is True


async def test_a_full_buffer_holds_its_writer_until_it_is_read() -> None:
    output = buffer(limit=4)
    writer = asyncio.create_task(asyncio.to_thread(output.put, Delta("0123456789")))
    for _ in range(1000):
        if output.blocked:
            break
        await asyncio.sleep(0.01)
    assert not writer.done()
    assert await output.get(1) == Delta("0123456789")
    assert await writer is False


async def test_a_buffer_that_stays_full_drops_the_answer() -> None:
    output = buffer(limit=4, patience=0.2)
    assert await asyncio.to_thread(output.put, Delta("0123456789")) is True
    with pytest.raises(ApiError) as dropped:
        await output.get(1)
    assert dropped.value.code == "slow_client"


async def test_a_stalled_reader_is_dropped_and_the_others_finish(
    start_service: Any, ask: Any, long_question: dict[str, Any]
) -> None:
    service = start_service(SLOW_CLIENT_SECONDS=1, OUTPUT_BUFFER_BYTES=64)
    body = long_question | {"stream": True}
    token = service.headers["X-Internal-Token"]
    payload = httpx.Request("POST", "http://x", json=body).content
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nX-Internal-Token: {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n"
    )
    with socket.socket() as stalled:
        # With small buffers at both ends the service soon notices that nobody reads.
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        stalled.connect(("127.0.0.1", service.port))
        stalled.sendall(head.encode() + payload)
        async with service.client() as client:

            async def whole() -> None:
                answer = await client.post(
                    "/v1/chat/completions", json=ask("Tell me a story.", max_tokens=20)
                )
                assert answer.status_code == 200

            await asyncio.wait_for(asyncio.gather(*(whole() for _ in range(7))), 200)
        service.wait_until(
            lambda: service.metric("request_failures_total", reason="slow_client") == 1, "drop", 200
        )
        assert service.metric("num_requests_running") == 0
