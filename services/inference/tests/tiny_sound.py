"""Small checkpoints for sound, made on the spot, and sounds to try them with."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from atoll_inference.engines.sepformer_model import SepformerConfig, SepformerModel
from atoll_inference.engines.torchaudio_stub import let_torchaudio_import
from atoll_inference.media.audio import Audio, encode_wav

let_torchaudio_import()

from transformers import (  # noqa: E402
    WavLMConfig,
    WavLMForSequenceClassification,
    WavLMModel,
)
from transformers.utils import logging  # noqa: E402

logging.disable_progress_bar()

torch.set_num_threads(1)  # models this small only wait for one another

TINY_SEPFORMER: dict[str, Any] = {
    "channels": 16,
    "kernel_size": 16,
    "chunk": 20,
    "blocks": 1,
    "layers": 1,
    "heads": 2,
    "feed_forward": 32,
}


def make_sepformer(folder: Path, *, seed: int = 0, **sizes: Any) -> Path:
    """A SepFormer with random weights in the layout that is served."""
    config = SepformerConfig(**{**TINY_SEPFORMER, **sizes})
    save_sepformer(folder, config, random_sepformer(config, seed))
    return folder


def random_sepformer(config: SepformerConfig, seed: int = 0) -> SepformerModel:
    """A SepFormer that has learnt nothing."""
    torch.manual_seed(seed)
    return SepformerModel(config).eval()


def save_sepformer(folder: Path, config: SepformerConfig, model: SepformerModel) -> None:
    """Write a SepFormer in the layout that is served."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config.model_dump(mode="json")), "utf-8")
    state = {name: tensor.contiguous().clone() for name, tensor in model.state_dict().items()}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})


def make_upstream_sepformer(folder: Path, *, seed: int = 0, **sizes: Any) -> SepformerModel:
    """A SepFormer with random weights as speechbrain publishes them; returns it."""
    config = SepformerConfig(**{**TINY_SEPFORMER, **sizes})
    model = random_sepformer(config, seed)
    folder.mkdir(parents=True, exist_ok=True)
    for part in ("encoder", "masknet", "decoder"):
        torch.save(getattr(model, part).state_dict(), folder / f"{part}.ckpt")
    (folder / "hyperparams.yaml").write_text(hyperparams(config), "utf-8")
    (folder / "README.md").write_text("# A SepFormer\n", "utf-8")
    (folder / "config.json").write_text('{"speechbrain_interface": "SepformerSeparation"}', "utf-8")
    return model


def hyperparams(config: SepformerConfig) -> str:
    """The description of a SepFormer in the YAML of speechbrain, with references."""
    place = "speechbrain.lobes.models.dual_path"
    block = f"""\
  num_layers: {config.layers}
  d_model: !ref <out_channels>
  nhead: {config.heads}
  d_ffn: {config.feed_forward}
  dropout: 0
  use_positional_encoding: True
  norm_before: True
"""
    return f"""\
seed: 1234
__set_seed: !apply:torch.manual_seed [!ref <seed>]
sample_rate: {config.sample_rate}
num_spks: {config.sources}
out_channels: {config.channels}
kernel_size: {config.kernel_size}
Encoder: !new:{place}.Encoder
  kernel_size: !ref <kernel_size>
  out_channels: !ref <out_channels>
SBtfintra: !new:{place}.SBTransformerBlock
{block}SBtfinter: !new:{place}.SBTransformerBlock
{block}MaskNet: !new:{place}.Dual_Path_Model
  num_spks: !ref <num_spks>
  in_channels: !ref <out_channels>
  out_channels: !ref <out_channels>
  num_layers: {config.blocks}
  K: {config.chunk}
  intra_model: !ref <SBtfintra>
  inter_model: !ref <SBtfinter>
  norm: ln
  linear_layer_after_inter_intra: False
  skip_around_intra: True
Decoder: !new:{place}.Decoder
  in_channels: !ref <out_channels>
  out_channels: 1
  kernel_size: !ref <kernel_size>
  stride: {config.stride}
  bias: False
modules:
  encoder: !ref <Encoder>
  decoder: !ref <Decoder>
  masknet: !ref <MaskNet>
pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
  loadables:
    encoder: !ref <Encoder>
    masknet: !ref <MaskNet>
    decoder: !ref <Decoder>
"""


def tiny_wavlm_config(**changes: Any) -> WavLMConfig:
    """A WavLM with two layers of width 32 and a frame every 10 ms."""
    settings: dict[str, Any] = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "conv_dim": [32, 32, 32],
        "conv_kernel": [10, 8, 4],
        "conv_stride": [5, 8, 4],
        "num_feat_extract_layers": 3,
        "num_conv_pos_embeddings": 8,
        "num_conv_pos_embedding_groups": 2,
        "classifier_proj_size": 16,
        "layerdrop": 0.0,
        "initializer_range": 0.1,
    }
    return WavLMConfig(**{**settings, **changes})


def make_wavlm_base(folder: Path, *, seed: int = 0, do_normalize: bool = False) -> Path:
    """A WavLM without a head, as one is published: weights, config and feature extractor."""
    torch.manual_seed(seed)
    WavLMModel(tiny_wavlm_config()).save_pretrained(folder)
    _save_extractor(folder, do_normalize)
    return folder


def make_wavlm_judge(
    folder: Path, *, seed: int = 0, labels: tuple[str, ...] = ("real", "fake"), **changes: Any
) -> Path:
    """A WavLM with a head of random numbers, large enough to give all kinds of scores."""
    torch.manual_seed(seed)
    names = dict(enumerate(labels))
    config = tiny_wavlm_config(id2label=names, num_labels=len(names), **changes)
    model: Any = WavLMForSequenceClassification(config)
    with torch.no_grad():
        model.classifier.weight *= 300
    model.save_pretrained(folder)
    _save_extractor(folder, do_normalize=False)
    return folder


def _save_extractor(folder: Path, do_normalize: bool) -> None:
    content = {
        "feature_extractor_type": "Wav2Vec2FeatureExtractor",
        "feature_size": 1,
        "do_normalize": do_normalize,
        "padding_side": "right",
        "padding_value": 0.0,
        "return_attention_mask": True,
        "sampling_rate": 16000,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(content), "utf-8")


def change_tensors(folder: Path, change: Any) -> None:
    """Rewrite model.safetensors with what `change` made of its tensors."""
    state = load_file(folder / "model.safetensors")
    change(state)
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})


def voice(
    seconds: float, rate: int = 16000, *, pitch: float = 120.0, seed: int = 0
) -> NDArray[np.float32]:
    """Something like a voice: a buzz with vibrato and pauses, a formant, and some breath."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    phase = 2 * np.pi * pitch * (time + 0.002 * np.sin(2 * np.pi * 5 * time + rng.uniform(0, 6)))
    tones = range(1, int(rate / 2 / pitch))
    centre = rng.uniform(500, 900)
    buzz = sum(np.exp(-(((k * pitch - centre) / 600) ** 2)) * np.sin(k * phase) for k in tones)
    rhythm = 0.55 + 0.45 * np.sin(2 * np.pi * rng.uniform(1.5, 3) * time + rng.uniform(0, 6))
    sound = np.asarray(buzz) * rhythm + 0.02 * rng.standard_normal(len(time))
    return (0.3 * sound / np.abs(sound).max()).astype(np.float32)


def crushed(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same with what a bad synthesis leaves: coarse steps, held for several samples."""
    held = np.repeat(samples[::10], 10)[: len(samples)]
    return (np.round(held * 16) / 16).astype(np.float32)


def recording(*channels: NDArray[np.float32], rate: int = 16000) -> Audio:
    """Samples as a recording."""
    return Audio(np.stack(channels, axis=1), rate)


def write_wav(path: Path, samples: NDArray[np.float32], rate: int = 16000) -> Path:
    """A mono WAV file; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_wav(recording(samples, rate=rate)))
    return path


def make_faithful_sepformer(folder: Path, *, loudness: float = 1.0, sources: int = 2) -> Path:
    """A SepFormer whose weights are set so that it gives back what it hears, `loudness` times as
    loud, in equal parts as each of its sources."""
    config = SepformerConfig(**{**TINY_SEPFORMER, "channels": 32, "sources": sources})
    model = random_sepformer(config)
    taps = torch.eye(config.kernel_size).unsqueeze(1)
    state = model.state_dict()
    state["encoder.conv1d.weight"] = torch.cat([taps, -taps])
    # Every sample is in two frames.
    state["decoder.weight"] = torch.cat([taps, -taps]) / 2
    for name in ("output", "output_gate"):
        state[f"masknet.{name}.0.weight"].zero_()
        state[f"masknet.{name}.0.bias"].fill_(20.0)
    state["masknet.end_conv1x1.weight"].fill_(loudness / config.channels / sources)
    model.load_state_dict(state)
    save_sepformer(folder, config, model)
    return folder


def train_sepformer(folder: Path, *, steps: int = 90, **sizes: Any) -> Path:
    """A small SepFormer that has learnt in seconds to take white noise away from `voice`."""
    config = SepformerConfig(**{**TINY_SEPFORMER, "channels": 32, "sources": 1, **sizes})
    model = random_sepformer(config).train()
    rng = np.random.default_rng(0)
    frames = config.kernel_size + config.stride * 200
    voices = [
        voice(2.0, config.sample_rate, pitch=rng.uniform(90, 250), seed=seed) for seed in range(20)
    ]
    optimizer = torch.optim.Adam(model.parameters(), 4e-3)
    for _ in range(steps):
        starts = rng.integers(0, len(voices[0]) - frames, 4)
        speech = np.stack([voices[rng.integers(20)][start:][:frames] for start in starts])
        speech /= speech.std(axis=1, keepdims=True) + 1e-6
        noise = rng.standard_normal(speech.shape, np.float32) * rng.uniform(0.4, 1, (4, 1))
        mixture = torch.from_numpy((speech + noise).astype(np.float32))
        mixture /= mixture.std(dim=1, keepdim=True)
        # The loss of the originals: blind to loudness.
        loss = -si_snr(model(mixture).sum(0), torch.from_numpy(speech)).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
    save_sepformer(folder, config, model)
    return folder


def si_snr(estimate: torch.Tensor, speech: torch.Tensor) -> torch.Tensor:
    """Speech against everything else in the estimate, in dB, whatever its loudness."""
    share = (estimate * speech).sum(-1, keepdim=True) / (speech * speech).sum(-1, keepdim=True)
    heard = share * speech
    rest = estimate - heard
    return 10 * torch.log10((heard**2).sum(-1) / ((rest**2).sum(-1) + 1e-12) + 1e-12)
