"""What a safetensors file says about itself, and whether all of it is there."""

from collections import Counter
from dataclasses import dataclass
from math import prod
from pathlib import Path

from safetensors import SafetensorError, safe_open

from atoll_inference.catalog.headers import BadHeader

_NAMES = {"F32": "fp32", "F16": "fp16", "BF16": "bf16", "I8": "int8"}


@dataclass(frozen=True, slots=True)
class SafetensorsHeader:
    """Numbers of weights by their format as the file names it, such as `F32`."""

    weights: tuple[tuple[str, int], ...]


def read(path: Path) -> SafetensorsHeader:
    """Read and check the header.

    Raises:
        BadHeader: the file is no safetensors file, or is shorter than its header says.
        OSError: it cannot be opened.
    """
    counts: Counter[str] = Counter()
    try:
        # The framework decides what tensors would be returned as; none is read here.
        with safe_open(path, framework="numpy") as file:
            for name in file.keys():  # noqa: SIM118 - the object is no mapping
                tensor = file.get_slice(name)
                counts[str(tensor.get_dtype())] += prod(tensor.get_shape())
    except SafetensorError as error:
        raise BadHeader(str(error)) from error
    return SafetensorsHeader(tuple(sorted(counts.items())))


def dtype_of(headers: list[SafetensorsHeader]) -> str | None:
    """The format of most weights of several files; None when there are none."""
    counts: Counter[str] = Counter()
    for header in headers:
        counts.update(dict(header.weights))
    if not counts:
        return None
    name = counts.most_common(1)[0][0]
    return _NAMES.get(name, name.lower())
