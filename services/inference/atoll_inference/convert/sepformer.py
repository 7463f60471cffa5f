"""A SepFormer as speechbrain publishes it into config.json and model.safetensors.

The original describes its network in `hyperparams.yaml`, whose tags name Python objects to be
made. Here it is read as data: tags only tell which settings belong to which part.
"""

import json
import re
from pathlib import Path
from typing import Any

import torch
import yaml
from pydantic import ValidationError
from safetensors.torch import save_file

from atoll_inference.convert import BadSource
from atoll_inference.convert.pickled import copy_others, read_state
from atoll_inference.engines.base import LoadFailed
from atoll_inference.engines.sepformer_model import SepformerConfig, empty_model
from atoll_inference.engines.weights import check_state

_PARTS = ("encoder", "masknet", "decoder")
_REFERENCE = re.compile(r"<([^<>]+)>")
_MOST_BYTES = 2**20
_DEFAULTS: dict[str, dict[str, Any]] = {
    "Encoder": {"kernel_size": 2, "out_channels": 64, "in_channels": 1},
    "Decoder": {"bias": True, "out_channels": 1, "stride": 1},
    "Dual_Path_Model": {
        "num_layers": 1,
        "norm": "ln",
        "K": 200,
        "num_spks": 2,
        "skip_around_intra": True,
        "linear_layer_after_inter_intra": True,
        "use_global_pos_enc": False,
    },
    "SBTransformerBlock": {
        "d_ffn": 2048,
        "activation": "relu",
        "use_positional_encoding": False,
        "norm_before": False,
        "attention_type": "regularMHA",
    },
}
"""What speechbrain takes for a setting that the file does not name."""


def convert(source: Path, target: Path) -> None:
    """Write the checkpoint in `source` to the empty folder `target`.

    Args:
        source: folder with `hyperparams.yaml`, `encoder.ckpt`, `masknet.ckpt` and `decoder.ckpt`.

    Raises:
        BadSource: a file is missing or damaged, a pickle wants to run code, the network is of a
            kind that the engine does not build, or the tensors are not those of the network.
    """
    config = _config(source / "hyperparams.yaml")
    state: dict[str, torch.Tensor] = {}
    for part in _PARTS:
        path = source / f"{part}.ckpt"
        if not path.is_file():
            raise BadSource(f"{path} is missing.")
        state |= {f"{part}.{name}": tensor.float() for name, tensor in read_state(path).items()}
    try:
        found = {name: tuple(tensor.shape) for name, tensor in state.items()}
        check_state(source, found, empty_model(config).state_dict())
    except LoadFailed as error:
        raise BadSource(str(error).replace("config.json", "hyperparams.yaml")) from error
    copy_others(source, target)
    content = json.dumps(config.model_dump(mode="json"), indent=2)
    (target / "config.json").write_text(content + "\n", "utf-8")
    save_file(state, target / "model.safetensors", metadata={"format": "pt"})


def _tagged(loader: Any, suffix: str, node: Any) -> Any:
    """`!new:a.b.C {...}` becomes {"!": "new:a.b.C", ...}, and `!ref <x>` the text `<x>`."""
    if isinstance(node, yaml.MappingNode):
        return {"!": suffix, **loader.construct_mapping(node, deep=True)}
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return node.value


_Loader: Any = type("_Loader", (yaml.SafeLoader,), {})
_Loader.add_multi_constructor("!", _tagged)


class _Settings:
    """The content of a hyperparams.yaml."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            if path.stat().st_size > _MOST_BYTES:
                raise ValueError("it is too large")
            # The loader only makes plain containers, whatever the tags say.
            content = yaml.load(path.read_text("utf-8"), _Loader)  # noqa: S506
            if not isinstance(content, dict):
                raise ValueError("it has no settings")
        except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
            reason = " ".join(str(error).split())
            raise BadSource(f"{path} cannot be read: {reason}") from error
        self._content = content

    def value(self, value: Any) -> Any:
        """What a reference such as `<name>` stands for; other values as they are."""
        for _ in range(16):
            match = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
            if match is None:
                return value
            if match[1] not in self._content:
                raise BadSource(f"{self._path} has no {match[1]}, which it refers to.")
            value = self._content[match[1]]
        raise BadSource(f"{self._path} refers in a circle.")

    def part(self, name: str) -> dict[str, Any]:
        """Settings of the only object of speechbrain's class `name`."""
        found = [v for v in self._content.values() if self._is(v, name)]
        if len(found) != 1:
            raise BadSource(
                f"{self._path} describes {len(found)} objects of {name}; a SepFormer has one."
            )
        return self.resolved(found[0], name)

    def resolved(self, content: Any, name: str) -> dict[str, Any]:
        """The same with defaults put in and references replaced.

        Raises:
            BadSource: it is not of the class `name`.
        """
        content = self.value(content)
        if not self._is(content, name):
            raise BadSource(f"{self._path} has another object where a SepFormer has {name}.")
        merged = {**_DEFAULTS[name], **content}
        return {key: self.value(value) for key, value in merged.items() if key != "!"}

    def top(self, name: str) -> Any:
        """A setting of the file itself."""
        return self.value(f"<{name}>")

    @staticmethod
    def _is(value: Any, name: str) -> bool:
        tag = value.get("!") if isinstance(value, dict) else None
        return tag == f"new:speechbrain.lobes.models.dual_path.{name}"


def _config(path: Path) -> SepformerConfig:
    settings = _Settings(path)
    encoder, decoder = settings.part("Encoder"), settings.part("Decoder")
    masknet = settings.part("Dual_Path_Model")
    inner = settings.resolved(masknet.get("intra_model"), "SBTransformerBlock")
    outer = settings.resolved(masknet.get("inter_model"), "SBTransformerBlock")
    channels = encoder["out_channels"]
    expected = [
        ("Dual_Path_Model", masknet, "in_channels", channels),
        ("Dual_Path_Model", masknet, "out_channels", channels),
        ("Dual_Path_Model", masknet, "norm", "ln"),
        ("Dual_Path_Model", masknet, "skip_around_intra", True),
        ("Dual_Path_Model", masknet, "linear_layer_after_inter_intra", False),
        ("Dual_Path_Model", masknet, "use_global_pos_enc", False),
        ("Encoder", encoder, "in_channels", 1),
        ("Decoder", decoder, "in_channels", channels),
        ("Decoder", decoder, "out_channels", 1),
        ("Decoder", decoder, "kernel_size", encoder["kernel_size"]),
        ("Decoder", decoder, "bias", False),
    ]
    for name, block in (("intra_model", inner), ("inter_model", outer)):
        expected += [
            (name, block, "d_model", channels),
            (name, block, "activation", "relu"),
            (name, block, "use_positional_encoding", True),
            (name, block, "norm_before", True),
            (name, block, "attention_type", "regularMHA"),
            *((name, block, key, inner.get(key)) for key in ("num_layers", "nhead", "d_ffn")),
        ]
    for name, part, key, wanted in expected:
        if part.get(key) != wanted:
            raise BadSource(
                f"{path}: {key} of {name} is {part.get(key)}; the engine builds SepFormers where "
                f"it is {wanted}."
            )
    try:
        config = SepformerConfig(
            sample_rate=settings.top("sample_rate"),
            sources=masknet["num_spks"],
            channels=channels,
            kernel_size=encoder["kernel_size"],
            chunk=masknet["K"],
            blocks=masknet["num_layers"],
            layers=inner["num_layers"],
            heads=inner["nhead"],
            feed_forward=inner["d_ffn"],
        )
    except (KeyError, ValidationError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else f"no {error}"
        raise BadSource(f"{path} has sizes that no SepFormer can have: {reason}") from error
    if decoder["stride"] != config.stride:
        raise BadSource(
            f"{path}: stride of Decoder is {decoder['stride']}; it must be half the kernel size, "
            f"{config.stride}."
        )
    return config
