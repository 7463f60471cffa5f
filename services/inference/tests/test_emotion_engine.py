"""Classifiers: labels of the checkpoint, long texts by windows, content after training."""

import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_text
import torch

from atoll_inference.engines.base import InvalidInput, LoadFailed
from atoll_inference.engines.tasks.text import EmotionInput, EmotionResult
from atoll_inference.engines.text_classifier import OVERLAP, TextClassifierEngine, window_starts

TEXTS = [text for text, _ in tiny_text.emotional_sentences(12)]


def loaded(folder: Path, dtype: Any = "auto") -> TextClassifierEngine:
    engine = TextClassifierEngine(folder, tiny_text.runtime(folder.parent, dtype))
    engine.load(lambda fraction, stage: None)
    engine.warmup()
    return engine


def judged(engine: TextClassifierEngine, text: str) -> EmotionResult:
    result: EmotionResult = engine.run(EmotionInput(text))
    return result


def numbers(result: EmotionResult) -> np.ndarray:
    return np.array(list(result.scores.values()))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tiny_text.emotion_classifier(tmp_path_factory.mktemp("trained") / "m")
    tiny_text.train_classifier(folder)
    return folder


def test_a_trained_checkpoint_names_the_emotion(trained: Path) -> None:
    engine = loaded(trained)
    unseen = tiny_text.emotional_sentences(100, seed=99)
    right = sum(judged(engine, text).label == emotion for text, emotion in unseen)
    assert right >= 90, right
    result = judged(engine, unseen[0][0])
    assert tuple(result.scores) == tiny_text.EMOTIONS
    assert sum(result.scores.values()) == pytest.approx(1, abs=1e-5)
    assert result.scores[result.label] == max(result.scores.values())
    assert result.windows == 1


def test_a_long_text_is_judged_as_a_whole(trained: Path) -> None:
    engine = loaded(trained)
    for emotion, other in (("joy", "fear"), ("fear", "joy")):
        text = f"{tiny_text.text_about(emotion, 30)} {tiny_text.text_about(other, 10)}"
        result = judged(engine, text)
        assert result.label == emotion
        assert result.windows > 4
        assert result.tokens > 300
        assert result.scores[other] == max(
            score for label, score in result.scores.items() if label != emotion
        )


def test_a_very_long_text_is_read_to_its_end(trained: Path) -> None:
    engine = loaded(trained)
    text = (tiny_text.text_about("sadness", 2000) + " ")[:80_000]
    result = judged(engine, text)
    assert result.label == "sadness"
    room = engine.max_length - engine.tokenizer.special_tokens
    assert result.windows == len(window_starts(result.tokens, room))


def test_no_text_depends_on_its_neighbours(tmp_path: Path) -> None:
    engine = loaded(tiny_text.emotion_classifier(tmp_path / "m"))
    texts = [" ".join(TEXTS[: n % 6 + 1]) + f" {n}" for n in range(16)]
    alone = {text: numbers(judged(engine, text)) for text in texts}
    random.Random(3).shuffle(texts)
    together = engine.run_batch([EmotionInput(text) for text in texts])
    for text, result in zip(texts, together, strict=True):
        assert np.allclose(numbers(result), alone[text], atol=1e-5)


def test_several_labels_at_once_do_not_sum_to_one(tmp_path: Path) -> None:
    folder = tiny_text.emotion_classifier(tmp_path / "m", problem_type="multi_label_classification")
    result = judged(loaded(folder), TEXTS[0])
    assert all(0 <= score <= 1 for score in result.scores.values())
    assert sum(result.scores.values()) != pytest.approx(1, abs=0.05)


def test_unnamed_labels_are_refused_with_the_remedy(tmp_path: Path) -> None:
    folder = tiny_text.emotion_classifier(tmp_path / "m", ["LABEL_0", "LABEL_1", "LABEL_2"])
    with pytest.raises(LoadFailed, match=r"LABEL_0.*id2label"):
        loaded(folder)
    twice = tiny_text.emotion_classifier(tmp_path / "twice", ["joy", "joy"])
    with pytest.raises(LoadFailed, match="a name of its own"):
        loaded(twice)


@pytest.mark.parametrize("damage", ["removed", "renamed", "reshaped"])
@pytest.mark.parametrize("dtype", ["fp32", "auto"])
def test_a_damaged_checkpoint_is_refused_by_tensor(tmp_path: Path, damage: str, dtype: str) -> None:
    name = "classifier.out_proj.weight"
    folder = tiny_text.damaged(tiny_text.emotion_classifier(tmp_path / "m"), damage, name)
    with pytest.raises(LoadFailed, match=r"classifier\.out_proj\.weight"):
        loaded(folder, dtype)


def test_old_checkpoints_may_carry_position_ids(tmp_path: Path) -> None:
    folder = tiny_text.emotion_classifier(tmp_path / "m")
    expected = numbers(judged(loaded(folder), TEXTS[0]))
    tiny_text.edit_tensors(
        folder, lambda t: t.update({"roberta.embeddings.position_ids": torch.arange(66)[None]})
    )
    assert np.allclose(numbers(judged(loaded(folder), TEXTS[0])), expected)


@pytest.mark.parametrize("bad", ["", " \t", "\ud800"])
def test_texts_without_content_are_refused(trained: Path, bad: str) -> None:
    with pytest.raises(InvalidInput, match="The text "):
        judged(loaded(trained), bad)


@pytest.mark.parametrize(
    ("dtype", "far"), [("auto", 1e-5), ("bf16", 0.05), ("fp16", 0.01), ("int8", 0.05)]
)
def test_other_formats_answer_as_the_reference(trained: Path, dtype: str, far: float) -> None:
    reference, engine = loaded(trained, "fp32"), loaded(trained, dtype)
    for text in (*TEXTS, " ".join(TEXTS)):
        exact, found = judged(reference, text), judged(engine, text)
        assert np.abs(numbers(exact) - numbers(found)).max() < far
        assert found.label == exact.label


def test_it_loads_again_after_unload(trained: Path) -> None:
    engine = loaded(trained)
    before = judged(engine, TEXTS[0])
    engine.unload()
    engine.load(lambda fraction, stage: None)
    assert np.allclose(numbers(judged(engine, TEXTS[0])), numbers(before))


@pytest.mark.parametrize("length", [1, 9, 10, 11, 13, 17, 18, 25, 100, 999])
def test_windows_cover_a_text_evenly(length: int) -> None:
    window = 10
    starts = window_starts(length, window)
    assert starts[0] == 0
    assert max(starts[-1], 0) + window >= length
    if length > window:
        assert starts[-1] == length - window
        assert all(0 < b - a <= window * (1 - OVERLAP) + 1 for a, b in pairwise(starts))
