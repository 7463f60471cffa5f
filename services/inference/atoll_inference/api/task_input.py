"""Reads a task request: multipart with files and fields, or JSON."""

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException

from atoll_inference.api.state import State
from atoll_inference.api.task_schema import Media, TaskRequest
from atoll_inference.api.tasks import Given, Task
from atoll_kit.errors import BadRequest, TooLarge, Unprocessable, UnsupportedType

Model = TypeVar("Model", bound=BaseModel)

_SLOW_JSON = 256 * 1024
"""JSON of more bytes than this is parsed off the event loop."""


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a request; `kind` is the field it came in, None when that does not tell.

    `source` is a text, an open upload, or where the file is to be had from.
    """

    source: "str | UploadFile | Media"
    kind: str | None
    param: str


@dataclass(frozen=True, slots=True)
class TaskCall:
    """A request: its parameters, its inputs, and whether it is a batch."""

    wish: TaskRequest
    inputs: tuple[Input, ...]
    is_batch: bool


async def read_call(
    task: Task, request: Request, service: State, stack: AsyncExitStack
) -> TaskCall:
    """The call in a request's body. Uploads are closed with `stack`.

    Raises:
        ApiError: the body is no such request; the message names the field.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "multipart/form-data":
        form = await read_form(request, stack)
        return _from_form(task, form, service)
    if kind in ("application/json", ""):
        return _from_json(task, await read_json(request, service.settings.max_json_bytes), service)
    raise UnsupportedType(
        f"The body is {kind}. Send multipart/form-data with a `file`, or application/json.",
        code="unsupported_media_type",
    )


async def read_form(request: Request, stack: AsyncExitStack) -> FormData:
    """The fields and files of a multipart body.

    Raises:
        BadRequest: it is malformed.
    """
    try:
        form = await request.form(max_files=4096, max_fields=256, max_part_size=8 * 1024 * 1024)
    except MultiPartException as error:
        raise BadRequest(f"The multipart body is malformed: {error.message}") from error
    stack.push_async_callback(form.close)
    return form


async def read_json(request: Request, max_bytes: int) -> Any:
    """The JSON value of a body.

    Raises:
        TooLarge: `json_too_large`.
        BadRequest: no JSON.
    """
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > max_bytes:
            raise TooLarge(
                f"The JSON body has more than {max_bytes} bytes. Send the file as "
                "multipart/form-data instead.",
                code="json_too_large",
            )
        chunks.append(chunk)
    body = b"".join(chunks)
    try:
        if len(body) > _SLOW_JSON:
            return await asyncio.to_thread(json.loads, body)
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"The body is no JSON: {error}.", code="invalid_json") from None


def validated(model: type[Model], content: Any) -> Model:
    """`content` as a `model`; what is wrong becomes the usual 422.

    Raises:
        RequestValidationError: naming the fields.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problems = [{**e, "loc": ("body", *e["loc"])} for e in error.errors(include_url=False)]
        raise RequestValidationError(problems) from None


def _from_form(task: Task, form: FormData, service: State) -> TaskCall:
    fields: dict[str, Any] = {}
    files: list[Input] = []
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            if name not in ("file", "file[]", *task.kinds):
                raise Unprocessable(f"`{name}`: a file goes into the field `file`.", param=name)
            kind = name if name in task.kinds else _kind_of(value, task)
            files.append(Input(value, kind, name))
        elif name in fields:
            raise Unprocessable(f"`{name}` is given twice.", param=name)
        else:
            fields[name] = value
    if "inputs" in fields:
        raise Unprocessable("`inputs` is for JSON bodies. Repeat `file`.", param="inputs")
    wish = validated(task.request, fields)
    named = _named(task, wish)
    inputs = [*files, *named]
    if not inputs:
        raise Unprocessable(
            f"There is no input. Send a `file`{' or `text`' if task.takes_text else ''}.",
            param="text" if task.takes_text else "file",
        )
    return _call(wish, inputs, len(inputs) > 1, service)


def _kind_of(upload: UploadFile, task: Task) -> str | None:
    prefix = (upload.content_type or "").split("/")[0]
    return prefix if prefix in task.kinds else None


def _from_json(task: Task, content: Any, service: State) -> TaskCall:
    wish = validated(task.request, content)
    batch: list[Any] | None = getattr(wish, "inputs", None)
    single = _named(task, wish)
    fields = ", ".join(f"`{kind}`" for kind in (*task.kinds, "inputs"))
    if (batch is not None) + len(single) != 1:
        raise Unprocessable(f"Give exactly one of {fields}.", param=task.kinds[0])
    if batch is None:
        return _call(wish, single, False, service)
    if not batch:
        raise Unprocessable("`inputs` is empty.", param="inputs")
    kind = task.kinds[0] if len(task.kinds) == 1 else None
    inputs = [Input(value, kind, f"inputs.{index}") for index, value in enumerate(batch)]
    return _call(wish, inputs, True, service)


def _named(task: Task, wish: TaskRequest) -> list[Input]:
    """Inputs given under their own names."""
    found = [(kind, getattr(wish, kind)) for kind in task.kinds]
    return [Input(value, kind, kind) for kind, value in found if value is not None]


def _call(wish: TaskRequest, inputs: list[Input], is_batch: bool, service: State) -> TaskCall:
    most = service.settings.max_batch_inputs
    if len(inputs) > most:
        raise TooLarge(
            f"The request has {len(inputs)} inputs and may have {most}. Send them in parts.",
            code="too_many_inputs",
            param="inputs",
        )
    return TaskCall(wish, tuple(inputs), is_batch)


async def open_input(
    given: Input, task: Task, service: State, user: str | None, stack: AsyncExitStack
) -> Given:
    """The text or the open file of an input.

    Raises:
        ApiError: it cannot be had; the message names the field and the setting.
    """
    source = given.source
    if isinstance(source, UploadFile):
        if not task.takes_text:
            return source.file
        content = await source.read()
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            raise BadRequest(
                f"`{given.param}` is no UTF-8 text.", code="undecodable", param=given.param
            ) from None
    if task.takes_text:
        assert isinstance(source, str)
        return source
    return await service.sources.open(source, param=given.param, user=user, stack=stack)
