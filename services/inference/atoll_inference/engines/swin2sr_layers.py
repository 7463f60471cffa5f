"""The transformer layers of Swin2SR, computed a few windows at a time.

The reference implementation takes each step over the whole picture, so that every intermediate
result travels through main memory. All steps of a layer stay within a window of 8 x 8 pixels, so
here a handful of windows goes through all of them while it lies in the processor's caches, and what
does not depend on the picture (position biases, masks) is computed once. The numbers are the same
but for the order of additions.
"""

import math
from typing import Any

import torch
from torch import nn
from torch.nn import functional

CHUNK = 16
"""Windows that go through a layer at once: 1,024 pixels of 180 features are 0.7 MB in fp32."""


class WindowLayer(nn.Module):
    """One `Swin2SRLayer`, on features of shape (batch, height, width, channels).

    Height and width are multiples of the window.
    """

    bias: torch.Tensor
    scale: torch.Tensor

    def __init__(self, layer: Any) -> None:
        """Take over the weights of a transformers layer."""
        super().__init__()
        attention = layer.attention.self
        self.window: int = layer.window_size
        self.shift: int = layer.shift_size
        self.heads: int = attention.num_attention_heads
        weights = (attention.query, attention.key, attention.value)
        channels = attention.all_head_size
        self.qkv = nn.Linear(channels, 3 * channels)
        with torch.no_grad():
            weight = torch.cat([source.weight for source in weights])
            # The reference has no bias for the keys.
            none = torch.zeros(channels, dtype=weight.dtype)
            self.qkv.weight = nn.Parameter(weight)
            self.qkv.bias = nn.Parameter(
                torch.cat([none if source.bias is None else source.bias for source in weights])
            )
            logits = torch.clamp(attention.logit_scale, max=math.log(100)).exp()
            self.register_buffer("scale", logits.view(1, self.heads, 1, 1))
            masked = _position_bias(attention) + _masks(self)
            self.register_buffer("bias", masked.to(weight.dtype))
        self.project = layer.attention.output.dense
        self.norm_attention = layer.layernorm_before
        self.widen = layer.intermediate.dense
        self.activation = layer.intermediate.intermediate_act_fn
        self.narrow = layer.output.dense
        self.norm_output = layer.layernorm_after

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        batch, height, width, channels = features.shape
        rows, columns, side = height // self.window, width // self.window, self.window
        if self.shift:
            features = torch.roll(features, (-self.shift, -self.shift), (1, 2))
        windows = (
            features.view(batch, rows, side, columns, side, channels)
            .transpose(2, 3)
            .reshape(batch * rows * columns, side * side, channels)
        )
        kinds = self._kinds(batch, rows, columns, features.device)
        for start in range(0, windows.shape[0], CHUNK):
            part = slice(start, start + CHUNK)
            windows[part] = self._through(windows[part], kinds[part] if self.shift else None)
        features = (
            windows.view(batch, rows, columns, side, side, channels)
            .transpose(2, 3)
            .reshape(batch, height, width, channels)
        )
        if self.shift:
            features = torch.roll(features, (self.shift, self.shift), (1, 2))
        return features

    def _through(self, windows: torch.Tensor, kinds: torch.Tensor | None) -> torch.Tensor:
        count, tokens, channels = windows.shape
        split = self.qkv(windows).view(count, tokens, 3, self.heads, channels // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4).unbind(0)
        query = functional.normalize(query, dim=-1) * self.scale
        scores = query @ functional.normalize(key, dim=-1).transpose(-2, -1)
        scores += self.bias[:1] if kinds is None else self.bias[kinds]
        mixed = (scores.softmax(-1) @ value).transpose(1, 2).reshape(count, tokens, channels)
        windows = windows + self.norm_attention(self.project(mixed))
        wide = self.activation(self.widen(windows))
        return windows + self.norm_output(self.narrow(wide))

    def _kinds(self, batch: int, rows: int, columns: int, device: torch.device) -> torch.Tensor:
        """For each window, the mask it needs: 1 for the last column, 2 for the last row, or 3."""
        kinds = torch.zeros(rows, columns, dtype=torch.long, device=device)
        kinds[:, -1] += 1
        kinds[-1] += 2
        return kinds.flatten().repeat(batch)


class WindowStage(nn.Module):
    """A `Swin2SRStage` with its layers replaced; called like it."""

    def __init__(self, stage: Any) -> None:
        super().__init__()
        self.layers = nn.ModuleList(WindowLayer(layer) for layer in stage.layers)
        self.conv = stage.conv
        self.patch_embed = stage.patch_embed

    def forward(
        self, hidden: torch.Tensor, size: tuple[int, int], *options: Any, **more: Any
    ) -> tuple[torch.Tensor, tuple[int, int, int, int]]:
        height, width = size
        batch, _, channels = hidden.shape
        features = hidden.view(batch, height, width, channels)
        for layer in self.layers:
            features = layer(features)
        features, _ = self.patch_embed(self.conv(features.permute(0, 3, 1, 2)))
        return features + hidden, (height, width, height, width)


def speed_up(model: Any) -> None:
    """Replace the layers of a `Swin2SRForImageSuperResolution` by `WindowLayer`."""
    encoder = model.swin2sr.encoder
    encoder.stages = nn.ModuleList(WindowStage(stage) for stage in encoder.stages)


def _position_bias(attention: Any) -> torch.Tensor:
    """Of shape (1, heads, tokens, tokens); as `Swin2SRSelfAttention.forward` computes it."""
    tokens = attention.window_size[0] * attention.window_size[1]
    table = attention.continuous_position_bias_mlp(attention.relative_coords_table)
    chosen = table.view(-1, attention.num_attention_heads)[
        attention.relative_position_index.view(-1)
    ]
    bias: torch.Tensor = 16 * torch.sigmoid(chosen.view(tokens, tokens, -1).permute(2, 0, 1))
    return bias.unsqueeze(0)


def _masks(layer: WindowLayer) -> torch.Tensor:
    """Of shape (4, 1, tokens, tokens): what pixels that were not neighbours before the shift must
    not see, in a window of the inside, the last column, the last row, and both."""
    side = layer.window
    late = torch.arange(side) >= side - layer.shift if layer.shift else torch.zeros(side).bool()
    none = torch.zeros(side, dtype=torch.bool)
    masks = []
    for row, column in ((none, none), (none, late), (late, none), (late, late)):
        region = (row[:, None] * 2 + column[None, :].int()).flatten()
        # The reference adds its -100 twice.
        masks.append(torch.where(region[:, None] == region[None, :], 0.0, -200.0))
    return torch.stack(masks).unsqueeze(1)
