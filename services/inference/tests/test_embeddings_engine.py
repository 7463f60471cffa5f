"""Sentence encoders: pooling as the checkpoint says, whatever shares the batch, strict weights."""

import random
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_text
import torch
from safetensors.torch import save_file

from atoll_inference.engines.base import InvalidInput, LoadFailed
from atoll_inference.engines.sentence_encoder import SentenceEncoderEngine
from atoll_inference.engines.tasks.retrieval import EmbeddingInput, EmbeddingResult

TEXTS = tuple(text for text, _ in tiny_text.emotional_sentences(12))
LONG = "the rotten paper and the happy man . " * 30


def loaded(folder: Path, dtype: Any = "fp32") -> SentenceEncoderEngine:
    engine = SentenceEncoderEngine(folder, tiny_text.runtime(folder.parent, dtype))
    engine.load(lambda fraction, stage: None)
    engine.warmup()
    return engine


def vectors(engine: SentenceEncoderEngine, *texts: str) -> np.ndarray:
    result: EmbeddingResult = engine.run(EmbeddingInput(texts))
    return result.vectors


def of_library(folder: Path, texts: tuple[str, ...]) -> np.ndarray:
    from sentence_transformers import SentenceTransformer

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        return np.asarray(model.encode(list(texts)))


@pytest.mark.parametrize("dtype", ["fp32", "auto"])
@pytest.mark.parametrize(
    ("pooling", "normalize"), [("mean", True), ("cls", True), ("max", False), ("mean", False)]
)
def test_vectors_are_those_of_sentence_transformers(
    tmp_path: Path, pooling: str, normalize: bool, dtype: str
) -> None:
    folder = tiny_text.sentence_encoder(tmp_path / "m", pooling, normalize=normalize)
    texts = (*TEXTS, LONG)
    found = vectors(loaded(folder, dtype), *texts)
    assert found.dtype == np.float32
    assert np.allclose(found, of_library(folder, texts), atol=1e-5)
    if normalize:
        assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_dense_layers_are_applied(tmp_path: Path) -> None:
    folder = tiny_text.sentence_encoder(tmp_path / "m")
    tiny_text.write_modules(
        folder, [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Dense", "Dense")]
    )
    tiny_text.write_json(
        folder / "2_Dense" / "config.json",
        {
            "in_features": 32,
            "out_features": 12,
            "bias": True,
            "activation_function": "torch.nn.modules.activation.Tanh",
        },
    )
    torch.manual_seed(3)
    dense = {"linear.weight": torch.randn(12, 32), "linear.bias": torch.randn(12)}
    save_file(dense, folder / "2_Dense" / "model.safetensors")
    found = vectors(loaded(folder), *TEXTS)
    assert found.shape == (len(TEXTS), 12)
    assert np.allclose(found, of_library(folder, TEXTS), atol=1e-5)

    save_file({"linear.weight": dense["linear.weight"]}, folder / "2_Dense" / "model.safetensors")
    with pytest.raises(LoadFailed, match=r"linear\.bias"):
        loaded(folder)


def test_modules_of_unknown_kinds_and_functions_are_refused(tmp_path: Path) -> None:
    folder = tiny_text.sentence_encoder(tmp_path / "m")
    tiny_text.write_modules(folder, [("", "Transformer"), ("1_Pooling", "Pooling"), ("x", "LSTM")])
    with pytest.raises(LoadFailed, match="LSTM"):
        loaded(folder)
    tiny_text.write_modules(folder, [("", "Transformer"), ("2_Dense", "Dense")])
    tiny_text.write_json(folder / "2_Dense" / "config.json", {"activation_function": "os.system"})
    save_file({"linear.weight": torch.ones(1, 1)}, folder / "2_Dense" / "model.safetensors")
    with pytest.raises(LoadFailed, match=r"os\.system"):
        loaded(folder)


def test_a_bare_encoder_is_pooled_by_mean_and_normalised(tmp_path: Path) -> None:
    folder = tiny_text.bert_encoder(tmp_path / "m")
    found = vectors(loaded(folder), *TEXTS)
    tiny_text.write_modules(
        folder,
        [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")],
    )
    tiny_text.write_json(
        folder / "1_Pooling" / "config.json",
        {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True},
    )
    assert np.allclose(found, of_library(folder, TEXTS), atol=1e-5)


@pytest.mark.parametrize("dtype", ["fp32", "auto", "int8"])
def test_no_text_depends_on_its_neighbours(tmp_path: Path, dtype: str) -> None:
    engine = loaded(tiny_text.sentence_encoder(tmp_path / "m"), dtype)
    texts = [" ".join(TEXTS[: n % 4 + 1]) + f" {n}" for n in range(20)]
    alone = np.concatenate([vectors(engine, text) for text in texts])
    random.Random(1).shuffle(texts)
    order = sorted(range(20), key=lambda i: int(texts[i].rsplit(" ", 1)[1]))
    together = vectors(engine, *texts)[order]
    assert np.allclose(alone, together, atol=1e-5)
    items = engine.run_batch([EmbeddingInput((text,)) for text in texts])
    assert np.allclose(alone, np.concatenate([item.vectors for item in items])[order], atol=1e-5)


def test_what_was_not_read_is_flagged(tmp_path: Path) -> None:
    engine = loaded(tiny_text.sentence_encoder(tmp_path / "m"))
    assert engine.max_length == 48  # of sentence_bert_config.json, below the model's 64
    result: EmbeddingResult = engine.run(EmbeddingInput(("happy", LONG)))
    assert result.truncated == (False, True)
    short = engine.run(EmbeddingInput(("happy",))).tokens
    assert result.tokens == short + 48
    cut = vectors(engine, LONG + "a new end")
    assert np.allclose(result.vectors[1], cut[0], atol=1e-6)


def test_dimensions_cut_and_normalise_again(tmp_path: Path) -> None:
    engine = loaded(tiny_text.sentence_encoder(tmp_path / "m"))
    whole = vectors(engine, *TEXTS)
    result = engine.run(EmbeddingInput(TEXTS, dimensions=8))
    assert result.vectors.shape == (len(TEXTS), 8)
    expected = whole[:, :8] / np.linalg.norm(whole[:, :8], axis=1, keepdims=True)
    assert np.allclose(result.vectors, expected, atol=1e-6)
    for wrong in (0, 33):
        with pytest.raises(InvalidInput, match="1 to 32") as refused:
            engine.run(EmbeddingInput(TEXTS, dimensions=wrong))
        assert refused.value.param == "dimensions"


@pytest.mark.parametrize("bad", ["", "  \n", "\u200b", "half \ud83d"])
def test_texts_without_content_are_refused_by_number(tmp_path: Path, bad: str) -> None:
    engine = loaded(tiny_text.sentence_encoder(tmp_path / "m"))
    with pytest.raises(InvalidInput, match="text 1 "):
        engine.run(EmbeddingInput(("fine", bad)))
    with pytest.raises(InvalidInput, match="The text "):
        engine.run(EmbeddingInput((bad,)))


def test_no_text_is_refused(tmp_path: Path) -> None:
    engine = loaded(tiny_text.sentence_encoder(tmp_path / "m"))
    with pytest.raises(InvalidInput, match="at least one"):
        engine.run(EmbeddingInput(()))


def test_many_threads_may_tokenise_at_once(tmp_path: Path) -> None:
    engine = loaded(tiny_text.sentence_encoder(tmp_path / "m"))
    items = [EmbeddingInput((*TEXTS[: n % 5 + 1], LONG)) for n in range(64)]

    def units(item: EmbeddingInput) -> list[Any]:
        return list(next(engine.steps(item, lambda fraction, stage: None)))

    expected = [units(item) for item in items]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(units, items)) == expected


@pytest.mark.parametrize("damage", ["removed", "renamed", "reshaped"])
def test_a_damaged_checkpoint_is_refused_by_tensor(tmp_path: Path, damage: str) -> None:
    name = "encoder.layer.1.output.dense.weight"
    folder = tiny_text.damaged(tiny_text.sentence_encoder(tmp_path / "m"), damage, name)
    with pytest.raises(LoadFailed, match=name.replace(".", r"\.")):
        loaded(folder)


def test_old_checkpoints_may_carry_position_ids(tmp_path: Path) -> None:
    folder = tiny_text.bert_encoder(tmp_path / "m")
    expected = vectors(loaded(folder), *TEXTS)
    tiny_text.edit_tensors(
        folder, lambda t: t.update({"embeddings.position_ids": torch.arange(64)[None]})
    )
    assert np.allclose(vectors(loaded(folder), *TEXTS), expected)


def test_it_loads_again_after_unload(tmp_path: Path) -> None:
    engine = loaded(tiny_text.sentence_encoder(tmp_path / "m"), "auto")
    before = vectors(engine, *TEXTS)
    engine.unload()
    engine.unload()
    assert list((tmp_path / "cache").iterdir()) == []
    engine.load(lambda fraction, stage: None)
    assert np.allclose(vectors(engine, *TEXTS), before)


@pytest.mark.parametrize(("dtype", "least"), [("bf16", 0.999), ("fp16", 0.9999)])
def test_half_formats_answer_nearly_the_same(tmp_path: Path, dtype: str, least: float) -> None:
    folder = tiny_text.sentence_encoder(tmp_path / "m")
    exact = vectors(loaded(folder), *TEXTS)
    half = vectors(loaded(folder, dtype), *TEXTS)
    assert half.dtype == np.float32
    assert (exact * half).sum(axis=1).min() > least


def test_the_estimate_follows_the_format(tmp_path: Path) -> None:
    folder = tiny_text.sentence_encoder(tmp_path / "m")
    sizes = {
        dtype: SentenceEncoderEngine(folder, tiny_text.runtime(tmp_path, dtype)).bytes_estimate()
        for dtype in ("fp32", "bf16", "int8")
    }
    assert sizes["fp32"] > sizes["bf16"] > sizes["int8"] > 0


def test_a_folder_without_a_tokenizer_says_so(tmp_path: Path) -> None:
    folder = tiny_text.bert_encoder(tmp_path / "m")
    (folder / "tokenizer.json").write_text("{")
    with pytest.raises(LoadFailed, match="tokenizer"):
        loaded(folder)
