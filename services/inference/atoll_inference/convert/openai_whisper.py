"""A Whisper checkpoint as OpenAI publishes it (`.pt`) into a transformers folder.

Beside the weights that needs the vocabulary, which OpenAI ships with its program.
"""

import base64
import gzip
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch
from faster_whisper.tokenizer import _LANGUAGE_CODES, Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens
from tokenizers import AddedToken, decoders, models, pre_tokenizers
from tokenizers import Tokenizer as BpeTokenizer

from atoll_inference.convert import BadSource
from atoll_inference.engines.torchaudio_stub import let_torchaudio_import

let_torchaudio_import()

from transformers import (  # noqa: E402
    GenerationConfig,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
)

_CONTEXT = 448
_TIMESTAMPS = 1501
_ENGLISH_TOKENS = 51864
_TOKENS_WITHOUT_LANGUAGES = 51765
_RENAMED = (
    ("blocks.", "layers."),
    (".cross_attn_ln.", ".encoder_attn_layer_norm."),
    (".attn_ln.", ".self_attn_layer_norm."),
    (".cross_attn.", ".encoder_attn."),
    (".attn.", ".self_attn."),
    (".query.", ".q_proj."),
    (".key.", ".k_proj."),
    (".value.", ".v_proj."),
    (".out.", ".out_proj."),
    (".mlp_ln.", ".final_layer_norm."),
    (".mlp.0.", ".fc1."),
    (".mlp.2.", ".fc2."),
    ("encoder.ln_post.", "encoder.layer_norm."),
    ("decoder.ln.", "decoder.layer_norm."),
    ("decoder.token_embedding.", "decoder.embed_tokens."),
    ("positional_embedding", "embed_positions.weight"),
)
_LANGUAGES = [
    code
    for line in (
        "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta",
        "no th ur hr bg lt la mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk",
        "sq sw gl mr pa si km sn yo so af oc ka be tg sd gu am yi lo uz fo ht ps tk nn mt sa lb",
        "my bo tl mg as tt haw ln ha ba jw su yue",
    )
    for code in line.split()
]
"""In the order of their tokens."""

_ALIGNMENT_HEADS = {
    "tiny.en": "ABzY8J1N>@0{>%R00Bk>$p{7v037`oCl~+#00",
    "tiny": "ABzY8bu8Lr0{>%RKn9Fp%m@SkK7Kt=7ytkO",
    "base.en": "ABzY8;40c<0{>%RzzG;p*o+Vo09|#PsxSZm00",
    "base": "ABzY8KQ!870{>%RzyTQH3`Q^yNP!>##QT-<FaQ7m",
    "small.en": "ABzY8>?_)10{>%RpeA61k&I|OI3I$65C{;;pbCHh0B{qLQ;+}v00",
    "small": "ABzY8DmU6=0{>%Rpa?J`kvJ6qF(V^F86#Xh7JUGMK}P<N0000",
    "medium.en": "ABzY8usPae0{>%R7<zz_OvQ{)4kMa0BMw6u5rT}kRKX;$NfYBv00*Hl@qhsU00",
    "medium": "ABzY8B0Jh+0{>%R7}kK1fFL7w6%<-Pf*t^=N)Qr&0RR9",
    "large-v1": "ABzY8r9j$a0{>%R7#4sLmoOs{s)o3~84-RPdcFk!JR<kSfC2yj",
    "large-v2": "ABzY8zd+h!0{>%R7=D0pU<_bnWW*tkYAhobTNnu$jnkEkXqp)j;w1Tzk)UH3X%SZd&fFZ2fC2yj",
    "large-v3": "ABzY8gWO1E0{>%R7(9S+Kn!D~%ngiGaR?*L!iJG9p-nab0JQ=-{D1-g00",
    "large-v3-turbo": "ABzY8j^C+e0{>%RARaKHP%t(lGR*)0g!tONPyhe`",
}
"""Heads of the decoder that follow the time, as OpenAI's package lists them for each checkpoint:
gzip'ed booleans of shape (layers, heads) in base 85."""


def convert(source: Path, target: Path) -> None:
    """Write config, tokenizer and safetensors of a checkpoint.

    Args:
        source: folder with `NAME.pt`, whose name (`tiny.en`, `large-v3`, …) tells the alignment
            heads, and with the vocabulary for it, `gpt2.tiktoken` for English-only models or
            `multilingual.tiktoken`, as OpenAI's package has them.
        target: an empty folder.

    Raises:
        BadSource: a file is missing, or the pickle is no Whisper checkpoint or wants to run code.
    """
    files = sorted(source.glob("*.pt"))
    if len(files) != 1:
        raise BadSource(f"{source} holds {len(files)} files ending in .pt; expected one.")
    sizes, state = _read(files[0])
    config = _config(sizes)
    model = _model(config, state, files[0])
    tokens = config.vocab_size
    multilingual = tokens > _ENGLISH_TOKENS
    languages = _LANGUAGES[: tokens - _TOKENS_WITHOUT_LANGUAGES - multilingual]
    tokenizer = _tokenizer(_ranks(source, multilingual), languages)
    if tokenizer.get_vocab_size() != tokens:
        raise BadSource(
            f"The vocabulary in {source} makes {tokenizer.get_vocab_size()} tokens, and "
            f"{files[0].name} has {tokens}."
        )
    heads = _alignment_heads(files[0].stem, config.decoder_layers, config.decoder_attention_heads)
    model.generation_config = _generation_config(tokenizer, languages, multilingual, heads)

    model.save_pretrained(target)
    extractor: Any = WhisperFeatureExtractor
    extractor(feature_size=config.num_mel_bins).save_pretrained(target)
    tokenizer.save(str(target / "tokenizer.json"))
    names = ("bos_token", "eos_token", "unk_token", "pad_token")
    settings = {"tokenizer_class": "WhisperTokenizer", "add_prefix_space": False}
    settings |= dict.fromkeys(names, "<|endoftext|>")
    (target / "tokenizer_config.json").write_text(json.dumps(settings, indent=2), "utf-8")
    for file in target.iterdir():
        file.chmod(0o644)  # transformers leaves weights readable by their owner alone


def _read(file: Path) -> tuple[dict[str, int], dict[str, torch.Tensor]]:
    try:
        checkpoint = torch.load(file, map_location="cpu", weights_only=True)
        sizes = {name: int(size) for name, size in checkpoint["dims"].items()}
        state = dict(checkpoint["model_state_dict"])
    except (
        pickle.UnpicklingError, RuntimeError, EOFError, KeyError, TypeError, ValueError,
        AttributeError,
    ) as error:  # fmt: skip
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadSource(
            f"{file} is no Whisper checkpoint as OpenAI publishes them: {reason}"
        ) from None
    return sizes, state


def _model(config: Any, state: dict[str, torch.Tensor], file: Path) -> Any:
    with torch.device("meta"):
        model: Any = WhisperForConditionalGeneration(config)
    tensors = {f"model.{_renamed(name)}": tensor for name, tensor in state.items()}
    try:
        tensors["proj_out.weight"] = tensors["model.decoder.embed_tokens.weight"]
        model.load_state_dict(tensors, strict=True, assign=True)
    except (KeyError, RuntimeError) as error:
        raise BadSource(f"{file} does not hold what its sizes say: {error}") from None
    model.tie_weights()
    return model.to(tensors["proj_out.weight"].dtype)


def _ranks(source: Path, multilingual: bool) -> dict[bytes, int]:
    file = source / ("multilingual.tiktoken" if multilingual else "gpt2.tiktoken")
    try:
        lines = [line.split() for line in file.read_text("ascii").splitlines()]
        return {base64.b64decode(token): int(rank) for token, rank in lines}
    except (OSError, ValueError) as error:
        raise BadSource(f"The vocabulary {file} is missing or damaged: {error}") from None


def _config(sizes: dict[str, int]) -> Any:
    try:
        end = 50257 if sizes["n_vocab"] > _ENGLISH_TOKENS else 50256
        return WhisperConfig(
            vocab_size=sizes["n_vocab"],
            num_mel_bins=sizes["n_mels"],
            d_model=sizes["n_audio_state"],
            max_source_positions=sizes["n_audio_ctx"],
            encoder_layers=sizes["n_audio_layer"],
            encoder_attention_heads=sizes["n_audio_head"],
            encoder_ffn_dim=4 * sizes["n_audio_state"],
            max_target_positions=sizes["n_text_ctx"],
            decoder_layers=sizes["n_text_layer"],
            decoder_attention_heads=sizes["n_text_head"],
            decoder_ffn_dim=4 * sizes["n_text_state"],
            bos_token_id=end,
            eos_token_id=end,
            pad_token_id=end,
            decoder_start_token_id=end + 1,
        )
    except KeyError as error:
        raise BadSource(f"The checkpoint does not say its {error}.") from None


def _renamed(name: str) -> str:
    for old, new in _RENAMED:
        name = name.replace(old, new)
    return name


def _tokenizer(ranks: dict[bytes, int], languages: list[str]) -> BpeTokenizer:
    """The byte-level BPE of these ranks, with Whisper's special tokens behind it."""
    letters = _byte_letters()

    def spelled(token: bytes) -> str:
        return "".join(letters[byte] for byte in token)

    merges = []
    for token, rank in ranks.items():
        if len(token) > 1 and (pair := _last_merge(token, rank, ranks)):
            merges.append((spelled(pair[0]), spelled(pair[1])))
    vocabulary = {spelled(token): rank for token, rank in ranks.items()}
    tokenizer = BpeTokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    names = [
        "<|endoftext|>",
        "<|startoftranscript|>",
        *(f"<|{language}|>" for language in languages),
        "<|translate|>",
        "<|transcribe|>",
        "<|startoflm|>",
        "<|startofprev|>",
        "<|nospeech|>",
        "<|notimestamps|>",
    ]
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in names])
    times = [f"<|{0.02 * index:.2f}|>" for index in range(_TIMESTAMPS)]
    tokenizer.add_tokens([AddedToken(time, special=False) for time in times])
    return tokenizer


def _last_merge(token: bytes, rank: int, ranks: dict[bytes, int]) -> tuple[bytes, bytes] | None:
    """The two tokens that were merged last into `token`."""
    parts = [bytes([byte]) for byte in token]
    while len(parts) > 2:
        found = [
            (ranks[parts[i] + parts[i + 1]], i)
            for i in range(len(parts) - 1)
            if ranks.get(parts[i] + parts[i + 1], rank) < rank
        ]
        if not found:
            return None
        _, at = min(found)
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return parts[0], parts[1]


def _byte_letters() -> dict[int, str]:
    """The printable letter that stands for each byte in a byte-level vocabulary (as of GPT-2)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {byte: chr(byte) for byte in printable}
    others = [byte for byte in range(256) if byte not in letters]
    letters.update({byte: chr(256 + index) for index, byte in enumerate(others)})
    return letters


def _alignment_heads(name: str, layers: int, heads: int) -> list[list[int]]:
    """Those of the named checkpoint; all heads of the upper half of the layers for others."""
    if (packed := _ALIGNMENT_HEADS.get(name)) is not None:
        mask = np.frombuffer(gzip.decompress(base64.b85decode(packed)), dtype=bool)
        if mask.size == layers * heads:
            return [[int(a), int(b)] for a, b in np.argwhere(mask.reshape(layers, heads))]
    return [[layer, head] for layer in range(layers // 2, layers) for head in range(heads)]


def _generation_config(
    tokenizer: BpeTokenizer, languages: list[str], multilingual: bool, heads: list[list[int]]
) -> Any:
    known = Tokenizer(tokenizer, multilingual, task="transcribe", language="en")
    assert set(languages) <= {*_LANGUAGE_CODES}
    settings: dict[str, Any] = {
        "alignment_heads": heads,
        "begin_suppress_tokens": [tokenizer.token_to_id("Ġ"), known.eot],
        "bos_token_id": known.eot,
        "decoder_start_token_id": known.sot,
        "eos_token_id": known.eot,
        "is_multilingual": multilingual,
        "max_initial_timestamp_index": 50,
        "max_length": _CONTEXT,
        "no_timestamps_token_id": known.no_timestamps,
        "pad_token_id": known.eot,
        "prev_sot_token_id": known.sot_prev,
        "return_timestamps": False,
        "suppress_tokens": list(get_suppressed_tokens(known, [-1]) or ()),
    }
    if multilingual:
        settings["lang_to_id"] = {
            f"<|{code}|>": tokenizer.token_to_id(f"<|{code}|>") for code in languages
        }
        settings["task_to_id"] = {"transcribe": known.transcribe, "translate": known.translate}
    config: Any = GenerationConfig
    return config(**settings)
