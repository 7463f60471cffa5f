"""The tasks under `/inference/`: what each takes, how its input is made, how its result is told."""

import base64
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from pydantic import BaseModel

from atoll_inference.api import task_schema as schema
from atoll_inference.api.replies import FileReply, Reply, Wanted
from atoll_inference.engines.tasks.picture import (
    EnhanceImageInput,
    EnhanceImageResult,
    EnhanceVideoInput,
    EnhanceVideoResult,
    FaceDeepfakeInput,
)
from atoll_inference.engines.tasks.sound import AudioDeepfakeInput, DenoiseInput, DenoiseResult
from atoll_inference.engines.tasks.speech import SpeechInput, SpeechResult
from atoll_inference.engines.tasks.text import EmotionInput, SummaryInput
from atoll_inference.media.audio import Audio, decode_audio, encode_wav
from atoll_inference.media.errors import MediaTooLarge, Unsupported
from atoll_inference.media.image import decode_image, encode_png
from atoll_inference.media.limits import MediaLimits
from atoll_inference.media.video import VideoReader

SPEECH_RATE = 16_000
"""Frames per second that speech models hear."""

Given = str | BinaryIO
"""An input as it came: a text, or an open file."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under which an input is decoded.

    Attributes:
        folder: the request's own, removed with it.
        sync_max_pixels: most pixels of an enhancement; None for a job.
        kind: what the client says the input is, such as `video`; None when it does not.
    """

    limits: MediaLimits
    folder: Path
    sync_max_pixels: int | None
    kind: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task.

    Attributes:
        name: of the task and of its slot.
        kinds: fields that may hold the input.
        item: makes the engine's item; blocking, on a worker thread.
        tell: makes the reply from the engine's result; blocking, on a worker thread.
        binary: media types in which the result can be had as bare bytes.
        example: a request body for the documentation.
    """

    name: str
    summary: str
    kinds: tuple[str, ...]
    request: type[schema.TaskRequest]
    result: type[BaseModel]
    item: Callable[[Given, Any, Conditions], Any]
    tell: Callable[[Any, Wanted], Reply]
    binary: tuple[str, ...] = ()
    example: dict[str, Any]

    @property
    def takes_text(self) -> bool:
        """Whether the input is text rather than a file."""
        return self.kinds == ("text",)


def _audio(given: Given, conditions: Conditions) -> Any:
    return decode_audio(cast(BinaryIO, given), conditions.limits)


def decode_speech(file: BinaryIO, limits: MediaLimits) -> Audio:
    """A recording as speech models take it; mixed and resampled while it is decoded."""
    return decode_audio(file, limits, rate=SPEECH_RATE, as_mono=True)


def _speech(given: Given, wish: schema.SpeechRequest, conditions: Conditions) -> SpeechInput:
    return SpeechInput(
        audio=decode_speech(cast(BinaryIO, given), conditions.limits),
        language=wish.language.lower() if wish.language else None,
        prompt=wish.prompt,
        temperature=wish.temperature,
    )


def _emotion(given: Given, wish: schema.EmotionRequest, conditions: Conditions) -> EmotionInput:
    return EmotionInput(cast(str, given))


def _summary(given: Given, wish: schema.SummaryRequest, conditions: Conditions) -> SummaryInput:
    return SummaryInput(
        text=cast(str, given), max_tokens=wish.max_tokens, min_tokens=wish.min_tokens
    )


def _denoise(given: Given, wish: schema.SoundRequest, conditions: Conditions) -> DenoiseInput:
    return DenoiseInput(_audio(given, conditions))


def _voice(given: Given, wish: schema.SoundRequest, conditions: Conditions) -> AudioDeepfakeInput:
    return AudioDeepfakeInput(_audio(given, conditions))


def _face(given: Given, wish: schema.FaceRequest, conditions: Conditions) -> FaceDeepfakeInput:
    image = decode_image(cast(BinaryIO, given), conditions.limits)
    return FaceDeepfakeInput(image.convert("RGB"))


def _enhance(
    given: Given, wish: schema.EnhanceRequest, conditions: Conditions
) -> EnhanceImageInput | EnhanceVideoInput:
    file = cast(BinaryIO, given)
    if conditions.kind != "video":
        try:
            image = decode_image(file, conditions.limits)
        except Unsupported:
            if conditions.kind == "image":
                raise
        else:
            _check_sync(image.width * image.height, conditions)
            return EnhanceImageInput(image)
    source = conditions.folder / "input"
    file.seek(0)
    with source.open("wb") as target:
        shutil.copyfileobj(file, target, 1024 * 1024)
    with VideoReader(source, conditions.limits) as video:
        info = video.info
        frames = max(1, info.frames)
        _check_sync(info.width * info.height * frames, conditions)
    return EnhanceVideoInput(source, conditions.folder / "enhanced.mp4", conditions.limits)


def _check_sync(pixels: int, conditions: Conditions) -> None:
    if conditions.sync_max_pixels is not None and pixels > conditions.sync_max_pixels:
        raise MediaTooLarge(
            f"This input has {pixels} pixels in all its frames, and at most "
            f"{conditions.sync_max_pixels} are worked on while a client waits. Send it as a job: "
            "upload it to /api/files, then POST /api/jobs.",
            code="use_a_job",
        )


def _tell_fields(result: Any, wanted: Wanted) -> Reply:
    return asdict(result)


def _tell_speech(result: SpeechResult, wanted: Wanted) -> Reply:
    said = asdict(result)
    said.pop("words")
    return said


def _tell_emotion(result: Any, wanted: Wanted) -> Reply:
    return {"label": result.label, "scores": result.scores, "tokens": result.tokens}


def _tell_denoise(result: DenoiseResult, wanted: Wanted) -> Reply:
    wav = encode_wav(result.audio)
    facts = {
        "sample_rate": result.audio.rate,
        "model_sample_rate": result.model_rate,
        "duration": result.audio.seconds,
    }
    if wanted.as_file or wanted.prefers("audio/wav"):
        return FileReply(wav, "audio/wav", "denoised.wav", facts)
    return {"audio": base64.b64encode(wav).decode("ascii"), **facts}


def _tell_enhance(result: EnhanceImageResult | EnhanceVideoResult, wanted: Wanted) -> Reply:
    if isinstance(result, EnhanceImageResult):
        facts: dict[str, Any] = {"width": result.image.width, "height": result.image.height}
        png = encode_png(result.image)
        if wanted.as_file or wanted.prefers("image/png"):
            return FileReply(png, "image/png", "enhanced.png", facts)
        return {"image": base64.b64encode(png).decode("ascii"), **facts}
    facts = {
        "width": result.width,
        "height": result.height,
        "frames": result.frames,
        "duration": result.duration,
    }
    if wanted.as_file or wanted.prefers("video/mp4"):
        return FileReply(result.path, "video/mp4", "enhanced.mp4", facts)
    return {"video": base64.b64encode(result.path.read_bytes()).decode("ascii"), **facts}


_SAMPLE = "data:audio/wav;base64,UklGRiQAAABXQVZF…"
_PICTURE = "data:image/png;base64,iVBORw0KGgo…"

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task(
            name="speech_recognition",
            summary="Write down what is said in a recording",
            kinds=("audio",),
            request=schema.SpeechRequest,
            result=schema.SpeechOut,
            item=_speech,
            tell=_tell_speech,
            example={"audio": _SAMPLE, "language": "en"},
        ),
        Task(
            name="emotion_detection",
            summary="Judge the emotion of a text",
            kinds=("text",),
            request=schema.EmotionRequest,
            result=schema.EmotionOut,
            item=_emotion,
            tell=_tell_emotion,
            example={"text": "I can't believe we won. What a wonderful day!"},
        ),
        Task(
            name="text_summarization",
            summary="Shorten a text",
            kinds=("text",),
            request=schema.SummaryRequest,
            result=schema.SummaryOut,
            item=_summary,
            tell=_tell_fields,
            example={"text": "The meeting began at nine. …", "max_tokens": 80},
        ),
        Task(
            name="audio_denoising",
            summary="Remove noise from a recording of speech",
            kinds=("audio",),
            request=schema.SoundRequest,
            result=schema.DenoiseOut,
            item=_denoise,
            tell=_tell_denoise,
            binary=("audio/wav",),
            example={"audio": _SAMPLE},
        ),
        Task(
            name="video_enhancement",
            summary="Double the width and height of a picture or a video",
            kinds=("image", "video"),
            request=schema.EnhanceRequest,
            result=schema.EnhanceOut,
            item=_enhance,
            tell=_tell_enhance,
            binary=("image/png", "video/mp4"),
            example={"image": _PICTURE},
        ),
        Task(
            name="audio_deepfake",
            summary="Judge whether a voice is synthetic",
            kinds=("audio",),
            request=schema.SoundRequest,
            result=schema.AudioDeepfakeOut,
            item=_voice,
            tell=_tell_fields,
            example={"audio": _SAMPLE},
        ),
        Task(
            name="face_deepfake",
            summary="Judge whether faces in a picture are synthetic",
            kinds=("image",),
            request=schema.FaceRequest,
            result=schema.FaceDeepfakeOut,
            item=_face,
            tell=_tell_fields,
            example={"image": _PICTURE},
        ),
    )
}
"""Every task by name."""
