"""A small Swin2SR that begins as a bicubic filter."""

from typing import Any

import torch
from torch import nn

from atoll_inference.engines.torchaudio_stub import let_torchaudio_import

let_torchaudio_import()

import transformers  # noqa: E402 - torchaudio has to be importable first

SIZES: dict[str, Any] = {
    "image_size": 64,
    "embed_dim": 48,
    "depths": [4, 4],
    "num_heads": [3, 3],
    "window_size": 8,
    "mlp_ratio": 2.0,
    "drop_path_rate": 0.0,
    "upscale": 2,
    "img_range": 1.0,
    "resi_connection": "1conv",
    "upsampler": "pixelshuffledirect",
}

_EARLY = (-3 / 128, 29 / 128, 111 / 128, -9 / 128, 0.0)
"""What the cubic kernel with a = -0.5 takes of the pixels -2 to 2 for the first of the two that
become of pixel 0, whose centre lies a quarter of a pixel before."""


def small_swin2sr() -> Any:
    """The model, with weights of torch's generator."""
    model = transformers.Swin2SRForImageSuperResolution(transformers.Swin2SRConfig(**SIZES))
    _begin_as_bicubic(model)
    return model


@torch.no_grad()
def _begin_as_bicubic(model: Any) -> None:
    """The first layer copies each pixel's neighbourhood into features, and the last one adds up
    what a cubic kernel takes of them. Learning then goes into what a fixed filter cannot know.
    """
    first: nn.Conv2d = model.swin2sr.first_convolution
    last: nn.Conv2d = model.upsample.conv
    # Not at nothing, where no learning would reach the layers before.
    model.swin2sr.conv_after_body.weight.mul_(0.01)
    model.swin2sr.conv_after_body.bias.zero_()
    first.weight[:27].zero_()
    assert first.bias is not None and last.bias is not None
    first.bias[:27].zero_()
    last.weight.zero_()
    last.bias.zero_()
    for colour in range(3):
        for row in range(3):
            for column in range(3):
                first.weight[9 * colour + 3 * row + column, colour, row, column] = 1
        for bottom in range(2):
            for right in range(2):
                output = 4 * colour + 2 * bottom + right
                for y, down in enumerate(_taps(bottom)):
                    for x, across in enumerate(_taps(right)):
                        (a, i), (b, j) = _split(y - 2), _split(x - 2)
                        last.weight[output, 9 * colour + 3 * a + b, i, j] += down * across


def _taps(late: int) -> tuple[float, ...]:
    """For the first or the second of two new pixels."""
    return tuple(reversed(_EARLY)) if late else _EARLY


def _split(offset: int) -> tuple[int, int]:
    """An offset of up to two pixels as places in two kernels of three."""
    inner = max(-1, min(1, offset))
    return inner + 1, offset - inner + 1
