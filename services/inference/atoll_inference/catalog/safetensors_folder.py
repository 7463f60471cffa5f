"""Folders of safetensors files with a config.json: transformers layout, and SepFormer."""

from pathlib import Path
from typing import Any

from atoll_inference.catalog.checkpoint import Checkpoint
from atoll_inference.catalog.families import TEXT_SLOTS, architecture_of, labels_of, slot_of_config
from atoll_inference.catalog.folder import Folder, Problem
from atoll_inference.catalog.headers import Headers
from atoll_inference.catalog.labels import real_and_fake
from atoll_inference.catalog.safetensors_file import SafetensorsHeader, dtype_of

DEEPFAKE_SLOTS = frozenset({"audio_deepfake", "face_deepfake"})

_INDEX = "model.safetensors.index.json"
_TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "spiece.model", "tokenizer.model")
_TOKENIZERS_MORE = ("sentencepiece.bpe.model", "source.spm", "tiktoken.model")


def inspect(folder: Folder, headers: Headers[SafetensorsHeader]) -> Checkpoint:
    """What the folder holds; the checkpoint's `problem` says what its slot misses in it.

    Raises:
        Problem: a file is damaged or missing.
    """
    config = folder.json("config.json")
    slot = _slot_of(folder, config)
    files = folder.ending(".safetensors")
    _check_parts(folder, files)
    found = [headers.read(file) for file in files]
    return Checkpoint(
        id=folder.id,
        slot=slot,
        path=folder.path,
        format="safetensors",
        architecture=architecture_of(config),
        dtype=dtype_of(found),
        parameters=sum(count for header in found for _, count in header.weights),
        labels=labels_of(config),
        dimensions=_dimensions(folder, config),
        max_length=_max_length(folder, config) if slot in TEXT_SLOTS else None,
        sample_rate=_sample_rate(folder, config),
        problem=_problem(folder, slot, config),
    )


def guess_slot(folder: Folder) -> str:
    """The slot of a folder that may be broken: by its place, else by what can be read of it."""
    try:
        return _slot_of(folder, folder.json_or_empty("config.json"))
    except Problem:
        return folder.slot or "unknown"


def _slot_of(folder: Folder, config: dict[str, Any]) -> str:
    modules = folder.json_list("modules.json")
    return folder.slot or slot_of_config(config, is_sentence_encoder=bool(modules))


def _problem(folder: Folder, slot: str, config: dict[str, Any]) -> str | None:
    architecture = architecture_of(config)
    if slot == "unknown":
        return (
            f"{folder.path / 'config.json'} names no architecture that is known here "
            f"({architecture}). If it fits a slot all the same, put the folder under that slot."
        )
    if slot in DEEPFAKE_SLOTS:
        return _deepfake_problem(folder, slot, config)
    by_content = slot_of_config(config)
    if slot == "reranker" and by_content != "reranker":
        return (
            f"{folder.path} is no reranker ({architecture}): one has a sequence classification "
            "head with a single output."
        )
    if slot == "emotion_detection" and not _is_text_classifier(config):
        return (
            f"{folder.path} is no text classifier ({architecture}): one has a sequence "
            "classification head with an output for each label."
        )
    if slot in TEXT_SLOTS and not _has_tokenizer(folder):
        return f"{folder.path} has no tokenizer (tokenizer.json). Fetch the checkpoint again."
    return None


def _deepfake_problem(folder: Folder, slot: str, config: dict[str, Any]) -> str | None:
    labels = labels_of(config)
    train = (
        f"train one with `atoll-inference finetune {slot} --data DIR`, or use a checkpoint whose "
        "labels are real and fake"
    )
    if not labels:
        return f"{folder.path} has no classification head ({architecture_of(config)}): {train}."
    if real_and_fake(labels) is None:
        shown = ", ".join(labels[:4]) + (f" and {len(labels) - 4} more" if len(labels) > 4 else "")
        return (
            f"{folder.path} was trained for other labels ({shown}) and cannot tell real from "
            f"fake: {train}."
        )
    return None


def _is_text_classifier(config: dict[str, Any]) -> bool:
    name = architecture_of(config) or ""
    audio = slot_of_config(config) == "audio_deepfake"
    return name.endswith("ForSequenceClassification") and not audio and len(labels_of(config)) > 1


def _has_tokenizer(folder: Folder) -> bool:
    names = {file.name for file in folder.files}
    return bool(names.intersection(_TOKENIZERS + _TOKENIZERS_MORE))


def _check_parts(folder: Folder, files: list[Path]) -> None:
    index = folder.json_or_empty(_INDEX).get("weight_map", {})
    if not isinstance(index, dict):
        raise Problem(f"{folder.path / _INDEX} cannot be used: it has no weight_map.")
    for name in sorted({str(name) for name in index.values()} - {file.name for file in files}):
        raise Problem(f"{folder.path / name} is missing. Fetch the checkpoint again.")


def _dimensions(folder: Folder, config: dict[str, Any]) -> int | None:
    for module in reversed(folder.json_list("modules.json")):
        path = module.get("path") if isinstance(module, dict) else None
        if not isinstance(path, str) or not path or ".." in path:
            continue
        inner = folder.json_or_empty(f"{path}/config.json")
        for name in ("out_features", "word_embedding_dimension", "embedding_dimension"):
            if isinstance(value := inner.get(name), int):
                return value
    return _number(config, "hidden_size", "d_model", "embed_dim")


def _max_length(folder: Folder, config: dict[str, Any]) -> int | None:
    positions = _number(config, "max_position_embeddings", "max_source_positions", "n_positions")
    if positions and "roberta" in str(config.get("model_type", "")):
        # These count positions from one past the padding token's number.
        positions -= (_number(config, "pad_token_id") or 1) + 1
    own = _number(folder.json_or_empty("sentence_bert_config.json"), "max_seq_length")
    known = [value for value in (positions, own) if value]
    return min(known) if known else None


def _sample_rate(folder: Folder, config: dict[str, Any]) -> int | None:
    own = _number(config, "sample_rate")
    return own or _number(folder.json_or_empty("preprocessor_config.json"), "sampling_rate")


def _number(content: dict[str, Any], *names: str) -> int | None:
    for name in names:
        if isinstance(value := content.get(name), int) and not isinstance(value, bool):
            return value
    return None
