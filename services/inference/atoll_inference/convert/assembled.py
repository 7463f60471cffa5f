"""What a training changed in a base checkpoint, and that base, to one whole checkpoint.

`delta.safetensors` holds the changed tensors and, under `from_base` in its header, a JSON object:
the name of every other tensor of the result, and its name in the base. Of a matrix W (out, in)
taken from there, the file may hold a change of low rank: `<name>.up` (out, rank) and `<name>.down`
(rank, in) make it W + up @ down. Everything is written in half precision; files of the base that
the change does not bring itself, such as the tokenizer, are copied.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from atoll_inference.catalog.plan import BASE_PREFIX
from atoll_inference.convert import BadSource

DELTA_NAME = "delta.safetensors"
FROM_BASE = "from_base"
"""The entry of the header that maps names in the result to names in the base."""

_WEIGHTS_NAME = "model.safetensors"


def convert(source: Path, target: Path) -> None:
    """Write the whole checkpoint.

    Raises:
        BadSource: a file is damaged, or the base lacks a tensor.
    """
    delta, header = _read(source / DELTA_NAME)
    base, _ = _read(source / f"{BASE_PREFIX}{_WEIGHTS_NAME}")
    try:
        names: dict[str, str] = json.loads(header[FROM_BASE])
        whole = {name: _changed(base[origin], name, delta) for name, origin in names.items()}
    except (KeyError, ValueError, AttributeError) as error:
        raise BadSource(
            f"{source / DELTA_NAME} is no change of this base ({type(error).__name__}: {error})."
        ) from error
    whole.update(delta)
    save_file(
        {name: tensor.astype(np.float16) for name, tensor in whole.items()},
        target / _WEIGHTS_NAME,
        metadata={"format": "pt"},
    )
    # The library leaves weights readable by their owner alone.
    (target / _WEIGHTS_NAME).chmod(0o644)
    # What the change brings replaces what the base has.
    for file in sorted(source.iterdir(), key=lambda f: not f.name.startswith(BASE_PREFIX)):
        if file.suffix != ".safetensors":
            shutil.copyfile(file, target / file.name.removeprefix(BASE_PREFIX))


def _changed(
    tensor: NDArray[Any], name: str, delta: dict[str, NDArray[Any]]
) -> NDArray[np.float32]:
    """A tensor of the base with its change, which is taken out of `delta`."""
    full = tensor.astype(np.float32)
    if f"{name}.up" not in delta:
        return full
    up, down = delta.pop(f"{name}.up"), delta.pop(f"{name}.down")
    return full + up.astype(np.float32) @ down.astype(np.float32)


def _read(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    try:
        with safe_open(path, framework="numpy") as file:
            names = list(file.keys())
            return {name: file.get_tensor(name) for name in names}, file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise BadSource(f"{path} is damaged or missing: {error}") from error
