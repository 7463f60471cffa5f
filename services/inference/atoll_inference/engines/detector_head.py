"""The head of a deepfake detector: whether a checkpoint has one, and which output is fake."""

import json
from pathlib import Path

from atoll_inference.catalog.labels import real_and_fake
from atoll_inference.engines.base import LoadFailed
from atoll_inference.engines.weights import tensor_shapes


def read_head(
    folder: Path, *, families: tuple[str, ...], head: str, remedy: str
) -> tuple[str, int]:
    """The class of the model, and which of its outputs is fake.

    Args:
        families: the models that the engine knows, such as `WavLM`.
        head: what follows the family in the name of the class.
        remedy: what an operator can do about a refusal; ends the message.

    Raises:
        LoadFailed: there is no head, or it is for something else.
    """
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text("utf-8"))
        architecture = str((config.get("architectures") or ["none"])[0])
        named = config.get("id2label") or {}
        labels = [str(named[key]) for key in sorted(named, key=int)]
    except (OSError, ValueError, AttributeError, TypeError, LookupError) as error:
        raise LoadFailed(
            f"{path} cannot be used: {error!r}. Fetch the checkpoint again."
        ) from error
    if not architecture.endswith(head):
        raise LoadFailed(
            f"{folder} has no head that could judge anything ({architecture}). {remedy}"
        )
    if architecture.removesuffix(head) not in families:
        known = ", ".join(f"{family}{head}" for family in families)
        raise LoadFailed(f"{folder} is a {architecture}; the engine knows {known}. {remedy}")
    if not any(name.startswith("classifier.") for name in tensor_shapes(folder)):
        raise LoadFailed(f"{folder} has a head in its config and none in its weights. {remedy}")
    places = real_and_fake(labels)
    if places is None:
        shown = f"the labels {', '.join(labels[:4])}" if labels else "no names for its labels"
        raise LoadFailed(f"{folder} has {shown}, and cannot tell real from fake. {remedy}")
    return architecture, places[1]
