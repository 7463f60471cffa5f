"""Loading transformers checkpoints without guessing: every tensor has to be there and to fit.

transformers fills what a checkpoint lacks with random numbers and goes on. A classifier head made
that way answers like a real one, so here a missing, unknown or mis-shaped tensor is refused by
name before any weight is read.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import SafetensorError, safe_open
from transformers.utils import logging

from atoll_inference.engines.base import LoadFailed

_SHOWN = 5


def tensor_shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes of all tensors in the folder's safetensors files, from their headers.

    Raises:
        LoadFailed: there is none, or one is damaged or listed in the index and absent.
    """
    files = sorted(folder.glob("*.safetensors"))
    index = folder / "model.safetensors.index.json"
    try:
        if index.is_file():
            named = set(json.loads(index.read_text("utf-8"))["weight_map"].values())
            for name in sorted(named - {file.name for file in files}):
                raise LoadFailed(f"{folder / name} is missing. Fetch the checkpoint again.")
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise LoadFailed(f"{index} cannot be used: {error}. Fetch the checkpoint again.") from error
    if not files:
        raise LoadFailed(
            f"{folder} has no safetensors file. Pickled weights are not served; "
            "`atoll-inference models convert` turns them into safetensors."
        )
    shapes: dict[str, tuple[int, ...]] = {}
    for file in files:
        try:
            with safe_open(file, framework="pt") as tensors:
                for name in tensors.keys():  # noqa: SIM118 - the object is no mapping
                    shapes[name] = tuple(tensors.get_slice(name).get_shape())
        except (SafetensorError, OSError) as error:
            raise LoadFailed(
                f"{file} is damaged ({error}). Delete it and fetch the checkpoint again."
            ) from error
    return shapes


def read_config(folder: Path) -> Any:
    """The transformers configuration in the folder's config.json.

    Raises:
        LoadFailed: there is none, or transformers has no model of its type.
    """
    try:
        return transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise LoadFailed(f"{folder / 'config.json'} cannot be used: {error}") from error


def stored_parameters(folder: Path) -> int:
    """Count of the numbers in the folder's safetensors files.

    Raises:
        LoadFailed: as of `tensor_shapes`.
    """
    return sum(math.prod(shape) for shape in tensor_shapes(folder).values())


def check_state(
    folder: Path,
    found: Mapping[str, tuple[int, ...]],
    expected: Mapping[str, torch.Tensor],
    *,
    ties: Mapping[str, str] | None = None,
    ignored: tuple[str, ...] = (),
) -> None:
    """Compare the tensors of a checkpoint with those of the model it is for.

    Args:
        ties: tensors that may be absent because they are another one, by name.
        ignored: beginnings of names that the checkpoint may have in excess.

    Raises:
        LoadFailed: naming the tensors that are missing, unknown or of the wrong shape.
    """
    tied = ties or {}
    missing = [n for n in expected if n not in found and not (n in tied and tied[n] in found)]
    unknown = [
        n
        for n in found
        if n not in expected and n not in tied and not n.startswith(ignored or ("\0",))
    ]
    wrong = [
        f"{n} (is {list(found[n])}, must be {list(tensor.shape)})"
        for n, tensor in expected.items()
        if n in found and tuple(tensor.shape) != found[n]
    ]
    problems = [
        f"{what}: {', '.join(sorted(names)[:_SHOWN])}"
        + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
        for what, names in (("missing", missing), ("unknown", unknown), ("wrong shape", wrong))
        if names
    ]
    if problems:
        raise LoadFailed(
            f"The weights in {folder} do not fit the model that config.json describes. "
            f"{'; '.join(problems)}. Fetch the checkpoint again."
        )


def load_pretrained(
    model_class: Any,
    folder: Path,
    dtype: torch.dtype,
    *,
    ignored: tuple[str, ...] = (),
    **options: Any,
) -> Any:
    """The transformers model of a folder, in evaluation mode, on the CPU, with every tensor read.

    Args:
        model_class: such as `BartForConditionalGeneration`.
        ignored: beginnings of tensor names that the checkpoint may have in excess.
        options: for the model's own constructor.

    Raises:
        LoadFailed: as of `tensor_shapes` and `check_state`, or when transformers reports a tensor
            that it did not find or could not use.
    """
    found = tensor_shapes(folder)
    # What transformers has to say about the tensors is said below, as an error.
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        model, report = model_class.from_pretrained(
            folder,
            dtype=dtype,
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
            **options,
        )
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError) as error:
        raise LoadFailed(f"{folder} cannot be loaded: {error}") from error
    problems = []
    for what in ("missing_keys", "mismatched_keys", "unexpected_keys"):
        names = sorted(str(n[0] if isinstance(n, tuple) else n) for n in report.get(what) or ())
        if what == "unexpected_keys":
            names = [n for n in names if not n.startswith(ignored or ("\0",))]
        if names:
            label = what.removesuffix("_keys")
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            problems.append(f"{label}: {', '.join(names[:_SHOWN])}{more}")
    if problems:
        raise LoadFailed(
            f"The weights in {folder} do not fit the model that config.json describes. "
            f"{'; '.join(problems)} (the files hold {len(found)} tensors). Fetch the checkpoint "
            "again."
        )
    return model.eval()
