"""SepFormer (Subakan et al. 2021, "Attention is all you need in speech separation"), put together
from speechbrain's own modules.

speechbrain builds its models from YAML files that can name any Python object. Here the sizes come
from a plain config.json and the modules are named in this file.
"""

import importlib
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor, nn

from atoll_inference.engines.base import LoadFailed
from atoll_inference.engines.torchaudio_stub import let_torchaudio_import


class SepformerConfig(BaseModel):
    """Sizes, as in the checkpoint's config.json. The defaults are those of sepformer-wham.

    Attributes:
        sources: voices that the model gives; 1 for one made for enhancement.
        channels: filters of the encoder, and width of the transformers.
        kernel_size: samples of a filter; they are half a filter apart.
        chunk: frames that the inner transformer sees at once.
        blocks: pairs of inner and outer transformers.
        layers, heads, feed_forward: of each transformer.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    architectures: tuple[str, ...] = ("SepFormer",)
    model_type: str = "sepformer"
    sample_rate: int = Field(default=8000, ge=1000, le=192_000)
    sources: int = Field(default=2, ge=1, le=8)
    channels: int = Field(default=256, ge=2, le=8192)
    kernel_size: int = Field(default=16, ge=2, le=4096, multiple_of=2)
    chunk: int = Field(default=250, ge=2, le=10_000, multiple_of=2)
    blocks: int = Field(default=2, ge=1, le=64)
    layers: int = Field(default=8, ge=1, le=64)
    heads: int = Field(default=8, ge=1, le=128)
    feed_forward: int = Field(default=1024, ge=1, le=65_536)

    @property
    def stride(self) -> int:
        """Samples from one frame to the next."""
        return self.kernel_size // 2


def read_config(folder: Path) -> SepformerConfig:
    """The config.json of a checkpoint.

    Raises:
        LoadFailed: it is absent, damaged, of another architecture, or has impossible sizes.
    """
    path = folder / "config.json"
    try:
        content = json.loads(path.read_text("utf-8"))
        config = SepformerConfig.model_validate(content)
        if config.architectures != ("SepFormer",):
            raise ValueError(f"the architecture is {', '.join(config.architectures) or 'absent'}")
        if config.channels % config.heads:
            raise ValueError("channels is no multiple of heads")
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise LoadFailed(f"{path} is no SepFormer: {where}: {first['msg']}.") from error
    except (OSError, ValueError) as error:
        raise LoadFailed(f"{path} is no SepFormer that can be used: {error}.") from error
    return config


class SepformerModel(nn.Module):
    """The network; names of its tensors begin with `encoder.`, `masknet.` and `decoder.`.

    Attributes:
        inner_dtype: what the masking network computes in, where that is safe; None is float32.
            Encoder and decoder, which make the waveform, always use float32.
    """

    inner_dtype: torch.dtype | None = None

    def __init__(self, config: SepformerConfig) -> None:
        super().__init__()
        modules = _dual_path()

        def transformer() -> Any:
            return modules.SBTransformerBlock(
                num_layers=config.layers,
                d_model=config.channels,
                nhead=config.heads,
                d_ffn=config.feed_forward,
                dropout=0.0,
                use_positional_encoding=True,
                norm_before=True,
            )

        self.encoder = modules.Encoder(kernel_size=config.kernel_size, out_channels=config.channels)
        self.masknet = modules.Dual_Path_Model(
            num_spks=config.sources,
            in_channels=config.channels,
            out_channels=config.channels,
            num_layers=config.blocks,
            K=config.chunk,
            intra_model=transformer(),
            inter_model=transformer(),
            norm="ln",
            linear_layer_after_inter_intra=False,
            skip_around_intra=True,
        )
        self.decoder = modules.Decoder(
            in_channels=config.channels,
            out_channels=1,
            kernel_size=config.kernel_size,
            stride=config.stride,
            bias=False,
        )

    def forward(self, mixture: Tensor) -> Tensor:
        """Estimates of shape (sources, batch, frames) from a mixture of shape (batch, frames).

        `frames` must be the kernel size and a whole number of strides, as frames beyond them
        would not be heard.
        """
        heard = self.encoder(mixture)
        reduced = self.inner_dtype
        with torch.autocast(mixture.device.type, reduced, enabled=reduced is not None):
            masks = self.masknet(heard).float()
        batch, frames = mixture.shape
        # The decoder drops axes of size 1, so it is given sources and batch as one axis.
        parts = (masks * heard).flatten(0, 1)
        estimates: Tensor = self.decoder(parts)
        return estimates.reshape(len(masks), batch, frames)


class _Attention(nn.Module):
    """Self-attention with the weights of speechbrain's, by PyTorch's fused kernel.

    speechbrain's also makes the attention weights themselves, which nobody reads: a third of the
    time and most of the memory of a forward pass.
    """

    def __init__(self, original: nn.MultiheadAttention) -> None:
        super().__init__()
        width = original.embed_dim
        self.heads = original.num_heads
        with torch.device("meta"):
            self.inward = nn.Linear(width, 3 * width)
            self.outward = nn.Linear(width, width)
        assert original.in_proj_weight is not None
        self.inward.weight = original.in_proj_weight
        self.inward.bias = original.in_proj_bias
        self.outward.weight = original.out_proj.weight
        self.outward.bias = original.out_proj.bias

    def forward(self, query: Tensor, *_: Any, **__: Any) -> tuple[Tensor, None]:
        """Takes and gives (batch, frames, width), beside the weights that it does not make."""
        batch, frames, width = query.shape
        parts = self.inward(query).view(batch, frames, 3, self.heads, width // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        mixed = nn.functional.scaled_dot_product_attention(q, k, v)
        return self.outward(mixed.transpose(1, 2).reshape(batch, frames, width)), None


def quicken(model: SepformerModel) -> None:
    """Change how a loaded model computes, not what; its tensors get other names."""
    for module in model.modules():
        attention = getattr(module, "self_att", None)
        if attention is not None:
            module.self_att = _Attention(attention.att)


def _dual_path() -> Any:
    """The module of speechbrain that has SepFormer's parts.

    Importing the package itself brings its training framework in: 2 s and 70 MB, a switch that
    lowers the precision of matrix products on GPUs for the whole process, and stand-ins for old
    module names that fail when anything looks at them. So its folder is made known as a package
    without running its `__init__`, and only what the module needs is imported.

    Raises:
        LoadFailed: speechbrain or torchaudio is not installed.
    """
    name = "speechbrain"
    try:
        let_torchaudio_import()
        if name not in sys.modules:
            spec = importlib.util.find_spec(name)
            if spec is None or spec.submodule_search_locations is None:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            package = ModuleType(name)
            package.__path__ = list(spec.submodule_search_locations)
            package.__spec__ = spec
            sys.modules.setdefault(name, package)
        return importlib.import_module(f"{name}.lobes.models.dual_path")
    except ModuleNotFoundError as error:
        raise LoadFailed(
            f"SepFormer needs the Python package {error.name}. Install the inference service with "
            "its dependencies."
        ) from error


def empty_model(config: SepformerConfig) -> SepformerModel:
    """The network without memory for its weights, to compare tensor names and shapes with."""
    _dual_path()  # Imported outside the block, as modules make tensors of their own.
    with torch.device("meta"):
        return SepformerModel(config)
