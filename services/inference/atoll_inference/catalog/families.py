"""What a checkpoint is for, told from what its own files say."""

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

_EMBEDDING_GGUF = frozenset(
    {"bert", "nomic-bert", "nomic-bert-moe", "jina-bert-v2", "gemma-embedding"}
)

# Endings of the class name in `architectures` of a config.json, tried in this order.
_CLASSES = (
    ("WhisperForConditionalGeneration", "speech_recognition"),
    ("BartForConditionalGeneration", "text_summarization"),
    ("PegasusForConditionalGeneration", "text_summarization"),
    ("Swin2SRForImageSuperResolution", "video_enhancement"),
    ("ForAudioClassification", "audio_deepfake"),
    ("WavLMModel", "audio_deepfake"),
    ("Wav2Vec2Model", "audio_deepfake"),
    ("ViTForImageClassification", "face_deepfake"),
    ("CLIPModel", "multimodal"),
    ("SiglipModel", "multimodal"),
    ("Dinov2Model", "vision"),
    ("DINOv3ViTModel", "vision"),
    ("VLForConditionalGeneration", "vision_language"),
    ("InternVLChatModel", "vision_language"),
    ("InternVLForConditionalGeneration", "vision_language"),
    ("ForCausalLM", "chat"),
    ("BertModel", "text_embedding"),
    ("RobertaModel", "text_embedding"),
    ("MPNetModel", "text_embedding"),
)


def slot_of_gguf(metadata: dict[str, Any]) -> str:
    """The slot of a GGUF file by its metadata; `unknown` when nothing tells."""
    architecture = metadata.get("general.architecture")
    if architecture in _EMBEDDING_GGUF:
        return "text_embedding"
    if architecture == "clip" or metadata.get("general.type") == "mmproj":
        return "vision_language"
    return "chat" if "tokenizer.chat_template" in metadata else "unknown"


def slot_of_config(config: dict[str, Any]) -> str:
    """The slot of a transformers checkpoint by its config.json; `unknown` when nothing tells."""
    names = config.get("architectures")
    name = names[0] if isinstance(names, list) and names else ""
    if not isinstance(name, str):
        return "unknown"
    if name.endswith("ForSequenceClassification"):
        return _classifier(config)
    return next((slot for ending, slot in _CLASSES if name.endswith(ending)), "unknown")


def _classifier(config: dict[str, Any]) -> str:
    labels = config.get("id2label")
    names = {str(v).lower() for v in labels.values()} if isinstance(labels, dict) else set()
    if len(names) == 1 or config.get("num_labels") == 1:
        return "reranker"
    return "emotion_detection" if {"joy", "anger"} <= names else "unknown"
