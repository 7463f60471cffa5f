"""Bad requests are refused by name before they reach the engine, and never with a 500."""

from typing import Any

import httpx
import pytest

USER = [{"role": "user", "content": "Hi"}]


def image(url: str) -> list[dict[str, Any]]:
    part = {"type": "image_url", "image_url": {"url": url}}
    return [{"role": "user", "content": [{"type": "text", "text": "?"}, part]}]


def schema(value: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "x", "schema": value}}


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        value = {"type": "array", "items": value}
    return value


CASES: list[tuple[str, dict[str, Any], int, str]] = [
    ("no messages", {"messages": []}, 422, "invalid_value"),
    ("messages missing", {}, 422, "invalid_value"),
    ("unknown role", {"messages": [{"role": "robot", "content": "x"}]}, 422, "invalid_value"),
    ("content missing", {"messages": [{"role": "user"}]}, 422, "invalid_value"),
    ("content a number", {"messages": [{"role": "user", "content": 3}]}, 422, "invalid_value"),
    ("only system", {"messages": [{"role": "system", "content": "x"}]}, 422, "invalid_value"),
    ("a picture", {"messages": image("data:image/png;base64,AA==")}, 400, "unsupported_content"),
    ("temperature high", {"temperature": 2.1}, 422, "invalid_value"),
    ("temperature negative", {"temperature": -0.1}, 422, "invalid_value"),
    ("top_p zero", {"top_p": 0}, 422, "invalid_value"),
    ("top_p above one", {"top_p": 1.01}, 422, "invalid_value"),
    ("max_tokens zero", {"max_tokens": 0}, 422, "invalid_value"),
    ("max_tokens over context", {"max_tokens": 2049}, 422, "invalid_value"),
    ("two limits", {"max_tokens": 5, "max_completion_tokens": 6}, 422, "invalid_value"),
    ("two answers", {"n": 2}, 422, "invalid_value"),
    ("five stops", {"stop": ["a", "b", "c", "d", "e"]}, 422, "invalid_value"),
    ("empty stop", {"stop": ""}, 422, "invalid_value"),
    ("seed a string", {"seed": "x"}, 422, "invalid_value"),
    ("penalty", {"presence_penalty": 3}, 422, "invalid_value"),
    ("format", {"response_format": {"type": "xml"}}, 422, "invalid_value"),
    ("format without schema", {"response_format": {"type": "json_schema"}}, 422, "invalid_value"),
    ("schema nonsense", {"response_format": schema({"type": "nonsense"})}, 400, "invalid_request"),
    ("schema ref", {"response_format": schema({"$ref": "#/x"})}, 400, "invalid_request"),
    (
        "schema repeats",
        {"response_format": schema({"type": "array", "items": {}, "minItems": 10**9})},
        400,
        "invalid_request",
    ),
    ("schema deep", {"response_format": schema(nested(200))}, 422, "invalid_value"),
    ("schema long", {"response_format": schema({"enum": ["x" * 40000]})}, 422, "invalid_value"),
    ("tools", {"tools": [{"type": "function"}]}, 400, "unsupported_parameter"),
    ("logprobs", {"logprobs": True}, 400, "unsupported_parameter"),
    ("unknown model", {"model": "gpt-4"}, 404, "model_not_found"),
    ("model path", {"model": "../../etc/passwd"}, 404, "model_not_found"),
]


@pytest.mark.parametrize(("name", "change", "status", "code"), CASES, ids=[c[0] for c in CASES])
@pytest.mark.parametrize("stream", [False, True])
async def test_refused(
    http: httpx.AsyncClient, name: str, change: dict[str, Any], status: int, code: str, stream: bool
) -> None:
    body = {"messages": USER, "max_tokens": 4, "stream": stream} | change
    if name == "messages missing":
        del body["messages"]
    answer = await http.post("/v1/chat/completions", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    assert answer.json()["error"]["message"]


RAW: list[tuple[str, bytes, int]] = [
    ("no JSON", b"{", 400),
    ("empty", b"", 422),
    ("an array", b"[]", 422),
    ("deep JSON", b"[" * 100_000, 400),
    ("half a character", b'{"messages":[{"role":"user","content":"\\ud800"}]}', 422),
    (
        "half a character in the model",
        b'{"model":"\\udfff","messages":[{"role":"user","content":"x"}]}',
        422,
    ),
    (
        "half a character in the schema",
        b'{"messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema",'
        b'"json_schema":{"schema":{"enum":["\\udfff"]}}}}',
        422,
    ),
    ("not UTF-8", b'{"messages":[{"role":"user","content":"\xff"}]}', 400),
    ("NaN", b'{"messages":[{"role":"user","content":"x"}],"temperature":NaN}', 422),
]


@pytest.mark.parametrize(("name", "body", "status"), RAW, ids=[r[0] for r in RAW])
async def test_malformed(http: httpx.AsyncClient, name: str, body: bytes, status: int) -> None:
    answer = await http.post(
        "/v1/chat/completions", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["code"]


async def test_harmless_fields_of_clients_are_accepted(http: httpx.AsyncClient) -> None:
    body = {
        "messages": USER,
        "max_tokens": 2,
        "n": 1,
        "user": "someone",
        "tools": [],
        "tool_choice": "none",
        "logprobs": False,
        "parallel_tool_calls": True,
        "store": False,
        "metadata": {},
        "stream_options": None,
        "stop": None,
        "model": None,
    }
    answer = await http.post("/v1/chat/completions", json=body)
    assert answer.status_code == 200, answer.text


async def test_too_large_a_body_is_refused_from_its_length(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1/chat/completions", content=b"x" * (9 * 1024 * 1024))
    assert answer.status_code == 413


async def test_still_answers_after_all_of_that(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1/chat/completions", json={"messages": USER, "max_tokens": 2})
    assert answer.status_code == 200
    assert (await http.get("/v2/health/ready")).status_code == 200
