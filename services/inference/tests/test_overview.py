"""Every slot with its checkpoints and its remedy, and the cards beside the weights."""

from pathlib import Path
from typing import Any

import pytest
import tiny_text

CARD = "---\nlicense: mit\n---\n# Feelings\n\nA small model for tests.\n"


@pytest.fixture(scope="module")
def service(start_service: Any, tmp_path_factory: pytest.TempPathFactory, starter: Path) -> Any:
    folder = tmp_path_factory.mktemp("models")
    (folder / "chat").mkdir()
    (folder / "chat" / starter.parent.name).symlink_to(starter.parent)
    carded: Path = tiny_text.emotion_classifier(folder / "emotion_detection" / "feelings")
    (carded / "README.md").write_text(CARD)
    large: Path = tiny_text.emotion_classifier(folder / "emotion_detection" / "wordy")
    (large / "README.md").write_bytes(b"\xff" + b"a" * 300_000)
    tiny_text.cross_encoder(folder / "reranker" / "order")
    finder: Path = folder / "face_detection" / "finder"
    finder.mkdir(parents=True)
    (finder / "README.md").write_text("# Finder\n")
    return start_service(MODELS_DIR=folder, PRELOAD="emotion_detection", MEMORY_BUDGET="1GiB")


def slots(service: Any) -> dict[str, Any]:
    return {entry["slot"]: entry for entry in service.get("/internal/slots").json()["slots"]}


def test_a_filled_slot_tells_of_its_checkpoints(service: Any) -> None:
    entry = slots(service)["emotion_detection"]
    assert (entry["served"], entry["internal"]) == (True, False)
    models = {model["id"]: model for model in entry["models"]}
    assert set(models) == {"feelings", "wordy"}
    first = models["feelings"]
    assert (first["state"], first["default"], first["format"]) == ("ready", True, "safetensors")
    assert first["memory"]["host"] >= 0
    assert first["parameters"] > 0
    assert first["has_card"]
    assert not slots(service)["reranker"]["models"][0]["has_card"]
    listed = service.get("/internal/slots").json()
    assert listed["memory_budget"] == 1024**3
    assert listed["bytes_loaded"] > 0


def test_an_empty_slot_tells_its_remedy_as_the_refusal_does(service: Any) -> None:
    entry = slots(service)["text_summarization"]
    assert entry["models"] == []
    refused = service.post("/inference/text_summarization", {"text": "a"})
    assert refused.status_code == 503
    assert entry["remedy"] in refused.json()["error"]["message"]
    starter, fetch, copy = entry["ways"]
    assert (starter["kind"], starter["command"]) == ("starter", "make models-starter")
    assert fetch["command"] == "atoll-inference models fetch text_summarization"
    assert starter["command"] in entry["remedy"]
    assert fetch["command"] in entry["remedy"]
    assert fetch["checkpoint"] in entry["remedy"]
    assert copy == {"kind": "copy", "command": None, "checkpoint": None}


def test_an_empty_slot_tells_what_the_release_says_of_it(service: Any) -> None:
    assert "No starter" in slots(service)["face_deepfake"]["note"]
    assert slots(service)["vision"]["note"] is None
    assert slots(service)["emotion_detection"]["note"] is None


def test_a_slot_without_an_engine_and_one_for_others(service: Any) -> None:
    assert not slots(service)["vision"]["served"]
    assert "no engine" in slots(service)["vision"]["remedy"]
    assert slots(service)["vision"]["ways"] == []
    detector = slots(service)["face_detection"]
    assert (detector["served"], detector["internal"]) == (True, True)
    (finder,) = detector["models"]
    assert (finder["id"], finder["state"]) == ("finder", "failed")
    assert "finder" in finder["problem"]
    assert service.get("/internal/models/finder/card").json()["text"] == "# Finder\n"


def test_a_starter_that_came_without_a_card_has_the_one_of_the_release(service: Any) -> None:
    (chat,) = slots(service)["chat"]["models"]
    assert (chat["starter"], chat["has_card"]) == (True, True)
    text = service.get(f"/internal/models/{chat['id']}/card").json()["text"]
    assert text.startswith(f"# {chat['id']}\n")
    assert "## Limits" in text


def test_a_card_is_given_as_it_stands(service: Any) -> None:
    answer = service.get("/internal/models/feelings/card").json()
    assert answer == {"model": "feelings", "text": CARD, "truncated": False}


def test_a_long_card_is_cut(service: Any) -> None:
    answer = service.get("/internal/models/wordy/card").json()
    assert answer["truncated"]
    assert len(answer["text"]) == 256 * 1024


@pytest.mark.parametrize(
    ("name", "code"), [("order", "card_not_found"), ("nobody", "model_not_found")]
)
def test_no_card_is_a_404(service: Any, name: str, code: str) -> None:
    answer = service.get(f"/internal/models/{name}/card")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, code)
