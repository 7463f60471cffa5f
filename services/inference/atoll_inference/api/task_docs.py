"""How a task's request and answers look in the OpenAPI document."""

from typing import Any

from pydantic import create_model

from atoll_inference.api.task_schema import Answer, BatchAnswer
from atoll_inference.api.tasks import Task

_HIDDEN = {"inputs", "audio", "image", "video"}


def request_body(task: Task) -> dict[str, Any]:
    """The `requestBody` of a task: JSON, or a form with a file."""
    json_schema = task.request.model_json_schema()
    json_schema = _inlined(json_schema, json_schema.pop("$defs", {}))
    fields = {
        name: field for name, field in json_schema["properties"].items() if name not in _HIDDEN
    }
    form = {
        "type": "object",
        "properties": {
            "file": {
                "type": "string",
                "format": "binary",
                "description": f"The {' or '.join(task.kinds)}; repeat the field for a batch.",
            },
            **fields,
        },
    }
    return {
        "required": True,
        "content": {
            "application/json": {
                "schema": json_schema,
                "examples": {"single": {"summary": "One input", "value": task.example}},
            },
            "multipart/form-data": {"schema": form},
        },
    }


def responses(task: Task) -> dict[int | str, dict[str, Any]]:
    """The successful answers of a task."""
    name = "".join(part.title() for part in task.name.split("_"))
    single = create_model(f"{name}Answer", __base__=Answer, result=(task.result, ...))
    return {
        200: {
            "model": single | BatchAnswer,
            "description": "The result; with `inputs`, a list of results.",
            "content": {media_type: {} for media_type in task.binary},
        }
    }


def _inlined(part: Any, definitions: dict[str, Any]) -> Any:
    """`part` with each reference replaced by what it refers to; FastAPI knows no others here."""
    if isinstance(part, list):
        return [_inlined(item, definitions) for item in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _inlined(definitions[part["$ref"].rpartition("/")[2]], definitions)
    return {name: _inlined(value, definitions) for name, value in part.items()}
