"""`POST /v1/audio/transcriptions` in OpenAI's form."""

import math
from contextlib import AsyncExitStack
from typing import Any, Literal, cast

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import FormData, UploadFile

from atoll_inference.api.disconnect import cancelled_on_disconnect
from atoll_inference.api.state import Service, Who
from atoll_inference.api.subtitles import srt, vtt
from atoll_inference.api.task_input import read_form, validated
from atoll_inference.api.task_schema import ModelName
from atoll_inference.api.tasks import decode_speech
from atoll_inference.engines.tasks.speech import SpeechInput, SpeechResult
from atoll_inference.serving.cancel import Cancel
from atoll_inference.serving.client import deadline_in
from atoll_kit.errors import Unprocessable, UnsupportedType

router = APIRouter(tags=["speech"])


class TranscriptionForm(BaseModel):
    """The fields beside the file. Fields that are not listed have no effect."""

    model_config = ConfigDict(extra="ignore")

    model: ModelName | None = None
    language: str | None = Field(default=None, pattern=r"^[a-zA-Z]{2,3}$")
    prompt: str | None = Field(default=None, max_length=2000, description="Words likely to occur.")
    response_format: Literal["json", "text", "srt", "verbose_json", "vtt"] = "json"
    temperature: float = Field(default=0.0, ge=0, le=1)
    timestamp_granularities: list[Literal["word", "segment"]] = Field(
        default=["segment"], alias="timestamp_granularities[]"
    )


class Transcription(BaseModel):
    """The answer for `json`; `verbose_json` adds language, duration, segments and words."""

    text: str
    usage: dict[str, Any]


_FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {
            "type": "string",
            "format": "binary",
            "description": "Audio or video of any container that FFmpeg reads.",
        },
        **TranscriptionForm.model_json_schema()["properties"],
    },
}


@router.post(
    "/v1/audio/transcriptions",
    response_model=Transcription,
    openapi_extra={
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}
    },
)
async def create_transcription(request: Request, service: Service, caller: Who) -> Response:
    """Write down what is said in a recording."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise UnsupportedType(
            "Send multipart/form-data with the recording in the field `file`.",
            code="unsupported_media_type",
        )
    settings = service.settings
    cancel = Cancel()
    async with AsyncExitStack() as stack:
        form = await read_form(request, stack)
        upload = form.get("file")
        if not isinstance(upload, UploadFile):
            raise Unprocessable("`file`: a recording is needed.", param="file")
        wish = validated(TranscriptionForm, _fields(form))
        words = "word" in wish.timestamp_granularities
        limits = settings.media_limits
        await stack.enter_async_context(cancelled_on_disconnect(request.receive, cancel))
        seat = await stack.enter_async_context(
            service.client.seat(
                "speech_recognition",
                wish.model,
                caller=caller,
                deadline=deadline_in(settings.request_timeout),
                cancel=cancel,
            )
        )
        outcome = await seat.run(
            lambda: SpeechInput(
                audio=decode_speech(upload.file, limits),
                language=wish.language.lower() if wish.language else None,
                prompt=wish.prompt,
                temperature=wish.temperature,
                word_times=words,
            )
        )
        return _shaped(cast(SpeechResult, outcome.result), wish, words=words)


def _fields(form: FormData) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in form.multi_items():
        if name.startswith("timestamp_granularities"):
            fields.setdefault("timestamp_granularities[]", []).append(value)
        elif not isinstance(value, UploadFile):
            fields[name] = value
    return fields


def _shaped(result: SpeechResult, wish: TranscriptionForm, *, words: bool) -> Response:
    if wish.response_format == "text":
        return PlainTextResponse(result.text + "\n")
    if wish.response_format == "srt":
        return PlainTextResponse(srt(result.segments), media_type="application/x-subrip")
    if wish.response_format == "vtt":
        return PlainTextResponse(vtt(result.segments), media_type="text/vtt")
    answer: dict[str, Any] = {
        "text": result.text,
        "usage": {"type": "duration", "seconds": math.ceil(result.duration)},
    }
    if wish.response_format == "verbose_json":
        answer |= {
            "task": "transcribe",
            "language": result.language,
            "duration": result.duration,
            "segments": [
                {"id": i, "start": s.start, "end": s.end, "text": s.text}
                for i, s in enumerate(result.segments)
            ],
        }
        if words:
            answer["words"] = [
                {"word": w.word, "start": w.start, "end": w.end} for w in result.words
            ]
    return JSONResponse(answer)
