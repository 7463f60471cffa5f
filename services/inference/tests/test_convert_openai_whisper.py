"""Whisper checkpoints as OpenAI publishes them become transformers folders."""

import base64
import itertools
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from atoll_inference.convert import BadSource
from atoll_inference.convert.openai_whisper import convert
from atoll_inference.engines.runtime import Runtime
from atoll_inference.engines.weights import load_pretrained
from atoll_inference.engines.whisper import WhisperEngine

ENGLISH, MULTILINGUAL = 51864, 51865
WIDTH = 64


def write_source(folder: Path, tokens: int = ENGLISH, **changes: Any) -> dict[str, torch.Tensor]:
    """A checkpoint of one layer with OpenAI's names, and a vocabulary of as many tokens."""
    folder.mkdir()
    generator = torch.Generator().manual_seed(0)

    def tensor(*shape: int) -> torch.Tensor:
        return (torch.randn(shape, generator=generator) / 10).half()

    def block(name: str, *, crosses: bool) -> dict[str, torch.Tensor]:
        state = {}
        for attention in ("attn", "cross_attn") if crosses else ("attn",):
            for part in ("query", "key", "value", "out"):
                state[f"{name}.{attention}.{part}.weight"] = tensor(WIDTH, WIDTH)
                if part != "key":
                    state[f"{name}.{attention}.{part}.bias"] = tensor(WIDTH)
            state |= norm(f"{name}.{attention}_ln")
        state[f"{name}.mlp.0.weight"] = tensor(4 * WIDTH, WIDTH)
        state[f"{name}.mlp.0.bias"] = tensor(4 * WIDTH)
        state[f"{name}.mlp.2.weight"] = tensor(WIDTH, 4 * WIDTH)
        state[f"{name}.mlp.2.bias"] = tensor(WIDTH)
        return state | norm(f"{name}.mlp_ln")

    def norm(name: str) -> dict[str, torch.Tensor]:
        return {f"{name}.weight": tensor(WIDTH), f"{name}.bias": tensor(WIDTH)}

    state = {
        "encoder.conv1.weight": tensor(WIDTH, 80, 3),
        "encoder.conv1.bias": tensor(WIDTH),
        "encoder.conv2.weight": tensor(WIDTH, WIDTH, 3),
        "encoder.conv2.bias": tensor(WIDTH),
        "encoder.positional_embedding": tensor(1500, WIDTH),
        **block("encoder.blocks.0", crosses=False),
        **norm("encoder.ln_post"),
        "decoder.token_embedding.weight": tensor(tokens, WIDTH),
        "decoder.positional_embedding": tensor(448, WIDTH),
        **block("decoder.blocks.0", crosses=True),
        **norm("decoder.ln"),
    }
    for name, value in changes.items():
        if value is None:
            del state[name.replace("__", ".")]
        else:
            state[name.replace("__", ".")] = value
    sizes = {
        "n_mels": 80, "n_vocab": tokens, "n_audio_ctx": 1500, "n_text_ctx": 448,
        "n_audio_state": WIDTH, "n_audio_head": 1, "n_audio_layer": 1,
        "n_text_state": WIDTH, "n_text_head": 1, "n_text_layer": 1,
    }  # fmt: skip
    torch.save({"dims": sizes, "model_state_dict": state}, folder / "small.pt")
    write_ranks(folder, tokens)
    return state


def write_ranks(folder: Path, tokens: int) -> None:
    """Single bytes, `th` and `the`, then other pairs, as many as the model has text tokens."""
    multilingual = tokens == MULTILINGUAL
    singles = [bytes([byte]) for byte in range(256)]
    pairs = (bytes(pair) for pair in itertools.product(range(256), repeat=2) if pair != (116, 104))
    ranks = [*singles, b"th", b"the", *pairs][: 50256 + multilingual]
    if multilingual:
        ranks[-1] = b""
    name = "multilingual.tiktoken" if multilingual else "gpt2.tiktoken"
    lines = [f"{base64.b64encode(t).decode() or '='} {rank}" for rank, t in enumerate(ranks)]
    (folder / name).write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("tokens", [ENGLISH, MULTILINGUAL])
def test_tensors_tokens_and_settings_arrive(tmp_path: Path, tokens: int) -> None:
    state = write_source(tmp_path / "source", tokens)
    target = tmp_path / "target"
    target.mkdir()
    convert(tmp_path / "source", target)
    assert {path.stat().st_mode & 0o777 for path in target.iterdir()} == {0o644}

    made = load_file(target / "model.safetensors")
    for ours, theirs in (
        ("model.encoder.embed_positions.weight", "encoder.positional_embedding"),
        ("model.encoder.layers.0.self_attn.k_proj.weight", "encoder.blocks.0.attn.key.weight"),
        ("model.encoder.layers.0.final_layer_norm.bias", "encoder.blocks.0.mlp_ln.bias"),
        ("model.encoder.layer_norm.weight", "encoder.ln_post.weight"),
        ("model.decoder.layers.0.fc2.weight", "decoder.blocks.0.mlp.2.weight"),
        (
            "model.decoder.layers.0.encoder_attn.out_proj.bias",
            "decoder.blocks.0.cross_attn.out.bias",
        ),
        (
            "model.decoder.layers.0.encoder_attn_layer_norm.weight",
            "decoder.blocks.0.cross_attn_ln.weight",
        ),
        ("model.decoder.embed_tokens.weight", "decoder.token_embedding.weight"),
    ):
        assert torch.equal(made[ours], state[theirs]), ours

    runtime = Runtime(device="cpu", threads=2, cache_dir=tmp_path / "cache")
    engine = WhisperEngine(target, runtime)
    engine.load(lambda fraction, stage: None)
    assert engine.is_multilingual == (tokens == MULTILINGUAL)
    book = engine.tokens_of_model
    end = 50256 + (tokens == MULTILINGUAL)
    assert (book.end, book.start, book.first_time) == (end, end + 1, tokens - 1501)
    settings = json.loads((target / "generation_config.json").read_text())
    assert settings["no_timestamps_token_id"] == book.no_timestamps
    assert settings["is_multilingual"] == engine.is_multilingual
    assert {book.start, book.no_speech} <= set(settings["suppress_tokens"])
    assert settings["alignment_heads"] == [[0, 0]]
    prompt = book.prompt("the Ünion 你好")
    assert book.text(prompt[1:]) == " the Ünion 你好"
    assert 257 in prompt  # `the` is one token, made of `th` and `e`


def test_the_published_alignment_heads_are_those_of_the_name(tmp_path: Path) -> None:
    from atoll_inference.convert.openai_whisper import _alignment_heads

    assert _alignment_heads("tiny.en", 4, 6) == [
        [1, 0], [2, 0], [2, 5], [3, 0], [3, 1], [3, 2], [3, 3], [3, 4],
    ]  # fmt: skip
    assert len(_alignment_heads("large-v3", 32, 20)) == 10
    assert _alignment_heads("mine", 2, 2) == [[1, 0], [1, 1]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"decoder__ln__weight": None}, "model.decoder.layer_norm.weight"),
        ({"decoder__odd": torch.zeros(1)}, "model.decoder.odd"),
        ({"decoder__ln__weight": torch.zeros(3)}, "size mismatch for model.decoder.layer_norm"),
        ({"decoder__token_embedding__weight": None}, "embed_tokens"),
    ],
)
def test_a_checkpoint_that_does_not_fit_its_sizes_is_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    write_source(tmp_path / "source", **changes)
    with pytest.raises(BadSource, match=message):
        convert(tmp_path / "source", tmp_path / "target")


class Harm:
    def __reduce__(self) -> Any:
        return (print, ("harm",))


def test_what_is_no_checkpoint_is_refused_and_nothing_in_it_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    with pytest.raises(BadSource, match="0 files"):
        convert(source, tmp_path)
    for content in (b"", b"not a pickle", pickle.dumps({"dims": Harm()}, protocol=2)):
        (source / "tiny.pt").write_bytes(content)
        with pytest.raises(BadSource, match="no Whisper checkpoint"):
            convert(source, tmp_path)
    torch.save({"dims": {"n_mels": 80}, "model_state_dict": {}}, source / "tiny.pt")
    with pytest.raises(BadSource, match="n_vocab"):
        convert(source, tmp_path)
    assert capsys.readouterr().out == ""


def test_a_vocabulary_that_is_absent_or_another_ones_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "source"
    write_source(source)
    ranks = source / "gpt2.tiktoken"
    ranks.write_text("\n".join(ranks.read_text().splitlines()[:1000]))
    with pytest.raises(BadSource, match="51864"):
        convert(source, tmp_path)
    ranks.unlink()
    with pytest.raises(BadSource, match=r"gpt2\.tiktoken is missing"):
        convert(source, tmp_path)


def test_the_strict_loader_takes_the_result(tmp_path: Path) -> None:
    from transformers import WhisperForConditionalGeneration

    write_source(tmp_path / "source")
    (tmp_path / "target").mkdir()
    convert(tmp_path / "source", tmp_path / "target")
    model = load_pretrained(WhisperForConditionalGeneration, tmp_path / "target", torch.float32)
    assert model.proj_out.weight.data_ptr() == model.model.decoder.embed_tokens.weight.data_ptr()
