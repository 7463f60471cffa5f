"""Tiny picture models in the layout of their production checkpoints."""

import json
from pathlib import Path
from typing import Any

import torch

from atoll_inference.engines.torchaudio_stub import let_torchaudio_import

let_torchaudio_import()

from transformers import (  # noqa: E402 - torchaudio has to be importable first
    Swin2SRConfig,
    Swin2SRForImageSuperResolution,
    ViTConfig,
    ViTForImageClassification,
)

IMAGENET = ("tench, Tinca tinca", "goldfish, Carassius auratus", "great white shark")
"""Labels like those of google/vit-base-patch16-224, which has a thousand."""

REAL_FAKE = ("Real", "Fake")


def tiny_swin2sr(folder: Path, *, seed: int = 0, **changes: Any) -> Path:
    """A Swin2SR whose answers mean nothing: random weights, large enough to tell windows apart."""
    torch.manual_seed(seed)
    model = Swin2SRForImageSuperResolution(_swin2sr_config(changes)).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() > 1 and "logit_scale" not in name:
                weight.normal_(std=0.5 / weight[0].numel() ** 0.5)
    model.save_pretrained(folder)
    return folder


def doubling_swin2sr(folder: Path, **changes: Any) -> Path:
    """A Swin2SR that repeats every pixel four times: its weights are set by hand."""
    torch.manual_seed(0)
    model = Swin2SRForImageSuperResolution(_swin2sr_config(changes)).eval()
    first = model.swin2sr.first_convolution
    before, final = model.upsample.conv_before_upsample, model.upsample.final_convolution
    doubling = model.upsample.upsample.convolution_0
    slope = model.upsample.activation.negative_slope
    with torch.no_grad():
        for layer in (first, before, final, doubling, model.swin2sr.conv_after_body):
            layer.weight.zero_()
            layer.bias.zero_()
        for colour in range(3):
            # The leaky activation can be undone with the help of the negative.
            first.weight[colour, colour, 1, 1] = 1
            first.weight[3 + colour, colour, 1, 1] = -1
            final.weight[colour, colour, 1, 1] = 1 / (1 + slope)
            final.weight[colour, 3 + colour, 1, 1] = -1 / (1 + slope)
        for feature in range(6):
            before.weight[feature, feature, 1, 1] = 1
            doubling.weight[4 * feature : 4 * feature + 4, feature, 1, 1] = 1
    model.save_pretrained(folder)
    return folder


def tiny_vit(
    folder: Path, labels: tuple[str, ...] = REAL_FAKE, *, seed: int = 0, size: int = 32
) -> Path:
    """A ViT with random weights and a head for `labels`, with its preprocessor."""
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
    preprocessor = {
        "do_normalize": True,
        "do_rescale": True,
        "do_resize": True,
        "image_mean": [0.5, 0.5, 0.5],
        "image_processor_type": "ViTImageProcessor",
        "image_std": [0.5, 0.5, 0.5],
        "resample": 2,
        "rescale_factor": 1 / 255,
        "size": {"height": size, "width": size},
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor), "utf-8")
    return folder


def _swin2sr_config(changes: dict[str, Any]) -> Swin2SRConfig:
    values: dict[str, Any] = {
        "image_size": 64,
        "embed_dim": 12,
        "depths": [2],
        "num_heads": [2],
        "window_size": 8,
    }
    return Swin2SRConfig(**(values | changes))
