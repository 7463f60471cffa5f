"""`POST /v1/ocr`: the lines of text in a picture."""

from contextlib import AsyncExitStack
from typing import Any, cast

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import UploadFile

from atoll_inference.api.disconnect import cancelled_on_disconnect
from atoll_inference.api.state import Service, State, Who
from atoll_inference.api.task_input import read_form, read_json, validated
from atoll_inference.api.task_schema import Media, ModelName
from atoll_inference.engines.tasks.picture import OcrInput, OcrResult
from atoll_inference.media.image import decode_image
from atoll_inference.serving.cancel import Cancel
from atoll_inference.serving.client import deadline_in
from atoll_kit.errors import Unprocessable

router = APIRouter(tags=["ocr"])


class OcrRequest(BaseModel):
    """A picture to read."""

    model_config = ConfigDict(extra="forbid")

    model: ModelName | None = None
    image: Media


class OcrForm(BaseModel):
    """The field beside the file."""

    model_config = ConfigDict(extra="forbid")

    model: ModelName | None = None


class LineOut(BaseModel):
    """One line; `box` has its four corners in pixels of the upright picture, from top left on."""

    text: str
    score: float = Field(description="How sure the model is, 0 to 1.")
    box: list[tuple[float, float]]


class OcrAnswer(BaseModel):
    """The lines in reading order, and all of them in one text."""

    model: str
    text: str
    lines: list[LineOut]


_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["image"],
                "properties": {
                    "model": {"type": "string"},
                    "image": {"type": "string", "description": "A data URI or base64 text."},
                },
            },
            "examples": {"single": {"value": {"image": "data:image/png;base64,iVBORw0KGgo…"}}},
        },
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": {"type": "string", "format": "binary"},
                    "model": {"type": "string"},
                },
            }
        },
    },
}


@router.post("/v1/ocr", openapi_extra={"requestBody": _BODY})
async def read_text(request: Request, service: Service, caller: Who) -> OcrAnswer:
    """Read the text in a picture."""
    cancel = Cancel()
    async with AsyncExitStack() as stack:
        model, source = await _read(request, service, stack)
        await stack.enter_async_context(cancelled_on_disconnect(request.receive, cancel))
        seat = await stack.enter_async_context(
            service.client.seat(
                "ocr",
                model,
                caller=caller,
                deadline=deadline_in(service.settings.request_timeout),
                cancel=cancel,
            )
        )
        limits = service.settings.media_limits
        file = (
            source.file
            if isinstance(source, UploadFile)
            else await service.sources.open(source, param="image", user=caller.user, stack=stack)
        )
        outcome = await seat.run(lambda: OcrInput(decode_image(file, limits).convert("RGB")))
        result = cast(OcrResult, outcome.result)
        return OcrAnswer(
            model=seat.model,
            text="\n".join(line.text for line in result.lines),
            lines=[
                LineOut(text=line.text, score=line.score, box=list(line.box))
                for line in result.lines
            ],
        )


async def _read(request: Request, service: State, stack: AsyncExitStack) -> tuple[str | None, Any]:
    """The model's name and where the picture is."""
    if "multipart/form-data" in request.headers.get("content-type", ""):
        form = await read_form(request, stack)
        fields = {k: v for k, v in form.multi_items() if not isinstance(v, UploadFile)}
        upload = form.get("file") or form.get("image")
        if not isinstance(upload, UploadFile):
            raise Unprocessable("`file`: a picture is needed.", param="file")
        return validated(OcrForm, fields).model, upload
    body = validated(OcrRequest, await read_json(request, service.settings.max_json_bytes))
    return body.model, body.image
