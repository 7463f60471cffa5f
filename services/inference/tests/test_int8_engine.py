"""CTranslate2 in the place of transformers' layers: the same answers, and nearly so in int8."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_text
import torch
import transformers

from atoll_inference.engines.base import LoadFailed
from atoll_inference.engines.cross_encoder import CrossEncoderEngine
from atoll_inference.engines.runtime import Runtime
from atoll_inference.engines.sentence_encoder import SentenceEncoderEngine
from atoll_inference.engines.tasks.retrieval import EmbeddingInput, RerankInput

FAMILIES = {
    "bert": ("BertConfig", "BertModel", "BertForSequenceClassification"),
    "roberta": ("RobertaConfig", "RobertaModel", "RobertaForSequenceClassification"),
    "xlm-roberta": ("XLMRobertaConfig", "XLMRobertaModel", "XLMRobertaForSequenceClassification"),
    "camembert": ("CamembertConfig", "CamembertModel", "CamembertForSequenceClassification"),
    "distilbert": (
        "DistilBertConfig",
        "DistilBertModel",
        "DistilBertForSequenceClassification",
    ),
}
TEXTS = tuple(text for text, _ in tiny_text.emotional_sentences(16, seed=4))


def checkpoint(folder: Path, family: str, kind: int) -> Path:
    """A checkpoint of the family: 1 for a bare encoder, 2 for one with a head of one output."""
    torch.manual_seed(0)
    tokenizer = tiny_text.byte_level() if family != "bert" else tiny_text.word_piece()
    names = FAMILIES[family]
    sizes: dict[str, Any] = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "max_position_embeddings": 66,
    }
    if family == "distilbert":
        sizes = {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64}
        sizes["max_position_embeddings"] = 66
    config = getattr(transformers, names[0])(
        vocab_size=len(tokenizer), num_labels=1, pad_token_id=tokenizer.pad_token_id, **sizes
    )
    model = getattr(transformers, names[kind])(config)
    return tiny_text.save(folder, tiny_text.spread(model), tokenizer)


def embedded(folder: Path, dtype: Any) -> np.ndarray:
    engine = SentenceEncoderEngine(folder, tiny_text.runtime(folder.parent, dtype))
    engine.load(lambda fraction, stage: None)
    found: np.ndarray = engine.run(EmbeddingInput(TEXTS)).vectors
    return found


def ranked(folder: Path, dtype: Any) -> np.ndarray:
    engine = CrossEncoderEngine(folder, tiny_text.runtime(folder.parent, dtype))
    engine.load(lambda fraction, stage: None)
    return np.array(engine.run(RerankInput(TEXTS[0], TEXTS)).scores)


@pytest.mark.parametrize("family", FAMILIES)
def test_layers_of_each_family_answer_as_in_transformers(tmp_path: Path, family: str) -> None:
    bare = checkpoint(tmp_path / "bare", family, 1)
    reference = embedded(bare, "fp32")
    assert np.allclose(embedded(bare, "auto"), reference, atol=1e-5)
    assert (embedded(bare, "int8") * reference).sum(axis=1).min() > 0.98

    head = checkpoint(tmp_path / "head", family, 2)
    scores = ranked(head, "fp32")
    assert np.ptp(scores) > 1e-4
    assert np.allclose(ranked(head, "auto"), scores, atol=1e-5)
    assert np.abs(ranked(head, "int8") - scores).max() < 0.05


def test_other_families_run_on_transformers_and_not_in_int8(tmp_path: Path) -> None:
    torch.manual_seed(0)
    tokenizer = tiny_text.byte_level()
    config = transformers.MPNetConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=66,
    )
    folder = tiny_text.save(tmp_path / "m", transformers.MPNetModel(config), tokenizer)
    assert np.allclose(embedded(folder, "auto"), embedded(folder, "fp32"))
    with pytest.raises(LoadFailed, match=r"mpnet.*DTYPE"):
        embedded(folder, "int8")


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    folder = tiny_text.bert_encoder(tmp_path / "m")
    (tmp_path / "file").write_text("")
    cache = tmp_path / "file" / "cache"
    engine = SentenceEncoderEngine(folder, Runtime(device="cpu", cache_dir=cache))
    with pytest.raises(LoadFailed, match=str(cache)):
        engine.load(lambda fraction, stage: None)
