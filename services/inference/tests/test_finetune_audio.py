"""Fine-tuning a judge of recordings, from folders of files to a checkpoint that is served."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from finetune_data import SPEAKERS, TRAINING, Said, clip, write_data
from safetensors.torch import load_file
from tiny_sound import make_wavlm_base, recording

from atoll_inference.catalog.discovery import Discovery
from atoll_inference.engines.audio_classifier import AudioClassifierEngine
from atoll_inference.engines.factory import SERVED
from atoll_inference.engines.runtime import Runtime
from atoll_inference.engines.tasks.sound import AudioDeepfakeInput
from atoll_inference.finetune import trainer
from atoll_inference.finetune.audio_deepfake import finetune_audio_deepfake
from atoll_inference.finetune.report import Report


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_wavlm_base(tmp_path_factory.mktemp("bases") / "tiny-wavlm")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def said() -> Said:
    return Said()


@pytest.fixture(scope="module")
def report(data: Path, base: Path, models: Path, said: Said) -> Report:
    """Of a fine-tune that was left alone."""
    output = models / "audio_deepfake" / "judge"
    return finetune_audio_deepfake(data, base, output, **TRAINING, say=said)


# The result


def test_it_tells_held_out_speakers_apart(report: Report) -> None:
    assert report.test.accuracy >= 0.75
    assert report.test.eer <= 0.2
    assert report.baseline.majority_accuracy == 0.5


def test_no_speaker_is_on_two_sides(report: Report) -> None:
    sides = [{sample.source for sample in samples} for samples in report.split.sets.values()]
    assert sum(len(side) for side in sides) == len(set().union(*sides)) == SPEAKERS
    assert not report.split.shares_sources
    for samples in report.split.sets.values():
        assert {sample.label for sample in samples} == {0, 1}


def test_the_catalog_discovers_it(report: Report, models: Path) -> None:
    found = Discovery(models, SERVED).scan()
    assert [(c.id, c.slot, c.problem) for c in found] == [("judge", "audio_deepfake", None)]
    assert found[0].labels == ("real", "fake")


def test_the_engine_serves_it(report: Report) -> None:
    engine = AudioClassifierEngine(report.output, Runtime(device="cpu"))
    engine.load(lambda fraction, stage: None)
    held_out = {sample.source for sample in report.split.test}
    right = []
    for source in held_out:
        for number in range(100, 106):
            for fake in (False, True):
                sound = clip(int(source[3:]), number, fake=fake)
                result = engine.run(AudioDeepfakeInput(recording(sound)))
                right.append(result.label == ("fake" if fake else "real"))
    assert np.mean(right) >= 0.8


@pytest.mark.parametrize("dtype", ["bf16", "int8"])
def test_its_scores_are_nearly_the_same_in_other_formats(report: Report, dtype: Any) -> None:
    engine = AudioClassifierEngine(report.output, Runtime(device="cpu", dtype=dtype))
    engine.load(lambda fraction, stage: None)
    sound = clip(0, 200, fake=True)
    exact = AudioClassifierEngine(report.output, Runtime(device="cpu"))
    exact.load(lambda fraction, stage: None)
    item = AudioDeepfakeInput(recording(sound))
    assert engine.run(item).score == pytest.approx(exact.run(item).score, abs=0.1)


def test_the_report_says_how_it_was_reached(report: Report, said: Said) -> None:
    content = json.loads((report.output / "report.json").read_text())
    assert content["test"]["accuracy"] == report.test.accuracy
    confusion = content["test"]["confusion"]
    assert sum(map(sum, confusion)) == content["test"]["files"] == len(report.split.test)
    right = confusion[0][0] + confusion[1][1]
    assert right / content["test"]["files"] == pytest.approx(report.test.accuracy)
    assert content["baseline"]["logistic_regression"].keys() == content["test"].keys() - {"files"}
    assert list(content["sources"]) == ["training", "validation", "test"]
    assert all(of.keys() == {"real", "fake"} for of in content["sources"].values())
    assert len(content["scores"]) == len(report.split.test)
    skipped = {item["path"]: item["reason"] for item in content["skipped"]}
    assert skipped.keys() == {"real/notes.txt", "fake/spk1/silence.wav"}
    assert "silent" in skipped["fake/spk1/silence.wav"]
    assert any("real/notes.txt" in line for line in said)

    text = (report.output / "report.md").read_text()
    assert f"{report.test.accuracy:.1%}" in text
    assert f"{report.baseline.simple.eer:.1%}" in text
    assert "roc.svg" in text
    chart = (report.output / "roc.svg").read_text()
    assert chart.startswith("<svg")
    assert chart.count("<polyline") == 2
    card = (report.output / "README.md").read_text()
    assert 'base_model: "tiny-wavlm"' in card


def test_the_input_is_described_as_it_was_in_training(report: Report) -> None:
    content = json.loads((report.output / "preprocessor_config.json").read_text())
    assert content["window_seconds"] == 0.5
    assert content["repeat_short"] is True
    assert content["sampling_rate"] == 16000
    assert content["feature_extractor_type"] == "Wav2Vec2FeatureExtractor"


def test_nothing_else_is_left(report: Report) -> None:
    assert [path.name for path in report.output.parent.iterdir()] == ["judge"]


# Killing and going on


SCRIPT = """
import sys
from pathlib import Path
from atoll_inference.finetune.audio_deepfake import finetune_audio_deepfake
data, base, output, options = sys.argv[1:]
say = lambda line: print(line, flush=True)
finetune_audio_deepfake(Path(data), Path(base), Path(output), **eval(options), say=say)
"""


def killed_after(line: str, data: Path, base: Path, output: Path) -> None:
    """Start a fine-tune in a process of its own and kill it once it has said `line`."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(data), str(base), str(output), repr(TRAINING)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert process.stdout is not None
    with process.stdout as stream:
        for said in stream:
            if said.startswith(line):
                break
        else:
            pytest.fail(f"it never said {line!r}")
        process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def test_a_killed_fine_tune_goes_on_to_the_same_result(
    data: Path, base: Path, tmp_path: Path, report: Report
) -> None:
    output = tmp_path / "judge"
    killed_after("looking at", data, base, output)
    assert not output.exists()
    killed_after_resume = {**TRAINING, "resume": True}
    said = Said()

    class Stop(Exception):
        pass

    def stop_in_epoch_5(line: str) -> None:
        said(line)
        if line.startswith("epoch 5 "):
            raise Stop

    with pytest.raises(Stop):
        finetune_audio_deepfake(data, base, output, **killed_after_resume, say=stop_in_epoch_5)
    assert not output.exists()
    # Not looked at as a checkpoint either.
    assert Discovery(tmp_path, SERVED).scan() == []
    said.clear()
    resumed = finetune_audio_deepfake(data, base, output, **killed_after_resume, say=said)
    assert any(line.startswith("going on after epoch 5") for line in said)
    assert not any(line.startswith("epoch 5 ") for line in said)
    assert [e.validation_eer for e in resumed.epochs] == [e.validation_eer for e in report.epochs]
    assert [e.training_loss for e in resumed.epochs] == pytest.approx(
        [e.training_loss for e in report.epochs], rel=1e-3
    )
    assert resumed.scores == pytest.approx(report.scores, abs=1e-3)
    ours = load_file(output / "model.safetensors")
    for name, tensor in load_file(report.output / "model.safetensors").items():
        np.testing.assert_allclose(ours[name], tensor, atol=1e-3)


def test_a_kill_in_training_loses_nothing_that_was_saved(
    data: Path, base: Path, tmp_path: Path, report: Report
) -> None:
    output = tmp_path / "judge"
    killed_after("epoch 2 ", data, base, output)
    said = Said()

    class Enough(Exception):
        pass

    def until_epoch_4(line: str) -> None:
        said(line)
        if line.startswith("epoch 4 "):
            raise Enough

    with pytest.raises(Enough):
        finetune_audio_deepfake(data, base, output, **TRAINING, resume=True, say=until_epoch_4)
    assert any(re.match(r"going on after epoch [23],", line) for line in said)
    # The same numbers as without the kill.
    fourth = report.epochs[3]
    assert f"{fourth.training_loss:.3f}" in said[-1]
    assert f"{fourth.validation_loss:.3f}" in said[-1]


def test_a_stop_within_an_epoch_goes_on_from_its_last_step(
    data: Path, base: Path, tmp_path: Path, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stop(Exception):
        pass

    steps = 0
    learn = trainer.Trainer._learn

    def learn_a_while(self: Any, *arguments: Any) -> None:
        nonlocal steps
        steps += 1
        if steps == 11:
            raise Stop
        learn(self, *arguments)

    # As if every step took longer than the time between two saves.
    monkeypatch.setattr(trainer, "_SAVE_SECONDS", -1.0)
    with monkeypatch.context() as patch:
        patch.setattr(trainer.Trainer, "_learn", learn_a_while)
        with pytest.raises(Stop):
            finetune_audio_deepfake(data, base, tmp_path / "judge", **TRAINING, say=Said())
    said = Said()

    def until_epoch_3(line: str) -> None:
        said(line)
        if line.startswith("epoch 3 "):
            raise Stop

    with pytest.raises(Stop):
        finetune_audio_deepfake(
            data, base, tmp_path / "judge", **TRAINING, resume=True, say=until_epoch_3
        )
    assert any(re.match(r"going on after epoch 1, step [23] of ", line) for line in said)
    assert f"{report.epochs[2].training_loss:.3f}" in said[-1]
    assert f"{report.epochs[2].validation_loss:.3f}" in said[-1]
