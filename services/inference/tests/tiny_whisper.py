"""Whisper checkpoints of a few megabytes with random weights, for loading and refusing."""

import json
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from atoll_inference.engines.torchaudio_stub import let_torchaudio_import

let_torchaudio_import()

from transformers import (  # noqa: E402
    GenerationConfig,
    WhisperConfig,
    WhisperForConditionalGeneration,
)

LANGUAGES = ("en", "zh", "de", "es", "fr")
MULTILINGUAL_TOKENS = 51865
"""From here on a vocabulary counts as multilingual."""

_TIMES = 1501
_WORDS = 12


def make_tiny_whisper(folder: Path, *, multilingual: bool = False, seed: int = 0) -> Path:
    """Write a transformers Whisper of two small layers that ends after some ten random tokens."""
    languages = LANGUAGES if multilingual else LANGUAGES[:1]
    tokenizer = _tokenizer(languages, multilingual)
    ids = {
        name: int(tokenizer.token_to_id(f"<|{name}|>") or 0)
        for name in ("endoftext", "startoftranscript", "notimestamps", "startofprev", "nospeech")
    }
    end = int(ids["endoftext"])
    config: Any = WhisperConfig(
        vocab_size=tokenizer.get_vocab_size(),
        d_model=64,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=1,
        decoder_attention_heads=1,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        init_std=0.3,
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
        decoder_start_token_id=end + 1,
    )
    torch.manual_seed(seed)
    model: Any = WhisperForConditionalGeneration(config)
    with torch.no_grad():
        # From position `_WORDS` on everything looks like the end token.
        decoder = model.model.decoder
        torch.nn.init.normal_(decoder.embed_tokens.weight[end], std=0.3)  # as padding it is zero
        decoder.embed_positions.weight[_WORDS:] += 100 * decoder.embed_tokens.weight[end]
    generation: Any = GenerationConfig
    model.generation_config = generation(
        alignment_heads=[[1, 0]],
        begin_suppress_tokens=[end],
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
        decoder_start_token_id=ids["startoftranscript"],
        is_multilingual=multilingual,
        max_initial_timestamp_index=50,
        no_timestamps_token_id=ids["notimestamps"],
        suppress_tokens=[ids["startoftranscript"], ids["startofprev"], ids["nospeech"]],
        **(
            {"lang_to_id": {f"<|{c}|>": tokenizer.token_to_id(f"<|{c}|>") for c in languages}}
            if multilingual
            else {}
        ),
    )
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "WhisperTokenizer",
        **dict.fromkeys(("bos_token", "eos_token", "unk_token", "pad_token"), "<|endoftext|>"),
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return folder


def _tokenizer(languages: tuple[str, ...], multilingual: bool) -> Tokenizer:
    special = [
        "endoftext",
        "startoftranscript",
        *languages,
        *("translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps"),
    ]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    filling = MULTILINGUAL_TOKENS - _TIMES - len(special) - len(letters) if multilingual else 0
    vocabulary = [*letters, *(f"Ġ{index}" for index in range(filling))]
    if multilingual:
        vocabulary[-1] = ""  # what CTranslate2 tells multilingual vocabularies by
    tokenizer = Tokenizer(
        models.BPE(vocab={token: i for i, token in enumerate(vocabulary)}, merges=[])
    )
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(f"<|{name}|>", special=True) for name in special])
    times = [f"<|{0.02 * index:.2f}|>" for index in range(_TIMES)]
    tokenizer.add_tokens([AddedToken(time, special=False) for time in times])
    return tokenizer
