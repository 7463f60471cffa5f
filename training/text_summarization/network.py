"""A small BART made of MiniLM.

MiniLM's layers are those of BART in all but names: the first ones become the encoder and get a
change of low rank; copies of some become the decoder, which is trained whole. (Rothe et al., 2020,
make both sides of one encoder too.) Between the two there is cross-attention, which MiniLM has not.
It begins as one that finds what it looks at in the text and gives that back, so that copying, most
of what a summary is, has to be refined and not discovered.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from atoll_inference.convert.assembled import DELTA_NAME, FROM_BASE
from atoll_inference.engines.torchaudio_stub import let_torchaudio_import
from training import low_rank, minilm, ship
from training.loop import Record, device

let_torchaudio_import()

import transformers  # noqa: E402

ENCODER_LAYERS = 4
DECODER_LAYERS = 3
RANK = 48
POSITIONS = 256
"""Most tokens of a text or a summary, special ones included."""

_SHIFT = 2
"""BART's table of positions begins after two rows that nobody uses."""

_MATCH = 0.5
_PASS = 0.7
"""Of the identity that cross-attention begins as: keys and queries, values and what is put out."""

_NOISE = 0.02

_PARTS = {
    "self_attn.q_proj": "attention.self.query",
    "self_attn.k_proj": "attention.self.key",
    "self_attn.v_proj": "attention.self.value",
    "self_attn.out_proj": "attention.output.dense",
    "self_attn_layer_norm": "attention.output.LayerNorm",
    "fc1": "intermediate.dense",
    "fc2": "output.dense",
    "final_layer_norm": "output.LayerNorm",
}
"""Parts of a layer of BART, and what MiniLM calls them."""

_TOKENIZER_SETTINGS = "tokenizer_config.json"
_NORM = {"layernorm_embedding": "embeddings.LayerNorm"}
_WORDS = ("model.shared.weight", "embeddings.word_embeddings.weight")


def small_bart() -> Any:
    """The model, on the device that trains; words and the encoder's matrices stay as they are."""
    tokenizer = minilm.tokenizer()
    base = _base()
    width = base[_WORDS[1]].shape[1]
    config = transformers.BartConfig(
        vocab_size=len(tokenizer),
        d_model=width,
        encoder_layers=ENCODER_LAYERS,
        decoder_layers=DECODER_LAYERS,
        encoder_attention_heads=width // 32,
        decoder_attention_heads=width // 32,
        encoder_ffn_dim=4 * width,
        decoder_ffn_dim=4 * width,
        max_position_embeddings=POSITIONS,
        activation_function="gelu",
        dropout=0.0,
        attention_dropout=0.0,
        # Quicker than the fused one where attention is trained on a processor.
        attn_implementation="eager",
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.cls_token_id,
        eos_token_id=tokenizer.sep_token_id,
        decoder_start_token_id=tokenizer.cls_token_id,
        forced_eos_token_id=tokenizer.sep_token_id,
    )
    model = transformers.BartForConditionalGeneration(config)
    positions = base["embeddings.position_embeddings.weight"][:POSITIONS]
    positions = positions + base["embeddings.token_type_embeddings.weight"][0]
    with torch.no_grad():
        for name, origin in _origins(decoder=True).items():
            model.get_parameter(name).copy_(base[origin])
        for side in (model.model.encoder, model.model.decoder):
            side.embed_positions.weight[_SHIFT:] = positions
        for layer in model.model.decoder.layers:
            _begin(layer.encoder_attn)
    low_rank.insert(model.model.encoder, RANK)
    model.model.shared.requires_grad_(False)
    return model.to(device())


def groups(model: Any, *, change: float, cross: float, decoder: float) -> list[dict[str, Any]]:
    """What is trained, with rates for the change of the encoder, cross-attention and the rest."""
    rates = {"model.encoder.": change, ".encoder_attn": cross, "": decoder}
    parts: dict[str, list[Tensor]] = {part: [] for part in rates}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            parts[next(part for part in rates if part in name)].append(parameter)
    return [{"params": parts[part], "lr": rate} for part, rate in rates.items()]


def write(model: Any, folder: Path, record: Record) -> None:
    """Write what does not come from MiniLM, to be put together with it where it is installed."""
    tensors = dict(low_rank.changes(model))
    tensors["model.encoder.embed_positions.weight"] = model.model.encoder.embed_positions.weight
    tensors["final_logits_bias"] = model.final_logits_bias
    taken = {
        name: origin for name, origin in _origins(decoder=False).items() if name not in tensors
    }
    folder.mkdir(parents=True, exist_ok=True)
    model.config.architectures = [type(model).__name__]
    model.config.dtype = "float16"
    model.config.save_pretrained(folder)
    _generation(model).save_pretrained(folder)
    _write_tokenizer_settings(folder)
    header = {FROM_BASE: json.dumps(taken, sort_keys=True)}
    ship.write_weights(folder, tensors, record, name=DELTA_NAME, header=header)


def _generation(model: Any) -> Any:
    config = model.config
    return transformers.GenerationConfig(
        max_length=130,
        num_beams=4,
        no_repeat_ngram_size=3,
        early_stopping=True,
        pad_token_id=config.pad_token_id,
        bos_token_id=config.bos_token_id,
        eos_token_id=config.eos_token_id,
        decoder_start_token_id=config.decoder_start_token_id,
        forced_eos_token_id=config.forced_eos_token_id,
    )


def _write_tokenizer_settings(folder: Path) -> None:
    """MiniLM's, with names for the marks that a summary begins and ends with."""
    settings = json.loads((minilm.base_folder() / _TOKENIZER_SETTINGS).read_text("utf-8"))
    settings |= {
        "bos_token": settings["cls_token"],
        "eos_token": settings["sep_token"],
        "model_max_length": POSITIONS,
    }
    (folder / _TOKENIZER_SETTINGS).write_text(json.dumps(settings, indent=2) + "\n", "utf-8")


def _begin(attention: Any) -> None:
    """Cross-attention that gives back what it is asked for."""
    size = attention.embed_dim
    for name, strength in (
        ("q_proj", _MATCH), ("k_proj", _MATCH), ("v_proj", _PASS), ("out_proj", _PASS),
    ):  # fmt: skip
        layer = getattr(attention, name)
        layer.weight.copy_(strength * torch.eye(size) + _NOISE * torch.randn(size, size))
        layer.bias.zero_()


def _origins(*, decoder: bool) -> dict[str, str]:
    """Names of what BART has from MiniLM, and their names there."""
    names = dict([_WORDS])
    sides = {"encoder": ENCODER_LAYERS} | ({"decoder": DECODER_LAYERS} if decoder else {})
    for side, layers in sides.items():
        parts = {f"model.{side}.{own}": origin for own, origin in _NORM.items()}
        for number in range(layers):
            for own, origin in _PARTS.items():
                parts[f"model.{side}.layers.{number}.{own}"] = f"encoder.layer.{number}.{origin}"
        for own, origin in parts.items():
            names |= {f"{own}.{kind}": f"{origin}.{kind}" for kind in ("weight", "bias")}
    return names


def _base() -> dict[str, Tensor]:
    with safe_open(minilm.base_folder() / "model.safetensors", framework="pt") as file:
        return {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
