"""Verifying what was fetched, without any network."""

import json
from pathlib import Path

import pytest

from atoll_inference.catalog.lock import (
    LOCK_NAME,
    MODELS_LOCK_NAME,
    BadLock,
    Lock,
    LockedCheckpoint,
    ModelsLock,
    files_under,
    hash_files,
    lock_files,
    read_models_lock,
    write_record,
)
from atoll_inference.catalog.verify import verify

REVISION = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A models folder with one checkpoint of the hub, recorded twice."""
    folder = tmp_path / "text_embedding" / "encoder"
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "1_Pooling" / "config.json").write_text("{}")
    files = hash_files(folder, files_under(folder))
    source = f"somebody/encoder@{REVISION}"
    lock = Lock(source=source, licence="MIT", starter=False, files=lock_files(folder, files))
    write_record(folder / LOCK_NAME, lock)
    checkpoint = LockedCheckpoint(
        id="somebody/encoder",
        revision=REVISION,
        licence="MIT",
        folder="text_embedding/encoder",
        converted=None,
        hub_files=files,
        files=files,
    )
    record = ModelsLock().with_checkpoint("text_embedding", checkpoint)
    write_record(tmp_path / MODELS_LOCK_NAME, record)
    return tmp_path


def problems(models: Path) -> dict[str, str]:
    return {
        str(file.path.relative_to(models)): file.problem for file in verify(models) if file.problem
    }


ENCODER = "text_embedding/encoder"


def test_what_is_as_recorded_is_right(models: Path) -> None:
    (models / ENCODER / "atoll.toml").write_text("[defaults]\n")  # an operator's own
    assert problems(models) == {}
    assert len(list(verify(models))) == 2
    assert list(verify(models / "nowhere")) == []


def test_changed_missing_and_extra_files_are_named(models: Path) -> None:
    (models / ENCODER / "model.safetensors").write_bytes(b"weightz")
    (models / ENCODER / "1_Pooling" / "config.json").unlink()
    (models / ENCODER / "pytorch_model.bin").write_bytes(b"what is this")
    found = problems(models)
    assert "sha256" in found[f"{ENCODER}/model.safetensors"]
    assert "is missing" in found[f"{ENCODER}/1_Pooling/config.json"]
    assert "not fetched with the rest" in found[f"{ENCODER}/pytorch_model.bin"]
    assert len(found) == 3


def test_a_truncated_file_is_told_by_its_size(models: Path) -> None:
    (models / ENCODER / "model.safetensors").write_bytes(b"weight")
    assert "has 6 bytes" in problems(models)[f"{ENCODER}/model.safetensors"]


def test_a_checkpoint_that_is_gone_names_the_command(models: Path) -> None:
    (models / "text_embedding").rename(models / "elsewhere")
    (models / "elsewhere").rename(models / ".hidden")
    assert "atoll-inference models fetch text_embedding" in problems(models)[ENCODER]


def test_records_that_contradict_each_other_are_told(models: Path) -> None:
    path = models / ENCODER / LOCK_NAME
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "source": f"somebody/encoder@{'f' * 40}"}))
    assert REVISION in problems(models)[ENCODER]
    # The folder's own record was rewritten together with the file; the other one was not.
    (models / ENCODER / "model.safetensors").write_bytes(b"another")
    files = hash_files(models / ENCODER, ["1_Pooling/config.json", "model.safetensors"])
    lock = Lock(
        source=record["source"],
        licence="MIT",
        starter=False,
        files=lock_files(models / ENCODER, files),
    )
    write_record(path, lock)
    found = problems(models)
    assert set(found) == {f"{ENCODER}/model.safetensors"}
    assert MODELS_LOCK_NAME in found[f"{ENCODER}/model.safetensors"]


def test_a_damaged_record_is_not_taken_for_none(models: Path) -> None:
    (models / ENCODER / LOCK_NAME).write_text("{")
    assert "cannot be read" in problems(models)[f"{ENCODER}/{LOCK_NAME}"]
    (models / MODELS_LOCK_NAME).write_text('{"version": 1, "checkpoints": {"ocr": 3}}')
    assert "cannot be read" in problems(models)[MODELS_LOCK_NAME]
    (models / MODELS_LOCK_NAME).write_text('{"version": 2, "checkpoints": {}}')
    with pytest.raises(BadLock, match="later release"):
        read_models_lock(models)
