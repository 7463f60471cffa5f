"""Chooses the engine of a checkpoint."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from atoll_inference.catalog.checkpoint import Checkpoint
from atoll_inference.catalog.discovery import Discovery
from atoll_inference.engines.base import Engine, LoadFailed
from atoll_inference.engines.runtime import Runtime

DEFAULT_CONTEXT = 8192
"""Most tokens for one chat request when neither the operator nor the checkpoint says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the operator asks of engines beside the runtime.

    Attributes:
        context: tokens of one chat request; capped by the model's own limit.
        parallel: chat requests that a model generates at once.
        detector: finds the checkpoint of the face detector, or None.
    """

    context: int | None = None
    parallel: int = 4
    detector: Callable[[], Path | None] = lambda: None


# Each builder imports its runtime when the first model of its kind is wanted, not before.


def _llama(checkpoint: Checkpoint, runtime: Runtime, wishes: Wishes) -> Engine:
    from atoll_inference.engines.llama_cpp import LlamaCppEngine

    if checkpoint.weights is None:
        raise LoadFailed(f"{checkpoint.path} has no GGUF file.")
    wanted = wishes.context or checkpoint.defaults.context_length or DEFAULT_CONTEXT
    return LlamaCppEngine(
        checkpoint.weights,
        file_bytes=checkpoint.bytes,
        context_length=min(wanted, checkpoint.context_length or wanted),
        slots=wishes.parallel,
        cache_bytes_per_token=checkpoint.cache_bytes_per_token,
        threads=runtime.threads,
        device=runtime.device,
    )


def _whisper(checkpoint: Checkpoint, runtime: Runtime, wishes: Wishes) -> Engine:
    from atoll_inference.engines.whisper import WhisperEngine

    return WhisperEngine(checkpoint.path, runtime)


def _sentence_encoder(checkpoint: Checkpoint, runtime: Runtime, wishes: Wishes) -> Engine:
    from atoll_inference.engines.sentence_encoder import SentenceEncoderEngine

    return SentenceEncoderEngine(checkpoint.path, runtime)


def _cross_encoder(checkpoint: Checkpoint, runtime: Runtime, wishes: Wishes) -> Engine:
    from atoll_inference.engines.cross_encoder import CrossEncoderEngine

    return CrossEncoderEngine(checkpoint.path, runtime)


def _classifier(checkpoint: Checkpoint, runtime: Runtime, wishes: Wishes) -> Engine:
    from atoll_inference.engines.text_classifier import TextClassifierEngine

    return TextClassifierEngine(checkpoint.path, runtime)


def _summarizer(checkpoint: Checkpoint, runtime: Runtime, wishes: Wishes) -> Engine:
    from atoll_inference.engines.summarizer import build_summarizer

    return build_summarizer(checkpoint.path, runtime)


def _sepformer(checkpoint: Checkpoint, runtime: Runtime, wishes: Wishes) -> Engine:
    from atoll_inference.engines.sepformer import SepformerEngine

    return SepformerEngine(checkpoint.path, runtime)


def _audio_classifier(checkpoint: Checkpoint, runtime: Runtime, wishes: Wishes) -> Engine:
    from atoll_inference.engines.audio_classifier import AudioClassifierEngine

    return AudioClassifierEngine(checkpoint.path, runtime)


def _swin2sr(checkpoint: Checkpoint, runtime: Runtime, wishes: Wishes) -> Engine:
    from atoll_inference.engines.swin2sr import Swin2srEngine

    return Swin2srEngine(checkpoint.path, runtime)


def _face_classifier(checkpoint: Checkpoint, runtime: Runtime, wishes: Wishes) -> Engine:
    from atoll_inference.engines.face_classifier import FaceClassifierEngine

    detector = wishes.detector()
    if detector is None:
        raise LoadFailed(
            "No face detector is installed, and faces have to be found before they are judged. "
            "Run `make models-starter`."
        )
    return FaceClassifierEngine(checkpoint.path, runtime, detector=detector)


def _ocr(checkpoint: Checkpoint, runtime: Runtime, wishes: Wishes) -> Engine:
    from atoll_inference.engines.rapid_ocr import RapidOcrEngine

    return RapidOcrEngine(checkpoint.path, runtime)


Builder = Callable[[Checkpoint, Runtime, Wishes], Engine]

_BUILDERS: dict[tuple[str, str], Builder] = {
    ("chat", "gguf"): _llama,
    ("speech_recognition", "safetensors"): _whisper,
    ("speech_recognition", "ctranslate2"): _whisper,
    ("text_embedding", "safetensors"): _sentence_encoder,
    ("reranker", "safetensors"): _cross_encoder,
    ("emotion_detection", "safetensors"): _classifier,
    ("text_summarization", "safetensors"): _summarizer,
    ("audio_denoising", "safetensors"): _sepformer,
    ("audio_deepfake", "safetensors"): _audio_classifier,
    ("video_enhancement", "safetensors"): _swin2sr,
    ("face_deepfake", "safetensors"): _face_classifier,
    ("ocr", "onnx"): _ocr,
}

SERVED: frozenset[tuple[str, str]] = frozenset(_BUILDERS)
"""Pairs of slot and format that this release has an engine for."""


def build_engine(checkpoint: Checkpoint, runtime: Runtime, wishes: Wishes | None = None) -> Engine:
    """The engine for `checkpoint`, not loaded.

    Raises:
        LoadFailed: no engine takes this checkpoint, or something it needs is not installed.
    """
    builder = _BUILDERS.get((checkpoint.slot, checkpoint.format))
    if builder is None:
        raise LoadFailed(f"No engine for {checkpoint.format} files in the slot {checkpoint.slot}.")
    return builder(checkpoint, runtime, wishes or Wishes())


def find_detector(discovery: Discovery) -> Path | None:
    """The folder of the face detector among the checkpoints, if there is one."""
    found = (c for c in discovery.scan() if c.slot == "face_detection" and c.problem is None)
    return next((c.path for c in found), None)
