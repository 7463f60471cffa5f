"""What all fine-tunes share: sources, splits, figures, the chart and the command."""

import argparse
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from tiny_sound import crushed, make_wavlm_base, make_wavlm_judge, voice, write_wav

from atoll_inference.finetune import command
from atoll_inference.finetune.metrics import equal_error_rate, log_loss, quality, roc
from atoll_inference.finetune.roc_chart import roc_chart
from atoll_inference.finetune.samples import Sample, source_of
from atoll_inference.finetune.split import split_by_source

# Sources and splits


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("real/anna/1.flac", "anna"),
        ("real/anna/session 2/1.flac", "anna"),
        ("real/anna_1.flac", "anna"),
        ("fake/LJ001-0001.wav", "LJ001"),
        ("fake/lonely.wav", "lonely"),
        ("fake/_1.wav", "_1"),
    ],
)
def test_a_source_is_a_subfolder_or_the_beginning_of_a_name(path: str, source: str) -> None:
    assert source_of(path) == source


def samples(counts: Sequence[tuple[str, int, int]]) -> list[Sample]:
    """Samples of sources given by name, real files and fake files."""
    return [
        Sample(f"{label}/{source}/{number}", label, source, 1, ())
        for source, *of in counts
        for label, count in enumerate(of)
        for number in range(count)
    ]


def rng_counts(seed: int, sources: int) -> list[tuple[str, int, int]]:
    rng = np.random.default_rng(seed)
    both = [(f"s{n}", *map(int, rng.integers(0, 30, 2))) for n in range(sources)]
    return [*both, *((f"{kind}{n}", 3, 3) for kind in "ab" for n in range(2))]


@pytest.mark.parametrize(
    "counts",
    [
        [(f"s{n}", 10, 10) for n in range(20)],
        [(f"r{n}", 5, 0) for n in range(30)] + [(f"f{n}", 0, 50) for n in range(6)],
        [("a", 3, 0), ("b", 3, 0), ("c", 3, 0), ("x", 0, 1), ("y", 0, 1), ("z", 0, 1)],
        [("huge", 1000, 1000)] + [(f"s{n}", 5, 5) for n in range(10)],
        rng_counts(1, 50),
        rng_counts(2, 3000),
    ],
)
def test_a_split_keeps_sources_apart_and_classes_together(
    counts: list[tuple[str, int, int]],
) -> None:
    everything = samples(counts)
    split = split_by_source(everything, 5)
    assert not split.shares_sources
    assert sorted(s.path for of in split.sets.values() for s in of) == sorted(
        s.path for s in everything
    )
    sides = [{s.source for s in of} for of in split.sets.values()]
    assert sum(map(len, sides)) == len(set().union(*sides))
    for of in split.sets.values():
        assert {s.label for s in of} == {0, 1}
    assert split == split_by_source(everything, 5)


def test_a_split_of_many_sources_has_the_wanted_shares() -> None:
    everything = samples(rng_counts(3, 400))
    split = split_by_source(everything, 0)
    for label in (0, 1):
        whole = sum(s.label == label for s in everything)
        for of, share in zip(split.sets.values(), (0.7, 0.15, 0.15), strict=True):
            assert sum(s.label == label for s in of) / whole == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize(
    "counts",
    [
        [("a", 9, 9), ("b", 9, 9)],
        [("a", 1, 1), ("b", 1, 1)],
        [("a", 5, 0), ("b", 5, 5), ("c", 0, 5)],
        [("a", 5, 0), ("b", 5, 0), ("x", 0, 5), ("y", 0, 5)],
        [(f"r{n}", 5, 0) for n in range(9)] + [("x", 0, 5), ("y", 0, 5)],
    ],
)
def test_with_two_sources_the_test_set_still_has_its_own(
    counts: list[tuple[str, int, int]],
) -> None:
    split = split_by_source(samples(counts), 0)
    assert split.shares_sources
    tested = {s.source for s in split.test}
    assert not tested & {s.source for of in (split.training, split.validation) for s in of}
    for of in split.sets.values():
        assert {s.label for s in of} == {0, 1}


# Figures


@pytest.mark.parametrize(
    ("labels", "scores", "eer"),
    [
        ([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], 0.0),
        ([0, 0, 1, 1], [0.8, 0.9, 0.1, 0.2], 1.0),
        ([0, 1], [0.5, 0.5], 0.5),
        ([0, 0, 0, 0, 1, 1, 1, 1], [0.1, 0.2, 0.3, 0.7, 0.4, 0.8, 0.9, 0.95], 0.25),
        ([0] * 100 + [1] * 10, [0.1] * 90 + [0.9] * 10 + [0.2] + [0.95] * 9, 0.1),
    ],
)
def test_equal_error_rates_of_known_scores(
    labels: list[int], scores: list[float], eer: float
) -> None:
    rate, threshold = equal_error_rate(labels, scores)
    assert rate == pytest.approx(eer)
    assert 0 <= threshold <= 1


def test_both_errors_are_equally_frequent_at_the_threshold() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 20_000)
    scores = 1 / (1 + np.exp(-rng.normal(labels * 2 - 1, 1.0)))
    rate, threshold = equal_error_rate(labels, scores)
    assert rate == pytest.approx(0.159, abs=0.01)  # 1 - Phi(1)
    assert np.mean(scores[labels == 0] >= threshold) == pytest.approx(rate, abs=0.005)
    assert np.mean(scores[labels == 1] < threshold) == pytest.approx(rate, abs=0.005)


def test_the_curve_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 500)
    scores = np.round(np.clip(rng.normal(labels * 0.3 + 0.3, 0.2), 0, 1), 2)
    false_alarms, hits, thresholds = roc(labels, scores)
    assert (false_alarms[0], hits[0]) == (0, 0)
    assert (false_alarms[-1], hits[-1]) == (1, 1)
    assert len(false_alarms) == len(hits) == len(thresholds)
    assert np.trapezoid(hits, false_alarms) == pytest.approx(roc_auc_score(labels, scores))


def test_confusion_and_accuracy_count_half_as_fake() -> None:
    figures = quality([0, 0, 1, 1, 1], [0.1, 0.5, 0.5, 0.9, 0.4])
    assert figures.confusion == ((1, 1), (1, 2))
    assert figures.accuracy == pytest.approx(0.6)


def test_log_loss_is_bounded() -> None:
    assert log_loss([0, 1], [1.0, 0.0]) == pytest.approx(-np.log(1e-6))
    assert log_loss([0, 1], [0.0, 1.0]) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(("labels", "scores"), [([0, 0], [0.1, 0.2]), ([0, 1], [0.1])])
def test_figures_need_both_classes(labels: list[int], scores: list[float]) -> None:
    with pytest.raises(ValueError, match="both classes"):
        quality(labels, scores)


def test_the_chart_is_svg_and_escapes_names() -> None:
    chart = roc_chart("<a & b>", [0, 1, 0, 1], [("x", [0.1, 0.9, 0.4, 0.3]), ("<y>", [0.5] * 4)])
    root = ET.fromstring(chart)
    space = "{http://www.w3.org/2000/svg}"
    assert root.find(f"{space}title").text == "<a & b>"  # type: ignore[union-attr]
    lines = [line.get("points", "").split() for line in root.iter(f"{space}polyline")]
    assert [len(points) for points in lines] == [5, 2]
    for points in lines:
        assert (points[0], points[-1]) == ("60.0,360.0", "380.0,40.0")
    words = " ".join(text.text or "" for text in root.iter(f"{space}text"))
    assert "<y>: equal error rate 50.0%" in words


# The command


def finetune(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(["audio_deepfake", *arguments]))


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MODELS_DIR", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    for speaker in range(3):
        sound = voice(0.4, pitch=100 + 30 * speaker, seed=speaker)
        write_wav(folder / "real" / f"s{speaker}_1.wav", sound)
        write_wav(folder / "fake" / f"s{speaker}_1.wav", crushed(sound))
    return folder


def test_the_command_finds_base_and_output(
    models: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slot = models / "audio_deepfake"
    make_wavlm_judge(slot / "a-judge")
    (slot / "b-broken").mkdir()
    make_wavlm_base(slot / "c-base")
    assert finetune("--data", str(data), "--epochs", "1", "--batch", "6") == 0
    said = capsys.readouterr().out
    assert (slot / "c-base-finetuned" / "model.safetensors").is_file()
    assert "epoch 1 of at most 1" in said
    assert "equal error rate" in said
    assert str(slot / "c-base-finetuned" / "report.md") in said


def test_the_command_says_in_one_line_what_is_wrong(
    models: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert finetune("--data", str(data)) == 1
    assert finetune("--data", str(tmp_path), "--base", str(make_wavlm_base(tmp_path / "b"))) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert str(models / "audio_deepfake") in first
    assert "--base" in first
    assert str(tmp_path / "real") in second


def test_the_command_refuses_a_device_that_is_not_there(
    models: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_wavlm_base(models / "audio_deepfake" / "base")
    assert finetune("--data", str(data), "--device", "cuda:99") == 1
    assert "cuda:99" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [("--epochs", "0"), ("--batch", "x"), ("--learning-rate", "2"), ("--seed", "-1")],
)
def test_options_out_of_range_are_refused(
    data: Path, arguments: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        finetune("--data", str(data), *arguments)
    assert arguments[0] in capsys.readouterr().err
