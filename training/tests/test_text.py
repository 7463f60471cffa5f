"""What the recipes for texts have in common."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from training import held_out, low_rank
from training.emotion_detection.dataset import LABELS, read
from training.reranker.ranking import mrr, ndcg, ranks
from training.word_errors import distance, error_rate, words


def test_a_held_out_text_is_found_in_disguise() -> None:
    kept_out = ["The quick brown fox jumps over the lazy dog today", "Thanks!"]
    texts = [
        "the quick, brown fox jumps over the lazy dog - today!",
        "Yesterday the quick brown fox jumps over the lazy dog",
        "thanks",
        "A quick fox and a dog",
        "Thanks a lot for all the fish",
    ]
    assert held_out.keep(texts, kept_out) == [3, 4]


def test_a_change_of_low_rank_begins_as_none_and_can_be_folded_in() -> None:
    model = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 2))
    plain = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    x = torch.randn(3, 6)
    before = model(x)
    low_rank.insert(model, 2)
    assert torch.equal(model(x), before)
    for parameter in model.parameters():
        if parameter.requires_grad:
            nn.init.normal_(parameter)
    changes = low_rank.changes(model)
    assert set(changes) == {
        "0.weight.up", "0.weight.down", "0.bias", "2.weight.up", "2.weight.down", "2.bias",
    }  # fmt: skip
    folded = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 2))
    for n in ("0", "2"):
        plain[f"{n}.weight"] += changes[f"{n}.weight.up"] @ changes[f"{n}.weight.down"]
        plain[f"{n}.bias"] = changes[f"{n}.bias"]
    folded.load_state_dict(plain)
    assert torch.allclose(folded(x), model(x), atol=1e-5)


def test_the_figures_of_an_order() -> None:
    order = np.array([[7, 8, 9], [8, 7, 9], [8, 9, 6]])
    places = ranks(order, np.array([7, 7, 7]))
    assert places.tolist() == [1, 2, np.inf]
    assert mrr(places) == pytest.approx((1 + 0.5) / 3)
    assert ndcg(places) == pytest.approx((1 + 1 / np.log2(3)) / 3)


@pytest.mark.parametrize(("split", "rows"), [("train", 43410), ("dev", 5426), ("test", 5427)])
def test_the_splits_are_those_published(split: str, rows: int) -> None:
    found = read(split)
    assert found.labels.shape == (rows, len(LABELS))
    assert len(found.texts) == rows
    assert found.labels.sum(1).min() == 1
    assert np.allclose(found.targets.sum(1), 1)


def test_the_data_brings_its_licence() -> None:
    folder = Path(__file__).parents[1] / "emotion_detection" / "data"
    assert "Apache License" in (folder / "LICENSE").read_text()
    assert "GoEmotions" in (folder / "README.md").read_text()


def test_word_errors_are_counted_over_words_that_were_said() -> None:
    assert words("Press 12, it's #1!") == ["press", "one", "two", "it's", "one"]
    assert distance(["a", "b", "c", "d"], ["a", "x", "c"]) == 2
    assert distance([], ["a"]) == 1
    assert error_rate([["a", "b"], ["c", "d"]], [["a", "b"], ["c"]]) == 0.25
