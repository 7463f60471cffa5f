"""A chat completion request: checked lightly, and otherwise passed on as it came."""

import json
from dataclasses import dataclass
from typing import Any

from atoll_kit.errors import BadRequest, Unprocessable

SCHEMA: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["messages"],
                    "properties": {
                        "model": {"type": "string", "description": "Default: the default model."},
                        "messages": {"type": "array", "minItems": 1, "items": {"type": "object"}},
                        "stream": {"type": "boolean", "default": False},
                        "n": {"type": "integer", "minimum": 1},
                        "stream_options": {
                            "type": "object",
                            "properties": {"include_usage": {"type": "boolean"}},
                        },
                    },
                    "additionalProperties": True,
                }
            }
        },
    }
}


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """The bytes a client sent, and what they say."""

    content: bytes
    fields: dict[str, Any]
    model: str | None
    stream: bool

    @property
    def wants_usage(self) -> bool:
        """Whether the client asked for the usage chunk of a stream."""
        options = self.fields.get("stream_options")
        return isinstance(options, dict) and bool(options.get("include_usage"))

    def bytes_for(self, model: str, *, count: bool) -> bytes:
        """What to send upstream: the same bytes where nothing has to change.

        Args:
            model: the model meant.
            count: ask for the usage of a stream, whether or not the client did.
        """
        ask = count and self.stream and not self.wants_usage
        if self.model == model and not ask:
            return self.content
        fields = {**self.fields, "model": model}
        if ask:
            options = self.fields.get("stream_options")
            given = options if isinstance(options, dict) else {}
            fields["stream_options"] = {**given, "include_usage": True}
        return json.dumps(fields, ensure_ascii=False).encode("utf-8", "surrogatepass")


def parse(content: bytes) -> CompletionRequest:
    """The request in `content`.

    Raises:
        BadRequest: `invalid_json`.
        Unprocessable: a field that this service reads is not valid.
    """
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError):
        raise BadRequest(
            "The request body is not valid JSON. Send a JSON object.", code="invalid_json"
        ) from None
    if not isinstance(fields, dict):
        raise BadRequest("The request body is not a JSON object.", code="invalid_json")
    messages = fields.get("messages")
    if not isinstance(messages, list) or not messages:
        raise _invalid("messages", "must be a list of at least one message")
    if not all(isinstance(message, dict) for message in messages):
        raise _invalid("messages", "must hold objects with `role` and `content`")
    model, stream, n = fields.get("model"), fields.get("stream"), fields.get("n")
    if model is not None and not (isinstance(model, str) and model):
        raise _invalid("model", "must be the name of a model")
    if stream is not None and not isinstance(stream, bool):
        raise _invalid("stream", "must be true or false")
    if n is not None and (isinstance(n, bool) or not isinstance(n, int) or n < 1):
        raise _invalid("n", "must be a whole number of at least 1")
    return CompletionRequest(content, fields, model, bool(stream))


def _invalid(param: str, problem: str) -> Unprocessable:
    return Unprocessable(f"`{param}` {problem}.", code="invalid_value", param=param)
