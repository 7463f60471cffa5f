"""A program with an API key and the OpenAI SDK."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest

from .conftest import NewPerson
from .person import Person
from .stack import CAPITAL, STORY, Stack, wait_for

QUESTION: Any = [{"role": "user", "content": CAPITAL}]  # the SDK wants its own typed dicts


@pytest.fixture(scope="module")
def key(admin: Person) -> str:
    return admin.api_key()


@pytest.fixture(scope="module")
def client(stack: Stack, key: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{stack.url}/v1", api_key=key, max_retries=0, timeout=60) as sdk:
        yield sdk


def running(stack: Stack) -> float:
    """Generations running at inference, from its metrics."""
    text = httpx.get(
        f"http://127.0.0.1:{stack.ports['INFERENCE_PORT']}/metrics",
        headers={"X-Internal-Token": stack.secret("INTERNAL_TOKEN")},
        timeout=10,
    )
    lines = [ln for ln in text.text.splitlines() if ln.startswith("num_requests_running{")]
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines)


def test_the_answer_is_paris(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="default", messages=QUESTION)
    assert "Paris" in (answer.choices[0].message.content or "")
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_the_answer_streams_with_usage(client: openai.OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model="default",
            messages=QUESTION,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    pieces = [
        c.choices[0].delta.content for c in chunks if c.choices and c.choices[0].delta.content
    ]
    assert len(pieces) > 1
    assert "Paris" in "".join(pieces)
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens > 1


def test_curl_streams(stack: Stack, key: str) -> None:
    body = {"model": "default", "messages": QUESTION, "stream": True}
    command = ["curl", "-sN", f"{stack.url}/v1/chat/completions"]
    command += ["-H", f"Authorization: Bearer {key}", "-H", "Content-Type: application/json"]
    out = subprocess.run(
        [*command, "-d", json.dumps(body)], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    data = [line.removeprefix("data: ") for line in out.splitlines() if line.startswith("data: ")]
    assert data[-1] == "[DONE]"
    deltas = [json.loads(d)["choices"] for d in data[:-1]]
    text = "".join(c[0]["delta"].get("content") or "" for c in deltas if c)
    assert "Paris" in text
    assert len(data) > 4


@pytest.mark.parametrize("path", ["/api/v1/chat/completions", "/api/chat/completions"])
def test_the_customers_paths_answer_too(stack: Stack, key: str, path: str) -> None:
    answer = httpx.post(
        f"{stack.url}{path}",
        json={"messages": QUESTION},
        headers={"Authorization": f"Bearer {key}"},
        timeout=60,
    )
    assert "Paris" in answer.json()["choices"][0]["message"]["content"]


def test_models_are_listed_with_their_state(client: openai.OpenAI) -> None:
    models = list(client.models.list())
    chat = [m for m in models if getattr(m, "kind", None) == "chat"]
    assert [getattr(m, "state", None) for m in chat] == ["ready"]
    assert client.models.retrieve(chat[0].id).id == chat[0].id


def test_a_json_schema_holds(client: openai.OpenAI) -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 20}, "sure": {"type": "boolean"}},
        "required": ["city", "sure"],
        "additionalProperties": False,
    }
    answer = client.chat.completions.create(
        model="default",
        messages=QUESTION,
        response_format={"type": "json_schema", "json_schema": {"name": "c", "schema": schema}},
        max_tokens=100,
    )
    parsed = json.loads(answer.choices[0].message.content or "")
    assert set(parsed) == {"city", "sure"}
    assert isinstance(parsed["sure"], bool)


def test_a_seed_repeats_and_stop_stops(client: openai.OpenAI) -> None:
    def ask(**more: Any) -> str:
        answer = client.chat.completions.create(
            model="default",
            messages=[{"role": "user", "content": "Write one sentence about rain."}],
            max_tokens=24,
            temperature=1.0,
            **more,
        )
        return str(answer.choices[0].message.content)

    first = ask(seed=7)
    assert ask(seed=7) == first
    word = first.split()[2]
    assert word not in ask(seed=7, stop=[word])


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{", 400, "invalid_json"),
        ({"messages": []}, 422, None),
        ({"messages": QUESTION, "model": "no-such-model"}, 404, "model_not_found"),
        ({"messages": QUESTION, "max_tokens": 0}, 422, None),
        ({"messages": QUESTION, "max_tokens": 10**9}, 422, None),
        ({"messages": QUESTION, "temperature": 9}, 422, None),
        (
            {"messages": [{"role": "user", "content": "word " * 9000}]},
            400,
            "context_length_exceeded",
        ),
    ],
)
def test_bad_input_is_refused_with_what_to_do(
    stack: Stack, key: str, body: object, status: int, code: str | None
) -> None:
    content = body if isinstance(body, str) else json.dumps(body)
    answer = httpx.post(
        f"{stack.url}/v1/chat/completions",
        content=content,
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        timeout=60,
    )
    error = answer.json()["error"]
    assert answer.status_code == status, answer.text
    assert code in (None, error["code"])
    assert error["message"]
    assert error["request_id"] == answer.headers["x-request-id"]


def test_a_client_that_goes_away_stops_the_generation(stack: Stack, client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="default", messages=[{"role": "user", "content": STORY}], stream=True
    )
    next(iter(stream))
    wait_for("a running generation", lambda: True if running(stack) >= 1 else None, 10)
    stream.close()
    # The story would take half a minute; a stopped one gives its place back at once.
    wait_for("the generation to stop", lambda: True if running(stack) == 0 else None, 8)


def test_empty_slots_say_how_to_fill_them(stack: Stack, key: str) -> None:
    head = {"Authorization": f"Bearer {key}"}
    for path in ("/inference/face_deepfake", "/v1/vision/encode", "/v1/relation"):
        answer = httpx.post(f"{stack.url}{path}", json={}, headers=head, timeout=30)
        assert answer.status_code == 503, (path, answer.text)
        assert answer.json()["error"]["code"] == "model_not_installed"
    unknown = httpx.post(f"{stack.url}/inference/juggling", json={}, headers=head, timeout=30)
    assert unknown.status_code == 404


def test_a_stranger_gets_nothing(stack: Stack) -> None:
    paths = [
        "/v1/models",
        "/v1/chat/completions",
        "/v1/embeddings",
        "/inference/ocr",
        "/api/models",
    ]
    for path in [*paths, "/v2/repository/index", "/api/conversations"]:
        for headers in ({}, {"Authorization": "Bearer sk-atoll-wrong"}):
            answer = httpx.post(f"{stack.url}{path}", headers=headers, json={}, timeout=30)
            assert answer.status_code == 401, path
            assert answer.json()["error"]["code"] == "not_authenticated"
    for path in ("/metrics", "/internal/authorize", "/internal/usage", "//internal/usage"):
        assert httpx.get(f"{stack.url}{path}", timeout=30).status_code == 404, path


def test_only_an_admin_loads_models(person: NewPerson, admin: Person, stack: Stack) -> None:
    user = person()
    path = "/v2/repository/index"
    assert user.http.post(path).status_code == 403
    listed = admin.http.post(path)
    assert listed.status_code == 200, listed.text
