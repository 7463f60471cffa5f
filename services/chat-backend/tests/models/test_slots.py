"""Every slot, filled or not, and the cards of its models."""

from typing import Any

import pytest
from chat_fixtures import Browser
from fake_openai import FakeServer


def model(id: str, **more: Any) -> dict[str, Any]:
    return {
        "id": id, "state": "ready", "default": False, "bytes": 7, "memory": None, "problem": None,
        "format": "safetensors", "architecture": "BertModel", "dtype": "fp32", "parameters": 3,
        "context_length": None, "labels": None, "dimensions": 384, "licence": "Apache-2.0",
        "starter": True, "has_card": True, "kind": "text_embedding", "created": 1,
        **more,
    }  # fmt: skip


def slot(name: str, *models: dict[str, Any]) -> dict[str, Any]:
    return {
        "slot": name, "title": name.title(), "served": True, "internal": False,
        "remedy": f"Put a checkpoint in models/{name}/.", "models": list(models), "note": None,
        "ways": [{"kind": "copy", "command": None, "checkpoint": None}],
    }  # fmt: skip


async def test_filled_and_empty_slots_are_listed(ada: Browser, fake: FakeServer) -> None:
    filled = slot("text_embedding", model("a"), model("b", default=True))
    fake.slots = {
        "slots": [filled, slot("emotion_detection") | {"note": "# None"}],
        "bytes_loaded": 12,
        "memory_budget": 100,
    }
    answer = (await ada.http.get("/api/slots")).json()
    assert (answer["bytes_loaded"], answer["memory_budget"]) == (12, 100)
    first, second = answer["slots"]
    assert [m["id"] for m in first["models"]] == ["b", "a"]
    assert first["models"][0]["dimensions"] == 384
    assert second["models"] == []
    assert (first["note"], second["note"]) == (None, "# None")
    assert "models/emotion_detection/" in second["remedy"]
    assert [way["kind"] for way in second["ways"]] == ["copy"]


async def test_a_list_that_makes_no_sense_is_a_clear_error(ada: Browser, fake: FakeServer) -> None:
    fake.slots = {"slots": "none"}
    answer = await ada.http.get("/api/slots")
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_error")


async def test_inference_away_is_said(ada: Browser, fake: FakeServer) -> None:
    fake.stop()
    answer = await ada.http.get("/api/slots")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "upstream_unavailable")


@pytest.mark.parametrize("name", ["vectors", "text_embedding/vectors"])
async def test_a_card_is_read(ada: Browser, fake: FakeServer, name: str) -> None:
    fake.cards[name] = "# Vectors\n"
    answer = await ada.http.get(f"/api/models/{name}/card")
    assert answer.json() == {"model": name, "text": "# Vectors\n", "truncated": False}


@pytest.mark.parametrize("name", ["nobody", "%2e%2e/%2e%2e/slots", "a%3Fb", "a%2F..%2F..%2Fx"])
async def test_no_card_is_a_404(ada: Browser, name: str) -> None:
    answer = await ada.http.get(f"/api/models/{name}/card")
    assert answer.status_code == 404


async def test_both_need_a_credential(chat: Any) -> None:
    for path in ("/api/slots", "/api/models/a/card"):
        answer = await chat.client().get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_authenticated")
