"""The seven production checkpoints as their authors publish them, with random weights.

Architecture, sizes, names of files and tensors are those of the originals; what is in the tensors,
and the vocabularies, are not. They can show that a checkpoint loads, how much memory it takes and
how long it runs, and nothing about its answers. `tiny` shrinks the sizes and keeps the layout.
By hand: `python production_layouts.py FOLDER [--tiny]`.
"""

import argparse
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from production_vocabularies import (
    write_json,
    write_roberta_vocabulary,
    write_whisper_vocabulary,
)
from safetensors.torch import save_file

from atoll_inference.engines.sepformer_model import SepformerConfig, SepformerModel
from atoll_inference.engines.torchaudio_stub import let_torchaudio_import

let_torchaudio_import()

from transformers import (  # noqa: E402
    BartConfig,
    BartForConditionalGeneration,
    RobertaConfig,
    RobertaForSequenceClassification,
    Swin2SRConfig,
    Swin2SRForImageSuperResolution,
    ViTConfig,
    ViTForImageClassification,
    WavLMConfig,
    WavLMForSequenceClassification,
    WavLMModel,
    WhisperConfig,
    WhisperForConditionalGeneration,
)

State = dict[str, torch.Tensor]

_SEED = 20_261_121
_OTHERS = ("README.md", ".gitattributes", "flax_model.msgpack", "tf_model.h5")
"""Files that lie in the originals and are not to be fetched."""


@dataclass(frozen=True)
class Layout:
    """One production checkpoint.

    Attributes:
        build: writes it into an empty folder; `tiny` asks for small sizes.
        parameters: how many the full size has.
    """

    slot: str
    repo: str
    parameters: int
    build: Callable[[Path, bool], None]

    @property
    def name(self) -> str:
        """The folder's name when it was fetched."""
        return self.repo.split("/")[1].lower()


def random_state(shapes: Iterable[tuple[str, torch.Tensor]]) -> State:
    """Tensors of these names and shapes; small numbers, and ones where a norm multiplies."""
    generator = torch.Generator().manual_seed(_SEED)
    state: State = {}
    for name, like in shapes:
        if not like.is_floating_point():
            state[name] = torch.arange(like.numel()).reshape(like.shape)
            continue
        tensor = torch.empty(like.shape, dtype=torch.float32)
        if name.endswith("weight") and tensor.ndim == 1:
            state[name] = tensor.fill_(1.0)
        elif name.endswith("bias"):
            state[name] = tensor.zero_()
        else:
            state[name] = tensor.normal_(0, 0.02, generator=generator)
    return state


def empty(model_class: Any, config: Any) -> Any:
    """The model without memory for its weights."""
    with torch.device("meta"):
        return model_class(config)


def write_others(folder: Path) -> None:
    """What the originals have beside the files that are wanted."""
    for name in _OTHERS:
        (folder / name).write_bytes(b"not wanted " * 10)


def write_config(folder: Path, config: Any, **more: Any) -> None:
    """config.json as older releases of transformers wrote it."""
    content = config.to_dict()
    for name in ("dtype", "transformers_version", "_name_or_path"):
        content.pop(name, None)
    write_json(folder / "config.json", {**content, "torch_dtype": "float32", **more})


def _whisper(folder: Path, tiny: bool) -> None:
    config = WhisperConfig(
        architectures=["WhisperForConditionalGeneration"],
        max_target_positions=448,
        forced_decoder_ids=[[1, 50259], [2, 50359], [3, 50363]],
        **({"d_model": 64, "encoder_layers": 1, "decoder_layers": 1} if tiny else {}),
        **({"encoder_attention_heads": 2, "decoder_attention_heads": 2} if tiny else {}),
        **({"encoder_ffn_dim": 64, "decoder_ffn_dim": 64} if tiny else {}),
    )
    state = random_state(empty(WhisperForConditionalGeneration, config).state_dict().items())
    del state["proj_out.weight"]  # tied to the embedding of tokens
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "pytorch_model.bin").write_bytes(b"a pickle that must not be fetched")
    write_config(folder, config)
    write_whisper_vocabulary(folder)
    write_json(
        folder / "preprocessor_config.json",
        {
            "chunk_length": 30, "feature_extractor_type": "WhisperFeatureExtractor",
            "feature_size": 80, "hop_length": 160, "n_fft": 400, "n_samples": 480000,
            "nb_max_frames": 3000, "padding_side": "right", "padding_value": 0.0,
            "processor_class": "WhisperProcessor", "return_attention_mask": False,
            "sampling_rate": 16000,
        },
    )  # fmt: skip
    write_others(folder)


EMOTIONS = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")


def _emotion(folder: Path, tiny: bool) -> None:
    config = RobertaConfig(
        architectures=["RobertaForSequenceClassification"],
        vocab_size=2000 if tiny else 50265,
        max_position_embeddings=514,
        num_hidden_layers=1 if tiny else 6,
        hidden_size=32 if tiny else 768,
        intermediate_size=64 if tiny else 3072,
        num_attention_heads=2 if tiny else 12,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
        id2label=dict(enumerate(EMOTIONS)),
        label2id={label: index for index, label in enumerate(EMOTIONS)},
    )
    state = random_state(empty(RobertaForSequenceClassification, config).state_dict().items())
    # Saved by older releases, and derived from nothing.
    state["roberta.embeddings.position_ids"] = torch.arange(514).unsqueeze(0)
    torch.save(state, folder / "pytorch_model.bin")
    (folder / "training_args.bin").write_bytes(b"a pickle that must not be fetched")
    write_config(folder, config, problem_type="single_label_classification")
    write_roberta_vocabulary(folder, config.vocab_size)
    write_json(
        folder / "special_tokens_map.json",
        {
            "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "sep_token": "</s>",
            "pad_token": "<pad>", "cls_token": "<s>",
        },
    )  # fmt: skip
    write_others(folder)


def _summary(folder: Path, tiny: bool) -> None:
    config = BartConfig(
        architectures=["BartForConditionalGeneration"],
        vocab_size=2000 if tiny else 50264,
        d_model=32 if tiny else 1024,
        encoder_layers=1 if tiny else 6,
        decoder_layers=1 if tiny else 6,
        encoder_attention_heads=2 if tiny else 16,
        decoder_attention_heads=2 if tiny else 16,
        encoder_ffn_dim=64 if tiny else 4096,
        decoder_ffn_dim=64 if tiny else 4096,
        max_position_embeddings=1024,
    )
    state = random_state(empty(BartForConditionalGeneration, config).state_dict().items())
    # One tensor under three names; the output layer had none of its own in that release.
    for name in ("model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight"):
        state[name] = state["model.shared.weight"]
    del state["lm_head.weight"]
    torch.save(state, folder / "pytorch_model.bin")
    wishes = {
        "early_stopping": True, "length_penalty": 2.0, "max_length": 142, "min_length": 56,
        "no_repeat_ngram_size": 3, "num_beams": 4,
    }  # fmt: skip
    # The vocabulary has a mask that the model has no row for.
    write_roberta_vocabulary(folder, config.vocab_size + 1)
    write_config(
        folder, config, force_bos_token_to_be_generated=True, static_position_embeddings=False,
        task_specific_params={"summarization": wishes}, prefix=" ", **wishes,
    )  # fmt: skip
    write_others(folder)


_HYPERPARAMS = """\
# ################################
# Model: Inference for source separation with SepFormer
# ################################
sample_rate: 8000
num_spks: 2

Encoder: !new:speechbrain.lobes.models.dual_path.Encoder
    kernel_size: 16
    out_channels: {channels}

SBtfintra: !new:speechbrain.lobes.models.dual_path.SBTransformerBlock
    num_layers: {layers}
    d_model: {channels}
    nhead: {heads}
    d_ffn: {feed_forward}
    dropout: 0
    use_positional_encoding: True
    norm_before: True

SBtfinter: !new:speechbrain.lobes.models.dual_path.SBTransformerBlock
    num_layers: {layers}
    d_model: {channels}
    nhead: {heads}
    d_ffn: {feed_forward}
    dropout: 0
    use_positional_encoding: True
    norm_before: True

MaskNet: !new:speechbrain.lobes.models.dual_path.Dual_Path_Model
    num_spks: !ref <num_spks>
    in_channels: {channels}
    out_channels: {channels}
    num_layers: {blocks}
    K: {chunk}
    intra_model: !ref <SBtfintra>
    inter_model: !ref <SBtfinter>
    norm: ln
    linear_layer_after_inter_intra: False
    skip_around_intra: True

Decoder: !new:speechbrain.lobes.models.dual_path.Decoder
    in_channels: {channels}
    out_channels: 1
    kernel_size: 16
    stride: 8
    bias: False

modules:
    encoder: !ref <Encoder>
    decoder: !ref <Decoder>
    masknet: !ref <MaskNet>

pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
    loadables:
        masknet: !ref <MaskNet>
        encoder: !ref <Encoder>
        decoder: !ref <Decoder>
"""


def _denoise(folder: Path, tiny: bool) -> None:
    config = (
        SepformerConfig(channels=16, layers=1, heads=2, feed_forward=16, blocks=1, chunk=20)
        if tiny
        else SepformerConfig()
    )
    let_torchaudio_import()
    SepformerModel(SepformerConfig(channels=2, layers=1, heads=1, blocks=1))  # imports speechbrain
    state = random_state(empty(SepformerModel, config).state_dict().items())
    for part in ("encoder", "masknet", "decoder"):
        own = {
            name.removeprefix(f"{part}."): tensor
            for name, tensor in state.items()
            if name.startswith(f"{part}.")
        }
        torch.save(own, folder / f"{part}.ckpt")
    text = _HYPERPARAMS.format(**config.model_dump())
    (folder / "hyperparams.yaml").write_text(text, "utf-8")
    write_json(folder / "config.json", {"speechbrain_interface": "SepformerSeparation"})
    (folder / "test_mixture.wav").write_bytes(b"RIFF" + struct.pack("<I", 36) + b"WAVE")
    write_others(folder)


def _enhance(folder: Path, tiny: bool) -> None:
    config = Swin2SRConfig(
        architectures=["Swin2SRForImageSuperResolution"],
        **({"embed_dim": 12, "depths": [1], "num_heads": [2], "window_size": 4} if tiny else {}),
    )
    state = random_state(empty(Swin2SRForImageSuperResolution, config).state_dict().items())
    torch.save(state, folder / "pytorch_model.bin")
    write_config(folder, config)
    write_json(
        folder / "preprocessor_config.json",
        {
            "do_pad": True, "do_rescale": True, "image_processor_type": "Swin2SRImageProcessor",
            "pad_size": 8, "rescale_factor": 1 / 255,
        },
    )  # fmt: skip
    write_others(folder)


def _wavlm_config(tiny: bool, **more: Any) -> Any:
    sizes = {
        "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
        "intermediate_size": 32, "conv_dim": [16] * 7, "num_conv_pos_embeddings": 16,
        "num_conv_pos_embedding_groups": 4,
    }  # fmt: skip
    return WavLMConfig(
        **{
            "feat_extract_norm": "group", "do_stable_layer_norm": False, "max_bucket_distance": 800,
            "num_buckets": 320, **(sizes if tiny else {}), **more,
        }
    )  # fmt: skip


def _audio(folder: Path, tiny: bool) -> None:
    config = _wavlm_config(tiny, architectures=["WavLMModel"])
    torch.save(_old_weight_norm(WavLMModel, config), folder / "pytorch_model.bin")
    _write_audio_others(folder, config)


def build_audio_detector(folder: Path, tiny: bool) -> None:
    """The same with a head for real and fake, as a fine-tuning would leave it; safetensors."""
    config = _wavlm_config(
        tiny,
        architectures=["WavLMForSequenceClassification"],
        id2label={0: "real", 1: "fake"},
        label2id={"real": 0, "fake": 1},
    )
    state = random_state(empty(WavLMForSequenceClassification, config).state_dict().items())
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    _write_audio_others(folder, config)


def _old_weight_norm(model_class: Any, config: Any) -> State:
    """With the two factors of a normalised weight under the names that they had until 2023."""
    state = random_state(empty(model_class, config).state_dict().items())
    return {
        name.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): tensor
        for name, tensor in state.items()
    }


def _write_audio_others(folder: Path, config: Any) -> None:
    write_config(folder, config)
    write_json(
        folder / "preprocessor_config.json",
        {
            "do_normalize": False, "feature_extractor_type": "Wav2Vec2FeatureExtractor",
            "feature_size": 1, "padding_side": "right", "padding_value": 0.0,
            "return_attention_mask": True, "sampling_rate": 16000,
        },
    )  # fmt: skip
    write_others(folder)


def _vit_config(tiny: bool, labels: list[str]) -> Any:
    sizes = {
        "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
        "intermediate_size": 32, "image_size": 32, "patch_size": 16,
    }  # fmt: skip
    return ViTConfig(
        **{
            "architectures": ["ViTForImageClassification"],
            "id2label": dict(enumerate(labels)),
            "label2id": {label: index for index, label in enumerate(labels)},
            **(sizes if tiny else {}),
        }
    )


_VIT_NAMES = (
    ("vit.layers.", "vit.encoder.layer."),
    (".attention.q_proj.", ".attention.attention.query."),
    (".attention.k_proj.", ".attention.attention.key."),
    (".attention.v_proj.", ".attention.attention.value."),
    (".attention.o_proj.", ".attention.output.dense."),
    (".mlp.fc1.", ".intermediate.dense."),
    (".mlp.fc2.", ".output.dense."),
)
"""Names of tensors in transformers 5, and those that the checkpoint was published with."""


def _vit(folder: Path, tiny: bool, labels: list[str]) -> None:
    config = _vit_config(tiny, labels)
    state = random_state(empty(ViTForImageClassification, config).state_dict().items())
    published: State = {}
    for name, tensor in state.items():
        original = name
        for new, old in _VIT_NAMES:
            original = original.replace(new, old)
        published[original] = tensor
    save_file(published, folder / "model.safetensors", metadata={"format": "pt"})
    write_config(folder, config)
    size = config.image_size
    write_json(
        folder / "preprocessor_config.json",
        {
            "do_normalize": True, "do_resize": True, "image_mean": [0.5, 0.5, 0.5],
            "image_std": [0.5, 0.5, 0.5], "size": size,
        },
    )  # fmt: skip
    write_others(folder)


def _face(folder: Path, tiny: bool) -> None:
    _vit(folder, tiny, [f"thing {index}" for index in range(1000)])
    (folder / "pytorch_model.bin").write_bytes(b"a pickle that must not be fetched")


def build_face_detector(folder: Path, tiny: bool) -> None:
    """The same with a head for real and fake, as a fine-tuning would leave it."""
    _vit(folder, tiny, ["real", "fake"])


LAYOUTS = (
    Layout("speech_recognition", "openai/whisper-tiny", 37_760_640, _whisper),
    Layout(
        "emotion_detection",
        "j-hartmann/emotion-english-distilroberta-base",
        82_123_783,
        _emotion,
    ),
    Layout("text_summarization", "sshleifer/distilbart-cnn-6-6", 229_933_056, _summary),
    Layout("audio_denoising", "speechbrain/sepformer-wham", 25_679_361, _denoise),
    Layout("video_enhancement", "caidas/swin2SR-classical-sr-x2-64", 12_091_571, _enhance),
    Layout("audio_deepfake", "microsoft/wavlm-base-plus", 94_381_936, _audio),
    Layout("face_deepfake", "google/vit-base-patch16-224", 86_567_656, _face),
)
"""The customer's seven."""

DETECTORS = {"audio_deepfake": build_audio_detector, "face_deepfake": build_face_detector}
"""Builders of the variants with a head, by slot; the originals cannot judge anything."""


def build_all(root: Path, *, tiny: bool = False, slots: Iterable[str] = ()) -> list[Layout]:
    """Write `root/owner/name/` for each layout, or for those of the named slots."""
    wanted = frozenset(slots)
    chosen = [layout for layout in LAYOUTS if not wanted or layout.slot in wanted]
    for layout in chosen:
        folder = root / layout.repo
        folder.mkdir(parents=True)
        layout.build(folder, tiny)
    return chosen


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--detectors", type=Path, help="a models folder for the headed variants")
    options = parser.parse_args()
    for layout in build_all(options.folder, tiny=options.tiny):
        print(options.folder / layout.repo, flush=True)
    for slot, build in DETECTORS.items() if options.detectors else ():
        folder = options.detectors / slot / f"{slot}-with-head"
        folder.mkdir(parents=True)
        build(folder, options.tiny)
        print(folder, flush=True)


if __name__ == "__main__":
    main()
