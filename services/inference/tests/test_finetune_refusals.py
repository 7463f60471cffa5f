"""Fine-tunes that are refused or go on only with the same settings, and those with little data."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from finetune_data import TRAINING, Said, clip, write_data
from safetensors.torch import load_file
from tiny_sound import make_sepformer, make_wavlm_base, make_wavlm_judge, voice, write_wav

from atoll_inference.finetune import FinetuneFailed
from atoll_inference.finetune.audio_deepfake import finetune_audio_deepfake


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_wavlm_base(tmp_path_factory.mktemp("bases") / "tiny-wavlm")


def interrupted(data: Path, base: Path, output: Path) -> None:
    class Stop(Exception):
        pass

    def stop(line: str) -> None:
        if line.startswith("training:"):
            raise Stop

    with pytest.raises(Stop):
        finetune_audio_deepfake(data, base, output, **TRAINING, say=stop)


def failure(call: Callable[[], Any]) -> str:
    with pytest.raises(FinetuneFailed) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_an_interrupted_fine_tune_is_not_started_over_by_accident(
    data: Path, base: Path, tmp_path: Path
) -> None:
    output = tmp_path / "judge"
    interrupted(data, base, output)
    says = failure(lambda: finetune_audio_deepfake(data, base, output, **TRAINING, say=Said()))
    assert "--resume" in says
    other: dict[str, Any] = {**TRAINING, "seed": 4, "learning_rate": 0.1, "resume": True}
    says = failure(lambda: finetune_audio_deepfake(data, base, output, **other, say=Said()))
    assert "--seed" in says
    assert "--learning-rate" in says


def test_data_that_changed_in_between_is_noticed(data: Path, base: Path, tmp_path: Path) -> None:
    copy = tmp_path / "data"
    shutil.copytree(data, copy)
    output = tmp_path / "judge"
    interrupted(copy, base, output)
    write_wav(copy / "real" / "spk0_9.wav", voice(0.5))
    resumed: dict[str, Any] = {**TRAINING, "resume": True}
    says = failure(lambda: finetune_audio_deepfake(copy, base, output, **resumed, say=Said()))
    assert "the files in --data" in says


def test_two_at_once_do_not_mix(data: Path, base: Path, tmp_path: Path) -> None:
    output = tmp_path / "judge"
    seen: list[str] = []

    def again(line: str) -> None:
        if not seen:
            seen.append(
                failure(
                    lambda: finetune_audio_deepfake(
                        data, base, output, **TRAINING, resume=True, say=Said()
                    )
                )
            )
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finetune_audio_deepfake(data, base, output, **TRAINING, say=again)
    assert "Another fine-tune" in seen[0]


# What cannot be trained on


def attempt(data: Path, base: Path, output: Path, **changes: Any) -> str:
    options = {**TRAINING, "epochs": 1, **changes}
    says = failure(lambda: finetune_audio_deepfake(data, base, output, **options, say=Said()))
    assert not output.exists()
    return says


def test_missing_and_empty_folders_are_named(base: Path, tmp_path: Path) -> None:
    output = tmp_path / "judge"
    assert str(tmp_path / "none" / "real") in attempt(tmp_path / "none", base, output)
    data = tmp_path / "data"
    (data / "real").mkdir(parents=True)
    assert "real has no files" in attempt(data, base, output)
    write_wav(data / "real" / "a_1.wav", voice(0.5))
    assert str(data / "fake") in attempt(data, base, output)


def test_a_class_of_one_source_is_refused(base: Path, tmp_path: Path) -> None:
    for number in range(4):
        write_wav(tmp_path / "real" / f"s{number}_1.wav", clip(number, 1, fake=False))
        write_wav(tmp_path / "fake" / f"one_{number}.wav", clip(number, 1, fake=True))
    says = attempt(tmp_path, base, tmp_path / "judge")
    assert "fake has one source only (one)" in says


def test_a_class_without_a_usable_file_is_refused(base: Path, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.wav").write_bytes(b"RIFFnothing")
    write_wav(tmp_path / "fake" / "a.wav", voice(0.5))
    says = attempt(tmp_path, base, tmp_path / "judge")
    assert "real has no file that can be used" in says
    assert "real/a.wav" in says


def test_a_file_in_both_classes_is_refused(base: Path, tmp_path: Path) -> None:
    for label in ("real", "fake"):
        write_wav(tmp_path / label / "a_1.wav", voice(0.5, seed=1))
        write_wav(tmp_path / label / "b_1.wav", voice(0.5, seed=2 + len(label)))
    says = attempt(tmp_path, base, tmp_path / "judge")
    assert "same file" in says
    assert "real/a_1.wav" in says


def test_an_output_that_is_there_is_not_touched(data: Path, base: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")
    options: dict[str, Any] = {**TRAINING, "say": Said()}
    says = failure(lambda: finetune_audio_deepfake(data, base, tmp_path, **options))
    assert "--output" in says
    assert (tmp_path / "file").read_text() == "precious"


def test_a_base_that_does_not_fit_is_refused(data: Path, base: Path, tmp_path: Path) -> None:
    output = tmp_path / "judge"
    says = attempt(data, make_wavlm_judge(tmp_path / "a"), output)
    assert "WavLMForSequenceClassification" in says
    for folder in (tmp_path / "none", make_sepformer(tmp_path / "b")):
        shutil.rmtree(tmp_path / ".judge.training", ignore_errors=True)
        assert "--base" in attempt(data, folder, output)
    shutil.rmtree(tmp_path / ".judge.training")
    shutil.copytree(base, tmp_path / "c")
    weights = tmp_path / "c" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    assert "damaged" in attempt(data, tmp_path / "c", output)


def test_a_learning_rate_that_explodes_is_reported(data: Path, base: Path, tmp_path: Path) -> None:
    says = attempt(data, base, tmp_path / "judge", learning_rate=1e30, epochs=5)
    assert "--learning-rate" in says


def test_two_sources_a_class_are_enough(base: Path, tmp_path: Path) -> None:
    for speaker in (1, 2):
        for number in range(3):
            for label, fake in (("real", False), ("fake", True)):
                name = f"s{speaker}_{number}.wav"
                write_wav(tmp_path / "data" / label / name, clip(speaker, number, fake=fake))
    said = Said()
    options: dict[str, Any] = {**TRAINING, "epochs": 1, "freeze": True}
    result = finetune_audio_deepfake(
        tmp_path / "data", base, tmp_path / "judge", **options, say=said
    )
    assert result.split.shares_sources
    assert len({sample.source for sample in result.split.test}) == 1
    assert any("shares sources" in line for line in said)
    assert "in common" in (result.output / "report.md").read_text()
    # Frozen: the base is as it was.
    ours = load_file(result.output / "model.safetensors")
    for name, tensor in load_file(base / "model.safetensors").items():
        assert (ours[f"wavlm.{name}"] == tensor).all()
