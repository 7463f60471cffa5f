"""Low-rank changes of linear layers (Hu et al., 2021, LoRA): few numbers change a whole model.

A layer's weight W (out, in) becomes W + up @ down, with `up` (out, rank) and `down` (rank, in).
Only the two factors are trained and shipped; W comes from a base that is installed anyway.
"""

import math

import torch
from torch import Tensor, nn


class LowRankLinear(nn.Module):
    """A frozen linear layer and the change that is trained."""

    def __init__(self, base: nn.Linear, rank: int) -> None:
        super().__init__()
        self.base = base
        self.down = nn.Parameter(torch.empty(rank, base.in_features))
        self.up = nn.Parameter(torch.zeros(base.out_features, rank))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:
        """(…, in) to (…, out)."""
        changed = (x @ self.down.T) @ self.up.T
        return torch.as_tensor(self.base(x)) + changed


def insert(model: nn.Module, rank: int) -> None:
    """Put a change beside every linear layer in `model`; biases and norms are trained whole."""
    for parameter in model.parameters():
        parameter.requires_grad_(parameter.ndim == 1)
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Linear) and not isinstance(module, LowRankLinear):
                setattr(module, name, LowRankLinear(child, rank))


def changes(model: nn.Module) -> dict[str, Tensor]:
    """What was trained, by the names in the model before `insert`.

    The factors of a weight `x.weight` are called `x.weight.up` and `x.weight.down`.
    """
    renamed: dict[str, Tensor] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        if name.endswith((".up", ".down")):
            owner, _, factor = name.rpartition(".")
            renamed[f"{owner}.weight.{factor}"] = parameter
        else:
            renamed[name.replace(".base.", ".")] = parameter
    return renamed
