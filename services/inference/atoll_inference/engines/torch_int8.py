"""8-bit linear layers on a CPU, by PyTorch's own dynamic quantisation."""

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

OVERHEAD_BYTES = 2**27
"""What importing the library, and its buffers, take beside the weights."""


def quantise_linear(model: nn.Module, chosen: Callable[[str], bool] = lambda name: True) -> None:
    """Replace linear layers by ones with int8 weights, each row with a scale of its own.

    Activations are quantised for each product by their range in the whole batch, and come out as
    float32. So an answer depends a little on what shares the batch with it; engines that use this
    run one unit at a time.

    Args:
        chosen: whether to replace the layer of this name.
    """
    names = {
        name for name, module in model.named_modules() if type(module) is nn.Linear and chosen(name)
    }
    with warnings.catch_warnings():
        # The successor, torchao, is fast on CPUs only with a compiler at hand.
        warnings.filterwarnings("ignore", message="torch.ao.quantization is deprecated")
        warnings.filterwarnings("ignore", message="torch.quantize_per_")
        quantization: Any = torch.ao.quantization
        quantization.quantize_dynamic(
            model,
            dict.fromkeys(names, quantization.per_channel_dynamic_qconfig),
            inplace=True,
        )
