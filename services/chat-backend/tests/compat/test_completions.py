"""OpenAI's routes: what a program sends and gets, byte for byte."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import openai
import pytest
from chat_fixtures import Browser, eventually
from fake_openai import MODEL, Drop, FakeServer, Gate, Html, NoEnd, Raw, Refuse, chunk, event

BODY = {"messages": [{"role": "user", "content": "Hello?"}]}


@pytest.fixture
async def program(ada: Browser) -> AsyncIterator[httpx.AsyncClient]:
    """A client with an API key of Ada's."""
    async with httpx.AsyncClient(
        base_url=await ada.address(),
        headers={"Authorization": f"Bearer {await ada.person.key('inference')}"},
        trust_env=False,
        verify=False,
        timeout=30,
    ) as client:
        yield client


async def test_the_sdk_gets_its_answer(ada: Browser, fake: FakeServer) -> None:
    async with openai.AsyncOpenAI(
        base_url=f"{await ada.address()}/v1", api_key=await ada.person.key(), max_retries=0
    ) as client:
        answer = await client.chat.completions.create(model=MODEL, **BODY)
        assert answer.choices[0].message.content == "The capital of France is Paris."
        assert answer.usage
        pieces = []
        counted = None
        stream = await client.chat.completions.create(
            model=MODEL, **BODY, stream=True, stream_options={"include_usage": True}
        )
        async for piece in stream:
            pieces += [choice.delta.content for choice in piece.choices if choice.delta.content]
            counted = piece.usage or counted
        assert pieces == ["The capital", " of France", " is Paris."]
        assert counted
        assert counted.completion_tokens == 3
        assert [model.id async for model in client.models.list()] == [
            MODEL,
            "fake-large",
            "fake-embed",
        ]
        assert (await client.models.retrieve(MODEL)).id == MODEL
        with pytest.raises(openai.NotFoundError):
            await client.models.retrieve("no-such-model")


@pytest.mark.parametrize(
    "path", ["/v1/chat/completions", "/api/v1/chat/completions", "/api/chat/completions"]
)
async def test_bytes_pass_unchanged_both_ways(
    program: httpx.AsyncClient, fake: FakeServer, path: str
) -> None:
    sent = json.dumps({**BODY, "model": MODEL, "stream": True, "x_extra": [1.0, "ü"]}, indent=1)
    odd = b'data: {"choices":[],"weird":"\xf0\x9f\x8e\x89"}\r\n\r\n'
    fake.answer(Raw(b": queued 3\n\n"), "text", Raw(odd))
    answer = await program.post(path, content=sent.encode())
    assert fake.asked[0].raw == sent.encode()
    end = event(chunk(None, finish="stop")) + b"data: [DONE]\n\n"
    assert answer.content == b": queued 3\n\n" + event(chunk("text")) + odd + end
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-accel-buffering"] == "no"
    assert answer.headers["cache-control"] == "no-store"


async def test_the_identity_goes_along(
    program: httpx.AsyncClient, ada: Browser, fake: FakeServer, chat
) -> None:
    spoofed = {"X-Atoll-User": "somebody", "X-Request-Id": "abc-123"}
    await program.post("/v1/chat/completions", json=BODY, headers=spoofed)
    headers = fake.asked[0].headers
    assert headers["x-atoll-user"] == ada.person.id
    assert len(headers["x-atoll-key"]) == 32
    assert headers["x-request-id"] == "abc-123"
    assert headers["x-internal-token"] == chat.settings.internal_token
    assert "authorization" not in headers


async def test_no_model_means_the_default(program: httpx.AsyncClient, fake: FakeServer) -> None:
    for name in ({}, {"model": None}, {"model": "default"}):
        await program.post("/v1/chat/completions", json={**BODY, **name})
    assert {asked.body["model"] for asked in fake.asked} == {MODEL}


async def test_the_first_token_is_not_held_back(
    program: httpx.AsyncClient, fake: FakeServer
) -> None:
    gate = Gate()
    fake.answer("first", gate)
    request = program.stream("POST", "/v1/chat/completions", json={**BODY, "stream": True})
    async with request as answer:
        async for piece in answer.aiter_bytes():
            assert b"first" in piece
            break
        gate.open()


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"{nope", 400, "invalid_json"),
        (b"", 400, "invalid_json"),
        (b"[" * 100_000, 400, "invalid_json"),
        (b"\xff\xfe", 400, "invalid_json"),
        (b"[]", 400, "invalid_json"),
        (b"{}", 422, "invalid_value"),
        (b'{"messages": []}', 422, "invalid_value"),
        (b'{"messages": ["hi"]}', 422, "invalid_value"),
        (b'{"messages": [{}], "stream": "yes"}', 422, "invalid_value"),
        (b'{"messages": [{}], "n": 0}', 422, "invalid_value"),
        (b'{"messages": [{}], "n": true}', 422, "invalid_value"),
        (b'{"messages": [{}], "model": 5}', 422, "invalid_value"),
        (b'{"messages": [{}], "model": "gpt-4"}', 404, "model_not_found"),
    ],
)
async def test_bad_requests_do_not_reach_the_model(
    program: httpx.AsyncClient, fake: FakeServer, content: bytes, status: int, code: str
) -> None:
    answer = await program.post("/v1/chat/completions", content=content)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["request_id"]
    assert fake.asked == []


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("script", "status", "code"),
    [
        (Refuse(429, "queue_full", "full", {"retry-after": "7"}), 429, "queue_full"),
        (Refuse(400, "context_length_exceeded", "too long"), 400, "context_length_exceeded"),
        (Refuse(422, "invalid_value", "temperature"), 422, "invalid_value"),
        (Refuse(503, "model_loading", "loading", {"retry-after": "7"}), 503, "model_loading"),
        (Refuse(401, "not_authenticated", "token"), 502, "upstream_credential_refused"),
        (Refuse(500, body=b"Traceback"), 503, "upstream_unavailable"),
        (Refuse(302, body=b""), 502, "upstream_error"),
        (Html(), 502, "upstream_error"),
    ],
)
async def test_refusals_keep_their_status(
    program: httpx.AsyncClient, fake: FakeServer, script, status: int, code: str, stream: bool
) -> None:
    fake.answer(script)
    answer = await program.post("/v1/chat/completions", json={**BODY, "stream": stream})
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    if isinstance(script, Refuse) and script.headers:
        assert answer.headers["retry-after"] == "7"


@pytest.mark.parametrize("end", [Drop(), NoEnd()])
async def test_a_stream_that_breaks_ends_with_an_error(
    program: httpx.AsyncClient, fake: FakeServer, end
) -> None:
    fake.answer("half", end)
    answer = await program.post("/v1/chat/completions", json={**BODY, "stream": True})
    assert answer.status_code == 200
    *_, last = answer.text.strip().split("\n\n")
    assert json.loads(last.removeprefix("data: "))["error"]["code"] == "upstream_unavailable"
    assert "[DONE]" not in answer.text


async def test_an_error_chunk_of_the_model_is_told_once(
    program: httpx.AsyncClient, fake: FakeServer
) -> None:
    fake.answer("half", Raw(b'data: {"error": {"message": "died", "code": "x"}}\n\n'), NoEnd())
    answer = await program.post("/v1/chat/completions", json={**BODY, "stream": True})
    assert answer.text.count('"error"') == 1


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_leaves_stops_the_model(
    program: httpx.AsyncClient, fake: FakeServer, stream: bool, chat
) -> None:
    fake.answer(Gate())
    fake.answer("text", Gate())
    for _ in range(2 if stream else 1):
        asking = asyncio.create_task(
            program.post("/v1/chat/completions", json={**BODY, "stream": stream})
        )
        count = len(fake.asked)
        await eventually(lambda count=count: len(fake.asked) > count)
        await asyncio.sleep(0.05)
        asking.cancel()
        await eventually(fake.asked[-1].closed.is_set, "the model goes on generating")
    await eventually(lambda: not chat.backend.runs._admission._held, "the place is still taken")


async def test_a_revoked_key_stops_the_model(ada: Browser, fake: FakeServer, chat) -> None:
    fake.answer("text", Gate())
    key = await ada.person.key()
    async with httpx.AsyncClient(
        base_url=await ada.address(), trust_env=False, verify=False, timeout=30
    ) as client:
        headers = {"Authorization": f"Bearer {key}"}
        request = client.stream(
            "POST", "/v1/chat/completions", json={**BODY, "stream": True}, headers=headers
        )
        async with request as answer:
            pieces = answer.aiter_text()
            assert "text" in await anext(pieces)
            listed = (await ada.http.get("/api/auth/api-keys")).json()["items"]
            await ada.http.delete(f"/api/auth/api-keys/{listed[0]['id']}")
            rest = "".join([piece async for piece in pieces])
        assert '"revoked"' in rest
        await eventually(fake.asked[0].closed.is_set)


async def test_places_are_shared_and_given_back(start, fake: FakeServer) -> None:
    chat = await start(inference_url=fake.url, max_concurrent=1)
    ada = Browser(await chat.user())
    gate = Gate()
    fake.answer(gate)
    first = asyncio.create_task(ada.http.post("/v1/chat/completions", json=BODY))
    await eventually(lambda: fake.asked)
    second = await ada.http.post("/v1/chat/completions", json=BODY)
    assert (second.status_code, second.json()["error"]["code"]) == (429, "concurrency_limit")
    assert second.headers["retry-after"]
    gate.open()
    assert (await first).status_code == 200
    for script in ((Refuse(500),), ("x", Drop())):
        fake.answer(*script)
        await ada.http.post("/v1/chat/completions", json={**BODY, "stream": True})
    assert (await ada.http.post("/v1/chat/completions", json=BODY)).status_code == 200
    await ada.close()


async def test_a_program_needs_the_scope(ada: Browser, fake: FakeServer) -> None:
    client = await ada.person.key_client("conversations")
    refused = await client.post("/v1/chat/completions", json=BODY)
    assert refused.status_code == 403
    anonymous: Any = await ada.person.atoll.client().post("/v1/chat/completions", json=BODY)
    assert anonymous.status_code == 401
    assert fake.asked == []


async def test_stopping_the_service_ends_a_stream_with_a_reason(
    program: httpx.AsyncClient, fake: FakeServer, chat
) -> None:
    fake.answer("text", Gate())
    request = program.stream("POST", "/v1/chat/completions", json={**BODY, "stream": True})
    async with request as answer:
        pieces = answer.aiter_text()
        assert "text" in await anext(pieces)
        await chat.backend.runs.stop_all()
        assert '"interrupted"' in "".join([piece async for piece in pieces])
    refused = await program.post("/v1/chat/completions", json=BODY)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "interrupted")


async def test_connections_are_used_again(program: httpx.AsyncClient, fake: FakeServer) -> None:
    for number in range(12):
        await program.post("/v1/chat/completions", json={**BODY, "stream": number % 2 == 0})
    assert fake.connections <= 3
