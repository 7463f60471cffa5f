"""A state dict pickled by PyTorch, whole or in parts, to safetensors.

Names, shapes and number formats stay. A tensor that appears under several names is stored once,
under the name that transformers ties the others to.
"""

import json
import pickle
import shutil
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from atoll_inference.convert import BadSource

_INDEX = "pytorch_model.bin.index.json"
_NOT_COPIED = frozenset({".bin", ".pt", ".pth", ".ckpt", ".safetensors"})


def convert(source: Path, target: Path) -> None:
    """Write `source` to `target`, its other files copied.

    Raises:
        BadSource: a part is missing, holds something else than tensors, or wants to run code.
    """
    index = source / _INDEX
    parts = _parts(source, index)
    names: dict[str, str] = {}
    total = 0
    for part in parts:
        state = read_state(part)
        name = part.name.replace("pytorch_model", "model", 1).replace(".bin", ".safetensors")
        save_file(state, target / name, metadata={"format": "pt"})
        names.update(dict.fromkeys(state, name))
        total += sum(tensor.nbytes for tensor in state.values())
    if index.is_file():
        content = {"metadata": {"total_size": total}, "weight_map": dict(sorted(names.items()))}
        (target / "model.safetensors.index.json").write_text(json.dumps(content, indent=2), "utf-8")
    copy_others(source, target)


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of one pickled state dict, each stored once and contiguous.

    Raises:
        BadSource: it holds something else, is damaged, or wants to run code.
    """
    try:
        # Only tensors and plain containers are allowed; mapped, a file of many gigabytes is read
        # as it is written.
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=_is_zip(path))
    except pickle.UnpicklingError as error:
        reason = str(error).splitlines()[0]
        raise BadSource(f"{path} holds more than tensors, or is damaged: {reason}") from error
    except (RuntimeError, ValueError, EOFError, KeyError, AttributeError) as error:
        raise BadSource(f"{path} is damaged: {error}") from error
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not content:
        raise BadSource(f"{path} is no state dict.")
    for name, tensor in content.items():
        if not isinstance(name, str) or not isinstance(tensor, torch.Tensor):
            raise BadSource(f"{path} is no state dict: {name!r} is no tensor.")
    return _unshared(content)


def copy_others(source: Path, target: Path) -> None:
    """Copy every file that is no weights file."""
    for file in sorted(source.iterdir()):
        if file.is_file() and file.suffix not in _NOT_COPIED and file.name != _INDEX:
            shutil.copyfile(file, target / file.name)


def _parts(source: Path, index: Path) -> list[Path]:
    if not index.is_file():
        whole = source / "pytorch_model.bin"
        if not whole.is_file():
            raise BadSource(f"{whole} is missing.")
        return [whole]
    try:
        named = sorted(set(json.loads(index.read_text("utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise BadSource(f"{index} cannot be used: {error!r}.") from error
    for name in named:
        if not isinstance(name, str) or Path(name).name != name:
            raise BadSource(f"{index} names a file outside its folder: {name!r}.")
        if not (source / name).is_file():
            raise BadSource(f"{source / name} is missing.")
    return [source / name for name in named]


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def _unshared(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Every tensor once; views of a part of another tensor become tensors of their own."""
    same: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for name, tensor in state.items():
        where = (tensor.data_ptr(), tensor.dtype, tuple(tensor.shape), tensor.stride())
        # Empty tensors share an address without being the same.
        same[(name,) if not tensor.numel() else where].append(name)
    kept = {min(names, key=_preference): names for names in same.values()}
    storages: dict[int, int] = defaultdict(int)
    for name in kept:
        storages[state[name].untyped_storage().data_ptr()] += 1
    return {
        name: state[name].clone(memory_format=torch.contiguous_format)
        if storages[state[name].untyped_storage().data_ptr()] > 1
        else state[name].contiguous()
        for name in sorted(kept)
    }


def _preference(name: str) -> tuple[int, int, str]:
    """Order of names for one tensor: transformers ties output layers to the input embedding, and
    both ends of a sequence-to-sequence model to `shared`."""
    rank = 0 if "shared" in name else 1 if "emb" in name or ".wte" in name else 2
    return (rank, len(name), name)
