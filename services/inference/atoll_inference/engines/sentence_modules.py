"""Reads what a sentence-transformers checkpoint does after its transformer: modules.json.

The modules themselves are the library's. Only those are taken that work on the vectors of a
transformer; a module of another kind is refused, and so are pickled weights.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from atoll_inference.engines.base import LoadFailed
from atoll_inference.engines.weights import check_state, tensor_shapes

_CONFIGS = ("bert", "roberta", "distilbert", "camembert", "xlm-roberta")


@dataclass(frozen=True, slots=True)
class SentenceModules:
    """Where the parts of a checkpoint are.

    Attributes:
        transformer: the folder of the transformers model.
        tail: kind and folder of each module after it, in order.
        max_length: most tokens of a text as the checkpoint says; None leaves it to the model.
        lower_case: whether texts are lower-cased before they are tokenised.
    """

    transformer: Path
    tail: tuple[tuple[str, Path], ...]
    max_length: int | None = None
    lower_case: bool = False


def read_modules(folder: Path) -> SentenceModules | None:
    """What modules.json says; None when there is none and the folder is a bare transformer.

    Raises:
        LoadFailed: it is damaged, or does not begin with a transformer.
    """
    path = folder / "modules.json"
    if not path.is_file():
        return None
    try:
        listed = [
            (str(m["type"]).rsplit(".", 1)[-1], folder / str(m["path"]))
            for m in sorted(json.loads(path.read_text("utf-8")), key=lambda m: int(m["idx"]))
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LoadFailed(f"{path} cannot be read: {error}. Fetch the checkpoint again.") from error
    if not listed or listed[0][0] != "Transformer":
        kind = listed[0][0] if listed else "nothing"
        raise LoadFailed(f"{path} begins with {kind}, and must begin with a Transformer.")
    transformer = listed[0][1]
    config = _transformer_config(transformer)
    length = config.get("max_seq_length")
    return SentenceModules(
        transformer=transformer,
        tail=tuple(listed[1:]),
        max_length=length if isinstance(length, int) else None,
        lower_case=bool(config.get("do_lower_case", False)),
    )


def load_tail(modules: SentenceModules | None, width: int) -> torch.nn.Sequential:
    """The modules that turn hidden states of `width` into one vector for each text.

    Without modules.json these are the mean over the text's tokens, and length 1.

    Raises:
        LoadFailed: a module of a kind that is not served, or whose weights do not fit.
    """
    # Importing the library imports all of its training code too, so it waits until here.
    from sentence_transformers.base.modules import Dense, Normalize
    from sentence_transformers.sentence_transformer.modules import LayerNorm, Pooling

    if modules is None:
        return torch.nn.Sequential(Pooling(width), Normalize()).eval()
    kinds: dict[str, Any] = {
        "Pooling": Pooling,
        "Dense": Dense,
        "LayerNorm": LayerNorm,
        "Normalize": Normalize,
    }
    loaded = []
    for kind, folder in modules.tail:
        if kind not in kinds:
            raise LoadFailed(
                f"{folder} is a module of the kind {kind}; served are {', '.join(sorted(kinds))}."
            )
        loaded.append(_load_module(kinds[kind], kind, folder))
    return torch.nn.Sequential(*loaded).eval()


def _load_module(module_class: Any, kind: str, folder: Path) -> torch.nn.Module:
    try:
        has_weights = kind in {"Dense", "LayerNorm"}
        found = tensor_shapes(folder) if has_weights else {}
        if kind == "Dense":
            _check_activation(folder)
        module = module_class.load(str(folder), local_files_only=True)
    except (OSError, ValueError, RuntimeError, TypeError, KeyError, AttributeError) as error:
        raise LoadFailed(
            f"{folder} cannot be loaded: {error}. Fetch the checkpoint again."
        ) from error
    if has_weights:
        check_state(folder, found, module.state_dict())
    return module.float()


def _check_activation(folder: Path) -> None:
    # For a function that it does not trust the library takes another one, and says so in its log.
    path = folder / "config.json"
    name = json.loads(path.read_text("utf-8")).get("activation_function")
    if name is not None and not str(name).startswith("torch.nn."):
        raise LoadFailed(f"{path}: the activation function {name} is not part of PyTorch.")


def _transformer_config(folder: Path) -> dict[str, Any]:
    for family in _CONFIGS:
        path = folder / f"sentence_{family}_config.json"
        if path.is_file():
            try:
                config = json.loads(path.read_text("utf-8"))
            except (OSError, ValueError) as error:
                raise LoadFailed(f"{path} cannot be read: {error}.") from error
            return config if isinstance(config, dict) else {}
    return {}
