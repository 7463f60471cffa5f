"""One input for each of the seven tasks, as long as the customer's limits name."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from atoll_inference.engines.tasks.picture import EnhanceImageInput, FaceDeepfakeInput
from atoll_inference.engines.tasks.sound import AudioDeepfakeInput, DenoiseInput
from atoll_inference.engines.tasks.speech import SpeechInput
from atoll_inference.engines.tasks.text import EmotionInput, SummaryInput
from atoll_inference.media.audio import Audio, decode_audio
from atoll_inference.media.image import decode_image
from atoll_inference.media.limits import MediaLimits

SUMMARY_TOKENS = 100

_SENTENCES = (
    "The committee met on Thursday to discuss the new harbour, which had been promised for years. "
    "Several members said that the costs were higher than expected and asked who would pay. "
    "The mayor replied that the work would begin in spring, when the weather allows it. "
    "People in the town are happy about the news, although some fishermen are angry and afraid. "
)


class NoInput(Exception):
    """There is nothing to make this input from; the message says what to give."""


@dataclass(frozen=True)
class Given:
    """What the caller brought along.

    Attributes:
        speech: a recording of somebody talking; spoken by espeak-ng when None.
        face: a picture with a face.
        is_short: make every input as short as can be, to try the way.
    """

    speech: Path | None
    face: Path | None
    is_short: bool


def item_for(slot: str, given: Given) -> tuple[str, Any]:
    """What the input is, in words, and the input.

    Raises:
        NoInput: it needs a file that was not given.
    """
    make: dict[str, Callable[[Given], tuple[str, Any]]] = {
        "speech_recognition": _speech,
        "emotion_detection": partial(_words, 200, EmotionInput),
        "text_summarization": partial(_words, 1000, _summary),
        "audio_denoising": partial(_sound, DenoiseInput, 8000),
        "audio_deepfake": partial(_sound, AudioDeepfakeInput, 16000),
        "video_enhancement": _picture,
        "face_deepfake": _face,
    }
    return make[slot](given)


def _words(count: int, wrap: Any, given: Given) -> tuple[str, Any]:
    count = count // 10 if given.is_short else count
    # Numbers keep the sentences apart, so that no two windows are the same.
    words = [word for n in range(count) for word in f"{n} {_SENTENCES}".split()][:count]
    return f"{count} words", wrap(" ".join(words))


def _summary(text: str) -> SummaryInput:
    return SummaryInput(text=text, max_tokens=SUMMARY_TOKENS, min_tokens=SUMMARY_TOKENS)


def _sound(wrap: Any, rate: int, given: Given) -> tuple[str, Any]:
    seconds = 1 if given.is_short else 10
    noise = np.random.default_rng(7).normal(0, 0.1, (seconds * rate, 1)).astype(np.float32)
    return f"{seconds} s of sound", wrap(Audio(noise, rate))


def _picture(given: Given) -> tuple[str, Any]:
    side = 32 if given.is_short else 256
    pixels = np.random.default_rng(7).integers(0, 256, (side, side, 3), np.uint8)
    return f"{side} × {side} picture", EnhanceImageInput(Image.fromarray(pixels))


def _face(given: Given) -> tuple[str, Any]:
    if given.face is None:
        raise NoInput("give a picture of a face with --face FILE")
    image = decode_image(given.face, MediaLimits()).convert("RGB").resize((256, 256))
    return "256 × 256 face", FaceDeepfakeInput(image)


def _speech(given: Given) -> tuple[str, Any]:
    seconds = 3 if given.is_short else 30
    audio = _recording(given.speech)
    repeats = -(-seconds * audio.rate // len(audio.samples))
    samples = np.tile(audio.samples, (repeats, 1))[: seconds * audio.rate]
    return f"{seconds} s of speech", SpeechInput(audio=Audio(samples, audio.rate))


def _recording(path: Path | None) -> Audio:
    if path is not None:
        return decode_audio(path, MediaLimits())
    program = shutil.which("espeak-ng")
    if program is None:
        raise NoInput("give a recording with --speech FILE, or install espeak-ng")
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        subprocess.run([program, "-w", file.name, _SENTENCES * 2], check=True)
        return decode_audio(Path(file.name), MediaLimits())
