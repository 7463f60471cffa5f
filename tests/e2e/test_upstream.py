"""Any OpenAI-compatible server as a model: here, the inference of a second stack."""

from pathlib import Path

import httpx
import pytest

from .person import Person, first_admin
from .stack import CAPITAL, Stack


@pytest.mark.parametrize("form", ["", "/v1", "/v1/chat/completions"])
def test_an_upstream_answers_beside_the_models_here(
    stack: Stack, admin: Person, tmp_path: Path, form: str
) -> None:
    model = admin.http.get("/api/models").json()["items"][0]["id"]
    with Stack(
        tmp_path / "data",
        MODELS_DIR=str(tmp_path / "no-models"),
        LLM_API_URL=stack.url + form,
        LLM_MODEL=model,
        LLM_API_KEY=admin.api_key(),
    ) as second:
        person = first_admin(second)
        items = person.http.get("/api/models").json()["items"]
        assert [(m["id"], m["source"], m["default"]) for m in items] == [(model, "upstream", True)]
        conversation = person.conversation()
        _, answer = person.say(conversation, CAPITAL)
        assert "Paris" in person.finished(conversation, answer)["content"]
        direct = httpx.post(
            f"{second.url}/v1/chat/completions",
            json={"messages": [{"role": "user", "content": CAPITAL}]},
            headers={"Authorization": f"Bearer {person.api_key()}"},
            timeout=60,
        )
        assert "Paris" in direct.json()["choices"][0]["message"]["content"]
        used = person.http.get("/api/usage").json()["items"]
        assert sum(item["requests"] for item in used) == 2
