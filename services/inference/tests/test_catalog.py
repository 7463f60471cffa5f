"""What lies in the models folder is told truthfully, damage included."""

import json
import random
from pathlib import Path

import pytest

from atoll_inference.catalog import gguf
from atoll_inference.catalog.discovery import Discovery
from atoll_inference.catalog.slots import BadCatalog, find_catalog, read_catalog
from atoll_inference.engines.factory import SERVED

STARTER = "smollm2-135m-instruct"


def scan(folder: Path) -> dict[str, tuple[str, str | None]]:
    return {c.id: (c.slot, c.problem) for c in Discovery(folder, SERVED).scan()}


def test_the_starter_is_described_by_its_own_metadata(own_models: Path) -> None:
    (found,) = Discovery(own_models, SERVED).scan()
    assert (found.id, found.slot, found.architecture) == (STARTER, "chat", "llama")
    assert found.parameters == 134_515_008
    assert found.context_length == 8192
    assert found.bytes == 98_362_432
    assert found.cache_bytes_per_token == 30 * 3 * (64 + 64) * 2
    assert found.defaults.system_prompt == "Answer the question briefly and correctly."


@pytest.mark.parametrize("size", [0, 3, 23, 24, 5_000, 1_000_000, 98_362_431])
def test_a_truncated_file_is_refused_by_name(own_models: Path, starter: Path, size: int) -> None:
    path = own_models / "chat" / STARTER / starter.name
    path.unlink()
    with starter.open("rb") as whole:
        path.write_bytes(whole.read(size))
    ((_, problem),) = scan(own_models).values()
    assert problem is not None
    assert str(path) in problem
    assert "fetch" in problem


def test_damaged_headers_never_do_more_than_refuse(tmp_path: Path, starter: Path) -> None:
    with starter.open("rb") as whole:
        head = whole.read(3_000_000)
    chance = random.Random(7)
    path = tmp_path / "damaged.gguf"
    for _ in range(60):
        data = bytearray(head)
        for _ in range(8):
            data[chance.randrange(2_000)] = chance.randrange(256)
        path.write_bytes(data)
        # The rest of the file is missing, so each of these has to be refused.
        with pytest.raises(gguf.BadGguf):
            gguf.read(path)


def test_a_renamed_text_file_is_no_model(tmp_path: Path) -> None:
    folder = tmp_path / "chat" / "notes"
    folder.mkdir(parents=True)
    (folder / "model.gguf").write_text("this is not a model, whatever its name says")
    assert "signature" in str(scan(tmp_path)["notes"][1])


def test_folders_are_told_by_their_config(tmp_path: Path) -> None:
    cases = {
        "whisper": ({"architectures": ["WhisperForConditionalGeneration"]}, "speech_recognition"),
        "clip": ({"architectures": ["CLIPModel"]}, "multimodal"),
        "rank": (
            {"architectures": ["XLMRobertaForSequenceClassification"], "id2label": {"0": "L"}},
            "reranker",
        ),
        "mystery": ({"architectures": ["NobodyKnows"]}, "unknown"),
    }
    for name, (config, _) in cases.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(json.dumps(config))
        (tmp_path / name / "model.safetensors").write_bytes(b"0")
    found = scan(tmp_path)
    assert {name: found[name][0] for name in cases} == {n: slot for n, (_, slot) in cases.items()}
    assert all(problem for _, problem in found.values())


@pytest.mark.parametrize("content", ["{", "[]", "[" * 100_000, '{"architectures": 3}'])
def test_a_bad_config_is_listed_with_the_reason(tmp_path: Path, content: str) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "config.json").write_text(content)
    assert "config.json" in str(scan(tmp_path)["bad"][1])


def test_empty_hidden_and_doubled_folders(own_models: Path) -> None:
    (own_models / "chat" / "hollow").mkdir()
    (own_models / ".cache").mkdir()
    (own_models / "vision" / STARTER).mkdir(parents=True)
    found = scan(own_models)
    assert "neither" in str(found["hollow"][1])
    assert found[STARTER] == ("chat", None)
    assert "same name" in str(found[f"vision/{STARTER}"][1])


def test_bad_defaults_are_refused_by_name(own_models: Path) -> None:
    path = own_models / "chat" / STARTER / "atoll.toml"
    path.write_text("[defaults]\ntemperature = 9\n")
    assert "temperature" in str(scan(own_models)[STARTER][1])


def test_a_missing_models_folder_is_empty(tmp_path: Path) -> None:
    assert scan(tmp_path / "nowhere") == {}


def test_the_catalog_names_every_slot() -> None:
    catalog = read_catalog(find_catalog(Path("/nowhere"), None))
    assert catalog.slots["chat"].starter is not None
    assert "make models-starter" in catalog.remedy("chat", has_engine=True)
    # A command that would not help must not be recommended.
    assert "make" not in catalog.remedy("vision", has_engine=False)


def test_a_bad_catalog_names_the_entry(tmp_path: Path) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text('[slots.chat]\ntitle = "Chat"\n')
    with pytest.raises(BadCatalog, match="production"):
        read_catalog(path)
    with pytest.raises(BadCatalog, match="does not exist"):
        read_catalog(tmp_path / "absent.toml")
