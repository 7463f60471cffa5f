"""Vocabularies of the sizes and in the files of the production checkpoints, with other words."""

import json
from pathlib import Path
from typing import Any

from tokenizers import ByteLevelBPETokenizer

TEXT = (
    "The committee met on Thursday to discuss the new harbour, which had been promised for years. "
    "Several members said that the costs were higher than expected and asked who would pay for "
    "them. The mayor replied that the work would begin in spring, when the weather allows it, and "
    "that nobody would lose a job. People in the town are happy about the news, although some "
    "fishermen are angry and afraid that the noise will drive the fish away. "
)
"""What the vocabularies are made from, so that text of this kind has a normal number of tokens."""

_TRAINED = 440
"""Tokens that are made from it: with so many, a word has 1.3, as with the real vocabularies."""

_CODES = (
    "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th "
    "ur hr bg lt la mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr "
    "pa si km sn yo so af oc ka be tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt "
    "haw ln ha ba jw su"
)
LANGUAGES = _CODES.split()


def write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", "utf-8")


def _words(count: int) -> list[str]:
    """Tokens that no text produces, to fill a vocabulary up."""
    return [f"<unused-{index}>" for index in range(count)]


def _bpe(first: list[str], size: int, last: list[str]) -> tuple[dict[str, int], list[str]]:
    """A byte-level vocabulary of exactly `size` tokens, and its merges as lines."""
    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator([TEXT], vocab_size=_TRAINED, min_frequency=1, show_progress=False)
    content = json.loads(trained.to_str())["model"]
    tokens = sorted(content["vocab"], key=content["vocab"].__getitem__)
    middle = [*first, *tokens]
    filled = [*middle, *_words(size - len(middle) - len(last)), *last]
    merges = [m if isinstance(m, str) else " ".join(m) for m in content["merges"]]
    return {token: index for index, token in enumerate(filled)}, merges


def write_roberta_vocabulary(folder: Path, size: int) -> None:
    """vocab.json, merges.txt and tokenizer_config.json of `size` tokens, the mask last."""
    vocabulary, merges = _bpe(["<s>", "<pad>", "</s>", "<unk>"], size, ["<mask>"])
    write_json(folder / "vocab.json", vocabulary)
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", "utf-8")
    write_json(folder / "tokenizer_config.json", {"model_max_length": 512})


def write_whisper_vocabulary(folder: Path) -> None:
    """51,865 tokens: 50,257 of text, then the end, the languages, the tasks and the times."""
    vocabulary, merges = _bpe([], 50257, [])
    special = [
        "<|endoftext|>", "<|startoftranscript|>", *(f"<|{code}|>" for code in LANGUAGES),
        "<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nocaptions|>",
        "<|notimestamps|>",
    ]  # fmt: skip
    times = [f"<|{0.02 * index:.2f}|>" for index in range(1501)]
    added = [
        {
            "id": 50257 + index, "content": token, "single_word": False, "lstrip": False,
            "rstrip": False, "normalized": False, "special": index < len(special),
        }
        for index, token in enumerate([*special, *times])
    ]  # fmt: skip
    write_json(
        folder / "tokenizer.json",
        {
            "version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
            "normalizer": None,
            "pre_tokenizer": {
                "type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True,
                "use_regex": True,
            },
            "post_processor": None,
            "decoder": {
                "type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True,
                "use_regex": True,
            },
            "model": {
                "type": "BPE", "dropout": None, "unk_token": None,
                "continuing_subword_prefix": "", "end_of_word_suffix": "", "fuse_unk": False,
                "byte_fallback": False, "vocab": vocabulary, "merges": merges,
            },
        },
    )  # fmt: skip
    ids = {entry["content"]: entry["id"] for entry in added}
    write_json(folder / "vocab.json", vocabulary)
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", "utf-8")
    write_json(folder / "added_tokens.json", ids)
    write_json(folder / "normalizer.json", {"colour": "color"})
    end = "<|endoftext|>"
    names = dict.fromkeys(("bos_token", "eos_token", "pad_token", "unk_token"), end)
    write_json(folder / "special_tokens_map.json", names)
    write_json(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "WhisperTokenizer", "model_max_length": 1024, **names},
    )
    write_json(
        folder / "generation_config.json",
        {
            "alignment_heads": [[2, 2], [3, 0], [3, 2], [3, 3], [3, 4], [3, 5]],
            "begin_suppress_tokens": [220, 50257], "bos_token_id": 50257,
            "decoder_start_token_id": 50258, "eos_token_id": 50257, "pad_token_id": 50257,
            "forced_decoder_ids": [[1, None], [2, 50359]], "is_multilingual": True,
            "lang_to_id": {f"<|{code}|>": ids[f"<|{code}|>"] for code in LANGUAGES},
            "max_initial_timestamp_index": 50, "max_length": 448,
            "no_timestamps_token_id": ids["<|notimestamps|>"], "prev_sot_token_id": 50361,
            "return_timestamps": False, "suppress_tokens": [1, 2, 7, 50258, 50358, 50359],
            "task_to_id": {"transcribe": 50359, "translate": 50358},
        },
    )  # fmt: skip
