"""Inputs that nobody sent before, and the engines that answer them."""

import base64
import io
import json
import random
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from atoll_inference.engines.base import BatchEngine
from atoll_inference.engines.runtime import Runtime
from atoll_inference.media.limits import MediaLimits
from benchmarks.soak.traffic import sentence

RATE = 16000


@dataclass(frozen=True)
class Kind:
    """One sort of model: how to build it, what to send, and how the peers read it."""

    name: str
    route: str
    field: str
    slot: str

    def engine(self, folder: Path, threads: int) -> BatchEngine:
        """The engine as Atoll serves it, not loaded."""
        runtime = Runtime(device="cpu", threads=threads, cache_dir=folder.parent / "cache")
        if self.name == "encoder":
            from atoll_inference.engines.sentence_encoder import SentenceEncoderEngine

            return SentenceEncoderEngine(folder, runtime)
        if self.name == "classifier":
            from atoll_inference.engines.text_classifier import TextClassifierEngine

            return TextClassifierEngine(folder, runtime)
        from atoll_inference.engines.whisper import WhisperEngine

        return WhisperEngine(folder, runtime)

    def body(self, data: bytes, field: str | None = None) -> bytes:
        """A request body; `field` is the name of the input, as Atoll or the peers call it."""
        speech = self.name == "speech"
        content = base64.b64encode(data).decode() if speech else data.decode()
        return json.dumps({field or self.field: content}).encode()

    def item(self, request: dict[str, str]) -> Any:
        """The engine's item from a parsed body of a peer."""
        data = request["data"]
        if self.name == "encoder":
            from atoll_inference.engines.tasks.retrieval import EmbeddingInput

            return EmbeddingInput((data,))
        if self.name == "classifier":
            from atoll_inference.engines.tasks.text import EmotionInput

            return EmotionInput(data)
        from atoll_inference.engines.tasks.speech import SpeechInput
        from atoll_inference.media.audio import decode_audio

        audio = decode_audio(io.BytesIO(base64.b64decode(data)), MediaLimits())
        return SpeechInput(audio=audio)

    def answer(self, result: Any) -> Any:
        """What a server says, as JSON takes it."""
        if self.name == "encoder":
            return result.vectors[0].tolist()
        if self.name == "classifier":
            return {"label": result.label, "scores": result.scores}
        return {"text": result.text}

    def inputs(self, count: int, speech: Path, seed: int) -> list[bytes]:
        """Inputs, all different: texts of 5 to 60 words, or recordings of real speech."""
        random_ = random.Random(seed)
        if self.name != "speech":
            return [sentence(random_, random_.randint(5, 60)).encode() for _ in range(count)]
        clips = sorted(speech.glob("*.wav"))
        return [_varied(random_.choice(clips), random_) for _ in range(count)]


KINDS = {
    kind.name: kind
    for kind in (
        Kind("encoder", "/v1/embeddings", "input", "text_embedding"),
        Kind("classifier", "/inference/emotion_detection", "text", "emotion_detection"),
        Kind("speech", "/inference/speech_recognition", "audio", "speech_recognition"),
    )
}


def _varied(clip: Path, random_: random.Random) -> bytes:
    """The clip with a trace of noise, so that no two are the same."""
    with wave.open(str(clip)) as file:
        rate = file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int32)
    noise = np.random.default_rng(random_.getrandbits(32)).integers(-8, 9, len(samples))
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.clip(samples + noise, -32768, 32767).astype("<i2").tobytes())
    return target.getvalue()
