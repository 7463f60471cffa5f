"""A small WavLM with a head for real and fake."""

from typing import Any

from atoll_inference.engines.sound_windows import SoundInput
from atoll_inference.engines.torchaudio_stub import let_torchaudio_import
from training.speech import RATE

let_torchaudio_import()

import transformers  # noqa: E402 - torchaudio has to be importable first

INPUT = SoundInput(sampling_rate=RATE, do_normalize=True, window_seconds=2.0, repeat_short=True)

SIZES: dict[str, Any] = {
    "hidden_size": 128,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 256,
    "conv_dim": (32, 48, 64, 96, 128, 128),
    "conv_kernel": (10, 4, 4, 4, 4, 4),
    "conv_stride": (5, 2, 2, 2, 2, 2),
    "num_feat_extract_layers": 6,
    "feat_extract_norm": "group",
    "conv_bias": True,
    "do_stable_layer_norm": True,
    "num_conv_pos_embeddings": 32,
    "num_conv_pos_embedding_groups": 8,
    "num_buckets": 64,
    "max_bucket_distance": 200,
    "classifier_proj_size": 128,
    "use_weighted_layer_sum": True,
    "apply_spec_augment": False,
    "hidden_dropout": 0.1,
    "attention_dropout": 0.1,
    "activation_dropout": 0.0,
    "feat_proj_dropout": 0.1,
    "layerdrop": 0.0,
    "final_dropout": 0.1,
    "id2label": {0: "real", 1: "fake"},
    "label2id": {"real": 0, "fake": 1},
}


def small_wavlm() -> Any:
    """The model, with weights of torch's generator."""
    return transformers.WavLMForSequenceClassification(transformers.WavLMConfig(**SIZES))
