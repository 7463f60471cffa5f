"""What a checkpoint is for, told from what its own files say."""

from collections.abc import Mapping
from typing import Any

SLOTS = (
    "chat",
    "vision_language",
    "text_embedding",
    "reranker",
    "vision",
    "multimodal",
    "ocr",
    "speech_recognition",
    "emotion_detection",
    "text_summarization",
    "audio_denoising",
    "video_enhancement",
    "audio_deepfake",
    "face_deepfake",
)
"""Every slot a checkpoint can fill."""

INTERNAL_SLOTS = ("face_detection",)
"""Slots that no request can name: weights that an engine of another slot needs."""

ALL_SLOTS = SLOTS + INTERNAL_SLOTS

TEXT_SLOTS = frozenset(
    {"text_embedding", "reranker", "emotion_detection", "text_summarization", "speech_recognition"}
)
"""Slots whose transformers checkpoints come with a tokenizer."""

_EMBEDDING_GGUF = frozenset(
    {"bert", "nomic-bert", "nomic-bert-moe", "jina-bert-v2", "gemma-embedding"}
)

# Beginnings of the class names of encoders that hear audio. Their classification heads end like
# those of text encoders.
_AUDIO = (
    "ASTFor",
    "Data2VecAudio",
    "Hubert",
    "SEW",
    "UniSpeech",
    "Wav2Vec2",
    "WavLM",
)

# Endings of the class name in `architectures` of a config.json, tried in this order.
_CLASSES = (
    ("SepFormer", "audio_denoising"),
    ("WhisperForConditionalGeneration", "speech_recognition"),
    ("VLForConditionalGeneration", "vision_language"),
    ("InternVLChatModel", "vision_language"),
    ("InternVLForConditionalGeneration", "vision_language"),
    ("BartForConditionalGeneration", "text_summarization"),
    ("PegasusForConditionalGeneration", "text_summarization"),
    ("T5ForConditionalGeneration", "text_summarization"),
    ("LEDForConditionalGeneration", "text_summarization"),
    ("Swin2SRForImageSuperResolution", "video_enhancement"),
    ("ForImageClassification", "face_deepfake"),
    ("CLIPModel", "multimodal"),
    ("SiglipModel", "multimodal"),
    ("Siglip2Model", "multimodal"),
    ("Dinov2Model", "vision"),
    ("DINOv3ViTModel", "vision"),
    ("ViTModel", "vision"),
    ("ForCausalLM", "chat"),
    ("BertModel", "text_embedding"),
    ("RobertaModel", "text_embedding"),
    ("MPNetModel", "text_embedding"),
)


def slot_of_gguf(metadata: Mapping[str, Any]) -> str:
    """The slot of a GGUF file by its metadata; `unknown` when nothing tells."""
    architecture = metadata.get("general.architecture")
    if architecture in _EMBEDDING_GGUF:
        return "text_embedding"
    if architecture == "clip" or metadata.get("general.type") == "mmproj":
        return "vision_language"
    return "chat" if "tokenizer.chat_template" in metadata else "unknown"


def slot_of_config(config: Mapping[str, Any], *, is_sentence_encoder: bool = False) -> str:
    """The slot of a checkpoint by its config.json; `unknown` when nothing tells.

    Args:
        is_sentence_encoder: whether a modules.json beside it makes it one.
    """
    name = architecture_of(config) or ""
    if name.startswith(_AUDIO):
        return "audio_deepfake"
    if name.endswith("ForSequenceClassification"):
        return _classifier(config)
    if is_sentence_encoder:
        return "text_embedding"
    return next((slot for ending, slot in _CLASSES if name.endswith(ending)), "unknown")


def architecture_of(config: Mapping[str, Any]) -> str | None:
    """The first class named in `architectures`, or None."""
    names = config.get("architectures")
    name = names[0] if isinstance(names, list) and names else None
    return name if isinstance(name, str) else None


def labels_of(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Labels of a classifier in the order of its outputs; empty for other checkpoints.

    transformers leaves out what equals its defaults: two outputs called LABEL_0 and LABEL_1.
    """
    if not (architecture_of(config) or "").endswith(
        ("ForSequenceClassification", "ForImageClassification", "ForAudioClassification")
    ):
        return ()
    named = config.get("id2label")
    if isinstance(named, dict) and named:
        try:
            ordered = sorted(named.items(), key=lambda item: int(item[0]))
        except (TypeError, ValueError):
            return tuple(str(label) for label in named.values())
        return tuple(str(label) for _, label in ordered)
    count = config.get("num_labels", 2)
    return tuple(f"LABEL_{index}" for index in range(count if isinstance(count, int) else 2))


def _classifier(config: Mapping[str, Any]) -> str:
    labels = labels_of(config)
    if len(labels) == 1:
        return "reranker"
    names = {label.lower() for label in labels}
    return "emotion_detection" if {"joy", "anger"} <= names else "unknown"
