"""A configured OpenAI-compatible upstream: its key stays here, its tokens are counted here."""

import json

import pytest
from chat_fixtures import Browser, eventually
from fake_openai import Drop, FakeServer, Raw, Refuse

KEY = "sk-upstream-very-secret"
BODY = {"messages": [{"role": "user", "content": "Hello?"}]}


@pytest.fixture
async def chat(start, fake: FakeServer):
    """Inference is not there at all; everything goes to the upstream."""
    return await start(llm_api_url=f"{fake.url}/v1", llm_model="big-one", llm_api_key=KEY)


async def usage(ada: Browser) -> list[dict]:
    return (await ada.http.get("/api/usage")).json()["items"]


async def test_the_key_goes_upstream_and_the_identity_does_not(
    ada: Browser, fake: FakeServer
) -> None:
    await ada.http.post("/v1/chat/completions", json=BODY)
    headers = fake.asked[0].headers
    assert headers["authorization"] == f"Bearer {KEY}"
    assert not [name for name in headers if name.startswith(("x-atoll", "x-internal", "cookie"))]
    assert fake.asked[0].body["model"] == "big-one"


@pytest.mark.parametrize("asked", [True, False])
async def test_usage_is_counted_and_shown_only_when_asked(
    ada: Browser, fake: FakeServer, asked: bool
) -> None:
    body = {
        **BODY,
        "stream": True,
        **({"stream_options": {"include_usage": True}} if asked else {}),
    }
    answer = await ada.http.post("/v1/chat/completions", json=body)
    chunks = [
        json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")
    ]
    assert [c["usage"]["completion_tokens"] for c in chunks if c.get("usage")] == [3] * asked
    assert answer.text.endswith("data: [DONE]\n\n")
    text = "".join(c["choices"][0]["delta"].get("content", "") for c in chunks if c["choices"])
    assert text == "The capital of France is Paris."
    assert fake.asked[0].body["stream_options"] == {"include_usage": True}
    (counted,) = await usage(ada)
    assert counted["model"] == "big-one"
    assert (counted["requests"], counted["prompt_tokens"], counted["completion_tokens"]) == (
        1,
        7,
        3,
    )


async def test_a_whole_answer_and_a_run_are_counted_too(ada: Browser) -> None:
    await ada.http.post("/v1/chat/completions", json=BODY)
    assert (await usage(ada))[0]["requests"] == 1
    await ada.finish((await ada.ask())["run"]["id"])
    runs = ada.person.atoll.backend.runs
    await eventually(lambda: not runs._tasks)
    counted = await usage(ada)
    for _ in range(200):
        if counted[0]["requests"] == 2:
            break
        counted = await usage(ada)
    assert (counted[0]["requests"], counted[0]["completion_tokens"]) == (2, 4)


@pytest.mark.parametrize(
    "refusal",
    [
        Refuse(401, "invalid_api_key", f"Incorrect API key provided: {KEY}"),
        Refuse(400, "bad", f"model at URL refused key {KEY}"),
        Refuse(500, "oops", f"{KEY}"),
        Raw(b'data: {"error": {"message": "KEY at URL"}}\n\n'),
    ],
)
async def test_neither_key_nor_address_leaks(ada: Browser, fake: FakeServer, refusal) -> None:
    address = fake.url.removeprefix("http://")
    if isinstance(refusal, Refuse):
        told = refusal.message.replace("URL", fake.url)
        fake.always(Refuse(refusal.status, refusal.code, told))
    else:
        data = refusal.data.replace(b"KEY", KEY.encode()).replace(b"URL", fake.url.encode())
        fake.always(Raw(data), Drop())
    final = await ada.finish((await ada.ask())["run"]["id"])
    shown = json.dumps(final.data)
    if isinstance(refusal, Refuse):
        for stream in (True, False):
            answer = await ada.http.post("/v1/chat/completions", json={**BODY, "stream": stream})
            assert answer.status_code >= 400
            shown += answer.text
    assert KEY not in shown
    assert address not in shown
    assert final.name == "error"
