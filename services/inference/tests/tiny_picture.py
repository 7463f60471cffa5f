"""Tiny picture models with random weights, in the layout of their production checkpoints."""

from pathlib import Path
from typing import Any

import torch
from transformers import (
    Swin2SRConfig,
    Swin2SRForImageSuperResolution,
    ViTConfig,
    ViTForImageClassification,
    ViTImageProcessor,
)


def tiny_swin2sr(folder: Path, *, seed: int = 0, **changes: Any) -> Path:
    """A Swin2SR with two layers, whose answer is near to the enlarged picture."""
    torch.manual_seed(seed)
    config = Swin2SRConfig(
        **{"image_size": 16, "embed_dim": 12, "depths": [2], "num_heads": [2], "window_size": 8}
        | changes
    )
    model = Swin2SRForImageSuperResolution(config).eval()
    model.save_pretrained(folder)
    return folder


def tiny_vit(folder: Path, labels: tuple[str, ...], *, seed: int = 0, size: int = 32) -> Path:
    """A ViT with two layers and a head for `labels`, with its preprocessor."""
    torch.manual_seed(seed)
    config = ViTConfig(
        image_size=size,
        patch_size=8,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
    )
    ViTForImageClassification(config).eval().save_pretrained(folder)
    ViTImageProcessor(
        size={"height": size, "width": size}, image_mean=[0.5] * 3, image_std=[0.5] * 3
    ).save_pretrained(folder)
    return folder
