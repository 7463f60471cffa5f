"""Cross-encoders: scores of pairs in [0, 1], the query whole, strict weights."""

import random
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_text
import torch

from atoll_inference.engines.base import InvalidInput, LoadFailed
from atoll_inference.engines.cross_encoder import CrossEncoderEngine
from atoll_inference.engines.tasks.retrieval import RerankInput, RerankResult

QUERY = "what a wonderful thing"
DOCUMENTS = tuple(text for text, _ in tiny_text.emotional_sentences(12))
LONG = "the rotten paper and the happy man . " * 30


def loaded(folder: Path, dtype: Any = "fp32") -> CrossEncoderEngine:
    engine = CrossEncoderEngine(folder, tiny_text.runtime(folder.parent, dtype))
    engine.load(lambda fraction, stage: None)
    engine.warmup()
    return engine


def scores(engine: CrossEncoderEngine, *documents: str, query: str = QUERY) -> np.ndarray:
    result: RerankResult = engine.run(RerankInput(query, documents))
    return np.array(result.scores)


def of_library(folder: Path, documents: tuple[str, ...]) -> np.ndarray:
    from sentence_transformers import CrossEncoder

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = CrossEncoder(str(folder), device="cpu", local_files_only=True)
        return np.asarray(model.predict([(QUERY, document) for document in documents]))


@pytest.mark.parametrize("dtype", ["fp32", "auto"])
def test_scores_are_those_of_sentence_transformers(tmp_path: Path, dtype: str) -> None:
    folder = tiny_text.cross_encoder(tmp_path / "m")
    documents = (*DOCUMENTS, LONG)
    found = scores(loaded(folder, dtype), *documents)
    assert np.ptp(found) > 0.001
    assert np.allclose(found, of_library(folder, documents), atol=1e-5)


@pytest.mark.parametrize(
    "config",
    [
        {"sentence_transformers": {"activation_fn": "torch.nn.modules.linear.Identity"}},
        {"sbert_ce_default_activation_function": "torch.nn.modules.linear.Identity"},
    ],
)
def test_bare_outputs_become_scores_in_the_same_order(
    tmp_path: Path, config: dict[str, Any]
) -> None:
    folder = tiny_text.cross_encoder(tmp_path / "m", **config)
    found = scores(loaded(folder), *DOCUMENTS)
    assert ((found >= 0) & (found <= 1)).all()
    assert (np.argsort(found) == np.argsort(of_library(folder, DOCUMENTS))).all()


def test_other_activations_are_refused(tmp_path: Path) -> None:
    folder = tiny_text.cross_encoder(tmp_path / "m")
    tiny_text.write_json(
        folder / "config_sentence_transformers.json", {"activation_fn": "torch.nn.Tanh"}
    )
    with pytest.raises(LoadFailed, match="Tanh"):
        loaded(folder)


def test_no_document_depends_on_its_neighbours(tmp_path: Path) -> None:
    engine = loaded(tiny_text.cross_encoder(tmp_path / "m"), "auto")
    documents = [" ".join(DOCUMENTS[: n % 4 + 1]) + f" {n}" for n in range(16)]
    alone = {document: scores(engine, document)[0] for document in documents}
    random.Random(2).shuffle(documents)
    together = scores(engine, *documents)
    assert np.allclose(together, [alone[document] for document in documents], atol=1e-5)


def test_a_long_pair_loses_the_end_of_its_document(tmp_path: Path) -> None:
    engine = loaded(tiny_text.cross_encoder(tmp_path / "m"))
    result: RerankResult = engine.run(RerankInput(QUERY, ("happy", LONG)))
    assert result.truncated == (False, True)
    assert engine.run(RerankInput(QUERY, (LONG,))).tokens == engine.max_length
    assert scores(engine, LONG + " surprise") == pytest.approx(scores(engine, LONG))
    assert scores(engine, LONG, query="hate") != pytest.approx(scores(engine, LONG), abs=1e-7)


def test_what_cannot_be_ranked_is_refused(tmp_path: Path) -> None:
    engine = loaded(tiny_text.cross_encoder(tmp_path / "m"))
    for item, param, message in (
        (RerankInput("", ("a",)), "query", "query is empty"),
        (RerankInput("a", ("b", " ")), "documents", "document 1 "),
        (RerankInput("a", ()), "documents", "at least one"),
        (RerankInput(LONG, ("a",)), "query", "Shorten"),
        (RerankInput("a", ("\udc00",)), "documents", "surrogate"),
    ):
        with pytest.raises(InvalidInput, match=message) as refused:
            engine.run(item)
        assert refused.value.param == param


@pytest.mark.parametrize("damage", ["removed", "renamed", "reshaped"])
@pytest.mark.parametrize("name", ["classifier.weight", "bert.pooler.dense.bias"])
def test_a_damaged_checkpoint_is_refused_by_tensor(tmp_path: Path, damage: str, name: str) -> None:
    folder = tiny_text.damaged(tiny_text.cross_encoder(tmp_path / "m"), damage, name)
    with pytest.raises(LoadFailed, match=name.replace(".", r"\.")):
        loaded(folder)


def test_old_checkpoints_may_carry_position_ids(tmp_path: Path) -> None:
    folder = tiny_text.cross_encoder(tmp_path / "m")
    expected = scores(loaded(folder), *DOCUMENTS)
    tiny_text.edit_tensors(
        folder, lambda t: t.update({"bert.embeddings.position_ids": torch.arange(64)[None]})
    )
    assert np.allclose(scores(loaded(folder), *DOCUMENTS), expected)


def test_several_outputs_are_no_reranker(tmp_path: Path) -> None:
    folder = tiny_text.emotion_classifier(tmp_path / "m")
    with pytest.raises(LoadFailed, match="7 outputs"):
        loaded(folder)


@pytest.mark.parametrize(("dtype", "far"), [("bf16", 0.02), ("int8", 0.02)])
def test_smaller_formats_answer_nearly_the_same(tmp_path: Path, dtype: str, far: float) -> None:
    folder = tiny_text.cross_encoder(tmp_path / "m")
    exact, small = scores(loaded(folder), *DOCUMENTS), scores(loaded(folder, dtype), *DOCUMENTS)
    assert np.abs(exact - small).max() < far


def test_it_loads_again_after_unload(tmp_path: Path) -> None:
    engine = loaded(tiny_text.cross_encoder(tmp_path / "m"), "auto")
    before = scores(engine, *DOCUMENTS)
    engine.unload()
    engine.load(lambda fraction, stage: None)
    assert np.allclose(scores(engine, *DOCUMENTS), before)
