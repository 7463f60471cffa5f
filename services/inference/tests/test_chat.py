"""`POST /v1/chat/completions` as a client sees it."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import jsonschema  # type: ignore[import-untyped]
import openai
import pytest

Ask = Callable[..., dict[str, Any]]
FRANCE = "What is the capital of France?"


async def read_stream(client: httpx.AsyncClient, body: dict[str, Any]) -> list[Any]:
    """The data lines of a stream, parsed; `[DONE]` as it is."""
    events: list[Any] = []
    async with client.stream("POST", "/v1/chat/completions", json=body | {"stream": True}) as got:
        assert got.status_code == 200, await got.aread()
        assert got.headers["content-type"].startswith("text/event-stream")
        assert got.headers["x-accel-buffering"] == "no"
        async for line in got.aiter_lines():
            if line.startswith("data: "):
                data = line.removeprefix("data: ")
                events.append(data if data == "[DONE]" else json.loads(data))
    return events


def text_of(events: list[Any]) -> str:
    choices = [e["choices"][0] for e in events if e != "[DONE]" and e["choices"]]
    return "".join(c["delta"].get("content") or "" for c in choices)


async def test_answers_with_paris_and_counts_tokens(http: httpx.AsyncClient, ask: Ask) -> None:
    answer = (await http.post("/v1/chat/completions", json=ask(FRANCE))).json()
    assert "Paris" in answer["choices"][0]["message"]["content"]
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert answer["object"] == "chat.completion"
    assert answer["model"] == "smollm2-135m-instruct"
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["prompt_tokens"] > 5
    assert usage["completion_tokens"] > 3


async def test_streams_in_several_chunks_of_one_shape(http: httpx.AsyncClient, ask: Ask) -> None:
    body = ask(FRANCE, stream_options={"include_usage": True})
    events = await read_stream(http, body)
    assert events[-1] == "[DONE]"
    chunks = events[:-1]
    assert len([c for c in chunks if c["choices"] and c["choices"][0]["delta"].get("content")]) > 1
    assert "Paris" in text_of(events)
    assert {c["object"] for c in chunks} == {"chat.completion.chunk"}
    assert len({c["id"] for c in chunks}) == 1
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    reasons = [c["choices"][0]["finish_reason"] for c in chunks if c["choices"]]
    assert reasons[-1] == "stop"
    assert set(reasons[:-1]) == {None}
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["completion_tokens"] > 3


async def test_stream_without_usage_has_no_usage_chunk(http: httpx.AsyncClient, ask: Ask) -> None:
    events = await read_stream(http, ask(FRANCE, max_tokens=4))
    assert all(e["choices"] for e in events[:-1])


def test_the_openai_client_works(service: Any) -> None:
    with openai.OpenAI(
        base_url=f"{service.url}/v1", api_key="unused", default_headers=service.headers
    ) as client:
        # Typed loosely: the client's own types for messages are a union of seven.
        create: Callable[..., Any] = client.chat.completions.create
        messages = [{"role": "user", "content": FRANCE}]
        whole = create(model="default", messages=messages)
        assert "Paris" in whole.choices[0].message.content
        stream = create(model="default", messages=messages, stream=True)
        text = "".join(c.choices[0].delta.content or "" for c in stream if c.choices)
        assert "Paris" in text
        assert "smollm2-135m-instruct" in [m.id for m in client.models.list()]
        with pytest.raises(openai.NotFoundError) as refusal:
            create(model="nobody", messages=messages)
        assert refusal.value.code == "model_not_found"


async def test_max_tokens_ends_with_length(http: httpx.AsyncClient, ask: Ask) -> None:
    for name in ("max_tokens", "max_completion_tokens"):
        body = ask("Tell me about the sea.", **{name: 5})
        answer = (await http.post("/v1/chat/completions", json=body)).json()
        assert answer["choices"][0]["finish_reason"] == "length"
        assert answer["usage"]["completion_tokens"] == 5


async def test_stop_string_ends_the_answer_before_it(http: httpx.AsyncClient, ask: Ask) -> None:
    body = ask(FRANCE, temperature=0, stop=[" Paris"])
    answer = (await http.post("/v1/chat/completions", json=body)).json()
    assert answer["choices"][0]["message"]["content"].strip() == "The capital of France is"
    assert answer["choices"][0]["finish_reason"] == "stop"


async def test_same_seed_same_answer(http: httpx.AsyncClient, ask: Ask) -> None:
    async def once(seed: int) -> str:
        body = ask("Invent a word.", temperature=1.5, top_p=1, seed=seed, max_tokens=24)
        answer = await http.post("/v1/chat/completions", json=body)
        return str(answer.json()["choices"][0]["message"]["content"])

    first = [await once(seed) for seed in (1, 2, 3)]
    assert [await once(seed) for seed in (1, 2, 3)] == first
    assert len(set(first)) > 1


async def test_system_message_of_the_request_replaces_the_default(
    http: httpx.AsyncClient, ask: Ask
) -> None:
    plain = (await http.post("/v1/chat/completions", json=ask("Hi", max_tokens=1))).json()
    body = ask("Hi", max_tokens=1)
    body["messages"].insert(0, {"role": "system", "content": "word " * 100})
    own = (await http.post("/v1/chat/completions", json=body)).json()
    assert own["usage"]["prompt_tokens"] > plain["usage"]["prompt_tokens"] + 80


@pytest.mark.parametrize("stream", [False, True])
async def test_answer_follows_a_json_schema(
    http: httpx.AsyncClient, ask: Ask, stream: bool
) -> None:
    schema = {
        "type": "object",
        "properties": {
            "name": {"type": "string", "maxLength": 20},
            "age": {"type": "integer", "minimum": 0, "maximum": 120},
        },
        "required": ["name", "age"],
        "additionalProperties": False,
    }
    for seed in range(4):
        body = ask(
            "Invent a person.",
            temperature=1,
            top_p=1,
            seed=seed,
            max_tokens=200,
            response_format={"type": "json_schema", "json_schema": {"name": "p", "schema": schema}},
        )
        if stream:
            text = text_of(await read_stream(http, body))
        else:
            answer = (await http.post("/v1/chat/completions", json=body)).json()
            text = answer["choices"][0]["message"]["content"]
        jsonschema.validate(json.loads(text), schema)


async def test_json_object_gives_an_object(http: httpx.AsyncClient, ask: Ask) -> None:
    body = ask(
        "Describe a cat as JSON with the keys name and colour.",
        temperature=0,
        max_tokens=400,
        response_format={"type": "json_object"},
    )
    answer = (await http.post("/v1/chat/completions", json=body)).json()
    if answer["choices"][0]["finish_reason"] == "stop":
        assert isinstance(json.loads(answer["choices"][0]["message"]["content"]), dict)
    else:
        assert answer["choices"][0]["message"]["content"].lstrip().startswith("{")


async def test_text_parts_are_joined(http: httpx.AsyncClient) -> None:
    parts = [
        {"type": "text", "text": "What is the capital"},
        {"type": "text", "text": "of France?"},
    ]
    body = {"messages": [{"role": "user", "content": parts}], "temperature": 0}
    answer = (await http.post("/v1/chat/completions", json=body)).json()
    assert "Paris" in answer["choices"][0]["message"]["content"]


@pytest.mark.parametrize("stream", [False, True])
async def test_prompt_over_the_context_says_both_numbers(
    http: httpx.AsyncClient, ask: Ask, stream: bool
) -> None:
    body = ask("word " * 3000, stream=stream)
    answer = await http.post("/v1/chat/completions", json=body)
    error = answer.json()["error"]
    assert answer.status_code == 400
    assert error["code"] == "context_length_exceeded"
    assert "2048" in error["message"]
    assert "30" in error["message"]
    assert error["request_id"] == answer.headers["x-request-id"]
