"""What lies in the models folder is told truthfully, damage included."""

import json
import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from atoll_inference.catalog import ctranslate2_file, gguf
from atoll_inference.catalog.checkpoint import Checkpoint
from atoll_inference.catalog.discovery import Discovery
from atoll_inference.catalog.families import ALL_SLOTS, INTERNAL_SLOTS, SLOTS
from atoll_inference.catalog.labels import real_and_fake
from atoll_inference.catalog.slots import BadCatalog, find_catalog, read_catalog
from atoll_inference.cli import main
from atoll_inference.engines.factory import SERVED

STARTER = "smollm2-135m-instruct"

Make = Callable[..., Path]


def scan(folder: Path) -> dict[str, tuple[str, str | None]]:
    return {c.id: (c.slot, c.problem) for c in Discovery(folder, SERVED).scan()}


def only(folder: Path) -> Checkpoint:
    (found,) = Discovery(folder, SERVED).scan()
    return found


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write a folder of safetensors in transformers layout."""

    def write(place: str, config: dict[str, Any], *names: str, **contents: Any) -> Path:
        folder = tmp_path / place
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(json.dumps(config))
        weights = {"a": np.zeros((4, 3), np.float16), "b": np.zeros(2, np.float32)}
        save_file(weights, folder / "model.safetensors")
        for name in names:
            (folder / name).write_text("{}")
        for name, content in contents.items():
            path = folder / f"{name.replace('__', '/')}.json"
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(content))
        return folder

    return write


def test_the_starter_is_described_by_its_own_metadata(own_models: Path) -> None:
    found = only(own_models)
    assert (found.id, found.slot, found.architecture) == (STARTER, "chat", "llama")
    assert found.parameters == 134_515_008
    assert found.dtype == "q4_1"
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


EMOTIONS = {"0": "anger", "1": "joy", "2": "sadness"}
HEADS = {
    "WhisperForConditionalGeneration": "speech_recognition",
    "BartForConditionalGeneration": "text_summarization",
    "SepFormer": "audio_denoising",
    "Swin2SRForImageSuperResolution": "video_enhancement",
    "WavLMModel": "audio_deepfake",
    "WavLMForSequenceClassification": "audio_deepfake",
    "Wav2Vec2ForSequenceClassification": "audio_deepfake",
    "ViTForImageClassification": "face_deepfake",
    "BertModel": "text_embedding",
    "CLIPModel": "multimodal",
    "Dinov2Model": "vision",
    "Qwen2_5_VLForConditionalGeneration": "vision_language",
    "LlamaForCausalLM": "chat",
    "NobodyKnows": "unknown",
}


@pytest.mark.parametrize("architecture", HEADS)
def test_folders_are_told_by_their_architecture(
    make: Make, tmp_path: Path, architecture: str
) -> None:
    make("some-model", {"architectures": [architecture]}, "tokenizer.json")
    assert only(tmp_path).slot == HEADS[architecture]


def test_classifiers_of_text_are_told_by_their_labels(make: Make, tmp_path: Path) -> None:
    head = {"architectures": ["XLMRobertaForSequenceClassification"]}
    make("rank", {**head, "id2label": {"0": "LABEL_0"}}, "tokenizer.json")
    make("mood", {**head, "id2label": EMOTIONS}, "tokenizer.json")
    make("spam", {**head, "id2label": {"0": "spam", "1": "ham"}}, "tokenizer.json")
    found = {c.id: c for c in Discovery(tmp_path, SERVED).scan()}
    assert {name: c.slot for name, c in found.items()} == {
        "rank": "reranker",
        "mood": "emotion_detection",
        "spam": "unknown",
    }
    assert found["mood"].labels == ("anger", "joy", "sadness")
    assert found["mood"].problem is found["rank"].problem is None


def test_the_place_decides_for_labels_that_are_new(make: Make, tmp_path: Path) -> None:
    head = {"architectures": ["RobertaForSequenceClassification"]}
    config = {**head, "id2label": {"1": "calm", "0": "tense", "10": "bored", "2": "glad"}}
    make("emotion_detection/moods", config, "tokenizer.json")
    assert only(tmp_path).labels == ("tense", "calm", "glad", "bored")
    assert only(tmp_path).problem is None


@pytest.mark.parametrize(
    ("slot", "architecture", "told"),
    [
        ("reranker", "BertModel", "single output"),
        ("reranker", "BertForSequenceClassification", "single output"),
        ("emotion_detection", "BertModel", "an output for each label"),
        ("emotion_detection", "WavLMForSequenceClassification", "an output for each label"),
        ("text_summarization", "BartForConditionalGeneration", "tokenizer"),
    ],
)
def test_what_a_slot_misses_is_named(
    make: Make, tmp_path: Path, slot: str, architecture: str, told: str
) -> None:
    make(f"{slot}/wrong", {"architectures": [architecture]})
    assert told in str(only(tmp_path).problem)


def test_a_sentence_encoder_tells_its_sizes(make: Make, tmp_path: Path) -> None:
    modules = [{"path": "", "type": "T"}, {"path": "1_Pooling", "type": "P"}]
    make(
        "encoder",
        {
            "architectures": ["XLMRobertaModel"],
            "model_type": "xlm-roberta",
            "hidden_size": 64,
            "max_position_embeddings": 514,
            "pad_token_id": 1,
        },
        "tokenizer.json",
        modules=modules,
        **{"1_Pooling__config": {"word_embedding_dimension": 64}},
    )
    found = only(tmp_path)
    assert (found.slot, found.format, found.problem) == ("text_embedding", "safetensors", None)
    assert (found.dimensions, found.max_length) == (64, 512)
    assert (found.dtype, found.parameters) == ("fp16", 14)
    (tmp_path / "encoder" / "sentence_bert_config.json").write_text('{"max_seq_length": 128}')
    assert only(tmp_path).max_length == 128


def test_models_that_hear_tell_their_rate(make: Make, tmp_path: Path) -> None:
    make("denoise", {"architectures": ["SepFormer"], "sample_rate": 8000})
    preprocessor = {"sampling_rate": 16000}
    make(
        "speech",
        {"architectures": ["WhisperForConditionalGeneration"]},
        "tokenizer.json",
        preprocessor_config=preprocessor,
    )
    rates = {c.id: c.sample_rate for c in Discovery(tmp_path, SERVED).scan()}
    assert rates == {"denoise": 8000, "speech": 16000}


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (("real", "fake"), (0, 1)),
        (("Spoof", "Bona-Fide"), (1, 0)),
        (("DEEPFAKE", "genuine"), (1, 0)),
        (("Human Voice", "AI_voice"), (0, 1)),
        (("real", "bonafide"), None),
        (("fake",), None),
        (("real", "fake", "unsure"), None),
        (("LABEL_0", "LABEL_1"), None),
        (("cat", "dog"), None),
        ((), None),
    ],
)
def test_labels_that_mean_real_and_fake(
    labels: tuple[str, ...], expected: tuple[int, int] | None
) -> None:
    assert real_and_fake(labels) == expected


@pytest.mark.parametrize(
    ("slot", "config", "told"),
    [
        ("audio_deepfake", {"architectures": ["WavLMModel"]}, "no classification head"),
        ("audio_deepfake", {"architectures": ["WavLMForSequenceClassification"]}, "LABEL_0"),
        (
            "face_deepfake",
            {
                "architectures": ["ViTForImageClassification"],
                "id2label": {str(i): f"thing {i}" for i in range(1000)},
            },
            "thing 0, thing 1, thing 2, thing 3 and 996 more",
        ),
    ],
)
def test_a_detector_that_cannot_judge_names_the_remedy(
    make: Make, tmp_path: Path, slot: str, config: dict[str, Any], told: str
) -> None:
    make(f"{slot}/base", config)
    problem = str(only(tmp_path).problem)
    assert told in problem
    assert f"atoll-inference finetune {slot} --data DIR" in problem
    trained = {**config, "id2label": {"0": "real", "1": "fake"}}
    trained["architectures"] = [trained["architectures"][0].replace("Model", "")]
    if slot == "audio_deepfake":
        trained["architectures"] = ["WavLMForSequenceClassification"]
    make(f"{slot}/trained", trained)
    found = {c.id: c for c in Discovery(tmp_path, SERVED).scan()}
    assert found["trained"].problem is None
    assert found["trained"].labels == ("real", "fake")


def test_pickled_weights_are_listed_with_the_remedy(tmp_path: Path) -> None:
    for name, file in {"a": "pytorch_model.bin", "b": "masknet.ckpt", "c": "tiny.en.pt"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_bytes(b"pickle")
    (tmp_path / "a" / "config.json").write_text('{"architectures": ["WavLMModel"]}')
    found = scan(tmp_path)
    assert found["a"][0] == "audio_deepfake"
    for name in "abc":
        assert f"atoll-inference models convert {tmp_path / name}" in str(found[name][1])


def test_a_damaged_safetensors_file_is_named(make: Make, tmp_path: Path) -> None:
    folder = make("encoder", {"architectures": ["BertModel"]}, "tokenizer.json")
    path = folder / "model.safetensors"
    whole = path.read_bytes()
    for data in (b"", b"0", whole[:-1], b"\xff" * 64):
        path.write_bytes(data)
        assert only(tmp_path).slot == "text_embedding"
        assert f"{path} is damaged" in str(only(tmp_path).problem)
    path.write_bytes(whole)
    assert only(tmp_path).problem is None


def test_a_missing_part_is_named(make: Make, tmp_path: Path) -> None:
    parts = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    folder = make("encoder", {"architectures": ["BertModel"]}, "tokenizer.json")
    (folder / "model.safetensors").rename(folder / parts["a"])
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": parts}))
    assert f"{folder / parts['b']} is missing" in str(only(tmp_path).problem)


def ctranslate2(specification: str, version: int = 6) -> bytes:
    """A model.bin with one 2 × 3 variable of 8-bit numbers."""

    def text(value: str) -> bytes:
        data = value.encode() + b"\0"
        return struct.pack("<H", len(data)) + data

    variable = text("encoder/weight") + struct.pack("<BIIBI", 2, 2, 3, 1, 6) + bytes(6)
    return struct.pack("<I", version) + text(specification) + struct.pack("<II", 3, 1) + variable


def test_whisper_in_ctranslate2_form(tmp_path: Path) -> None:
    folder = tmp_path / "whisper-small"
    folder.mkdir()
    (folder / "model.bin").write_bytes(ctranslate2("WhisperSpec"))
    (folder / "config.json").write_text("{}")
    assert "vocabulary" in str(only(tmp_path).problem)
    (folder / "vocabulary.txt").write_text("a\nb\n")
    found = only(tmp_path)
    assert (found.slot, found.format, found.problem) == ("speech_recognition", "ctranslate2", None)
    assert (found.dtype, found.sample_rate) == ("int8", 16000)
    (folder / "model.bin").write_bytes(ctranslate2("TransformerSpec"))
    assert "TransformerSpec" in str(only(tmp_path).problem)


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04", ctranslate2("WhisperSpec")[:-1]])
def test_a_damaged_ctranslate2_file_is_refused(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(damage)
    with pytest.raises(ctranslate2_file.BadHeader):
        ctranslate2_file.read(path)


def test_onnx_folders_are_told_by_their_place(tmp_path: Path) -> None:
    for place in ("ocr/half", "ocr/whole", "somewhere", "face_detection/finder"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "x_det_small.onnx").write_bytes(b"onnx")
    (tmp_path / "ocr" / "whole" / "x_rec_small.onnx").write_bytes(b"onnx")
    found = {c.id: c for c in Discovery(tmp_path, SERVED).scan()}
    assert "*rec*.onnx" in str(found["half"].problem)
    assert (found["whole"].problem, found["whole"].format) == (None, "onnx")
    assert "do not say what they are for" in str(found["somewhere"].problem)
    # No request can name this slot; an engine of another slot takes the file.
    assert (found["finder"].slot, found["finder"].problem) == ("face_detection", None)


def test_a_format_without_an_engine_says_so(make: Make, tmp_path: Path) -> None:
    make("somebodys-chat", {"architectures": ["LlamaForCausalLM"]})
    assert "no engine for safetensors files (LlamaForCausalLM)" in str(only(tmp_path).problem)


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


def test_the_folder_named_apart_is_listed_too(make: Make, tmp_path: Path) -> None:
    apart = make("elsewhere/mood", {"architectures": ["BertModel"]}, "tokenizer.json")
    (found,) = Discovery(tmp_path / "models", SERVED, apart).scan()
    assert (found.id, found.slot, found.problem) == ("mood", "text_embedding", None)


def test_a_change_of_any_file_changes_the_fingerprint(make: Make, tmp_path: Path) -> None:
    folder = make(
        "encoder", {"architectures": ["BertModel"]}, "tokenizer.json", **{"1_Pooling__config": {}}
    )
    discovery = Discovery(tmp_path, SERVED)
    seen = {discovery.scan()[0].fingerprint}
    for name in ("config.json", "tokenizer.json", "1_Pooling/config.json", "new.txt"):
        with (folder / name).open("a") as file:
            file.write(" ")
        seen.add(discovery.scan()[0].fingerprint)
    assert len(seen) == 5


def test_the_listing_is_for_people_and_for_programs(
    make: Make,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    head = {"architectures": ["RobertaForSequenceClassification"], "id2label": EMOTIONS}
    make("emotion_detection/moods", head, "tokenizer.json")
    make("audio_deepfake/base", {"architectures": ["WavLMModel"]})
    monkeypatch.setenv("MODELS_DIR", str(tmp_path))
    assert main(["models", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (row,) = [line for line in lines if line.startswith("emotion_detection")]
    assert row.split() == ["emotion_detection", "moods", "0", "MB", "available", "-"]
    assert any(line.split()[:4] == ["reranker", "-", "-", "empty"] for line in lines)
    assert "finetune" in lines[-1]
    assert main(["models", "list", "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)
    assert [(e["id"], e["state"]) for e in entries] == [("moods", "available"), ("base", "broken")]
    assert entries[0]["labels"] == ["anger", "joy", "sadness"]


def test_the_catalog_names_every_slot() -> None:
    catalog = read_catalog(find_catalog(Path("/nowhere"), None))
    assert set(catalog.slots) == set(ALL_SLOTS) == {*SLOTS, *INTERNAL_SLOTS}
    assert catalog.slots["chat"].starter is not None
    assert "make models-starter" in catalog.remedy("chat", has_engine=True)
    assert "models fetch emotion_detection" in catalog.remedy("emotion_detection", has_engine=True)
    detector = catalog.remedy("face_deepfake", has_engine=True)
    assert detector.startswith("No detector comes with Atoll. Train a detector with `")
    assert "finetune face_deepfake" in detector
    # A command that would not help must not be recommended.
    assert "make" not in catalog.remedy("vision", has_engine=False)


def test_a_bad_catalog_names_the_entry(tmp_path: Path) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text('[slots.chat]\ntitle = "Chat"\n[slots.chat.production]\nid = "no-owner"\n')
    with pytest.raises(BadCatalog, match=r"slots\.chat\.production\.id"):
        read_catalog(path)
    path.write_text('[slots.chat]\ntitle = "Chat"\n')
    with pytest.raises(BadCatalog, match="missing or unknown: audio_deepfake"):
        read_catalog(path)
    with pytest.raises(BadCatalog, match="does not exist"):
        read_catalog(tmp_path / "absent.toml")
