"""Shapes the answer of a chat completion as OpenAI clients expect it."""

import json
import time
from typing import Any

from pydantic import BaseModel

from atoll_inference.engines.chat import Finished
from atoll_kit.errors import ApiError, error_payload


class AnswerMessage(BaseModel):
    """What the model said."""

    role: str = "assistant"
    content: str


class Choice(BaseModel):
    """The one answer."""

    index: int = 0
    message: AnswerMessage
    finish_reason: str


class Usage(BaseModel):
    """Token counts."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: dict[str, int] | None = None


class ChatCompletion(BaseModel):
    """A complete answer in OpenAI's form."""

    id: str
    object: str = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: Usage


def usage_of(event: Finished) -> dict[str, Any]:
    """Token counts of a finished answer."""
    return {
        "prompt_tokens": event.prompt_tokens,
        "completion_tokens": event.completion_tokens,
        "total_tokens": event.prompt_tokens + event.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": event.cached_tokens},
    }


class ChunkWriter:
    """Writes server-sent events for one answer; what does not change is formatted once."""

    def __init__(self, identifier: str, model: str) -> None:
        head = {
            "id": identifier,
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": model,
        }
        self._head = json.dumps(head)[:-1]
        self._before = f'data: {self._head}, "choices": [{{"index": 0, "delta": {{"content": '
        self._after = '}, "finish_reason": null}]}\n\n'

    def role(self) -> bytes:
        """The first chunk."""
        delta = '{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": null}'
        return f'data: {self._head}, "choices": [{delta}]}}\n\n'.encode()

    def text(self, text: str) -> bytes:
        """A piece of the answer."""
        return f"{self._before}{json.dumps(text, ensure_ascii=False)}{self._after}".encode()

    def end(self, event: Finished, *, include_usage: bool) -> bytes:
        """The last chunks."""
        choice = f'{{"index": 0, "delta": {{}}, "finish_reason": "{event.reason}"}}'
        lines = [f'data: {self._head}, "choices": [{choice}]}}\n\n']
        if include_usage:
            usage = json.dumps(usage_of(event))
            lines.append(f'data: {self._head}, "choices": [], "usage": {usage}}}\n\n')
        lines.append("data: [DONE]\n\n")
        return "".join(lines).encode()

    @staticmethod
    def error(error: ApiError) -> bytes:
        """The end of an answer that failed after it began."""
        return f"data: {json.dumps(error_payload(error), ensure_ascii=False)}\n\n".encode()
