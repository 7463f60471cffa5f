"""Folders of GGUF files: chat models that llama.cpp runs."""

import re
from pathlib import Path

from atoll_inference.catalog import gguf
from atoll_inference.catalog.checkpoint import Checkpoint
from atoll_inference.catalog.families import SLOTS, slot_of_gguf
from atoll_inference.catalog.folder import Folder, Problem
from atoll_inference.catalog.headers import Headers

# Numbers of `general.file_type` (llama.h) that are common.
_TYPES = {
    0: "fp32", 1: "fp16", 2: "q4_0", 3: "q4_1", 7: "q8_0", 8: "q5_0", 9: "q5_1", 10: "q2_k",
    11: "q3_k_s", 12: "q3_k_m", 13: "q3_k_l", 14: "q4_k_s", 15: "q4_k_m", 16: "q5_k_s",
    17: "q5_k_m", 18: "q6_k", 32: "bf16",
}  # fmt: skip

_SPLIT = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")


def inspect(folder: Folder, headers: Headers[gguf.Gguf]) -> Checkpoint:
    """What the folder holds.

    Raises:
        Problem: a file is damaged or a part is missing.
    """
    files = folder.ending(".gguf")
    defaults = folder.defaults()
    weights = _first_part(files)
    parts = [headers.read(file) for file in files]
    header = parts[files.index(weights)]
    by_content = slot_of_gguf(header.metadata)
    slot = folder.slot or by_content
    problem = None
    if slot == "chat" and by_content != "chat":
        problem = (
            f"{weights} is no chat model: it has no chat template. Use an instruction-tuned "
            "GGUF file."
        )
    elif slot == "unknown":
        problem = f"{weights} does not say what it is for. Put its folder under {SLOTS[0]}/."
    return Checkpoint(
        id=folder.id,
        slot=slot,
        path=folder.path,
        weights=weights,
        format="gguf",
        architecture=header.architecture,
        dtype=_TYPES.get(header.metadata.get("general.file_type", -1)),
        parameters=sum(part.parameters for part in parts),
        context_length=header.number("context_length"),
        cache_bytes_per_token=header.cache_bytes_per_token,
        defaults=defaults,
        problem=problem,
    )


def _first_part(files: list[Path]) -> Path:
    """The file to open: the only one, or the first of a complete set of parts."""
    models = [f for f in files if not f.name.lower().startswith("mmproj")]
    parts = [f for f in models if _SPLIT.search(f.name)]
    if not models:
        raise Problem(f"{files[0].parent} has a projector and no language model.")
    if len(models) == 1 and not parts:
        return models[0]
    if len(parts) != len(models):
        names = ", ".join(f.name for f in models)
        raise Problem(f"{files[0].parent} has several GGUF files ({names}). Keep one a folder.")
    match = _SPLIT.search(parts[0].name)
    assert match is not None
    if match[1] != "00001" or len(parts) != int(match[2]):
        raise Problem(
            f"{files[0].parent} has {len(parts)} of the {int(match[2])} parts of {parts[0].name}. "
            "Fetch the missing ones."
        )
    return parts[0]
