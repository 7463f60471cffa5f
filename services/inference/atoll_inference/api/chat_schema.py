"""The OpenAI chat-completion request, checked completely before an engine sees it."""

import json
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from atoll_inference.engines.chat import ChatMessage, ChatRequest, Role
from atoll_kit.errors import BadRequest, Unprocessable

MAX_MESSAGES = 2048
MAX_SCHEMA_BYTES = 32 * 1024
MAX_SCHEMA_DEPTH = 24

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}
# Values under which these fields change nothing, so that a client that always sends them works.
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "tools": (None, []),
    "tool_choice": (None, "none", "auto"),
    "functions": (None, []),
    "function_call": (None, "none", "auto"),
    "logprobs": (None, False),
    "top_logprobs": (None, 0),
    "logit_bias": (None, {}),
    "modalities": (None, ["text"]),
    "audio": (None,),
    "prediction": (None,),
    "web_search_options": (None,),
}


def _check_unicode(value: str) -> str:
    # JSON can spell half of a surrogate pair, which is no character and has no encoding.
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("holds half of a surrogate pair, which is no character") from None
    return value


Text = Annotated[str, AfterValidator(_check_unicode)]


class TextPart(BaseModel):
    """A piece of text in a message."""

    type: Literal["text"]
    text: Text


class OtherPart(BaseModel):
    """A piece that is no text; refused by name, since chat models here take text alone."""

    model_config = ConfigDict(extra="allow")

    type: Literal["image_url", "input_audio", "file", "video_url"]


Part = Annotated[TextPart | OtherPart, Field(discriminator="type")]


class Message(BaseModel):
    """One turn of the conversation."""

    role: Literal["system", "developer", "user", "assistant"]
    content: Text | list[Part] = Field(description="Text, or parts of type `text`.")

    def to_engine(self, index: int) -> ChatMessage:
        """The same turn as the engine takes it.

        Raises:
            BadRequest: `unsupported_content`, a part is no text.
        """
        if isinstance(self.content, str):
            return ChatMessage(_ROLES[self.role], self.content)
        texts: list[str] = []
        for part in self.content:
            if isinstance(part, OtherPart):
                raise BadRequest(
                    f"This model takes text alone, and a message has a part of type {part.type}. "
                    "Remove it, or choose a model that takes it.",
                    code="unsupported_content",
                    param=f"messages.{index}.content",
                )
            texts.append(part.text)
        return ChatMessage(_ROLES[self.role], "\n".join(texts))


class StreamOptions(BaseModel):
    """Options of a streamed answer."""

    include_usage: bool = Field(default=False, description="Send a last chunk with token counts.")


class JsonSchema(BaseModel):
    """A schema that the answer will follow."""

    name: str | None = None
    description: str | None = None
    strict: bool | None = None
    schema_: dict[str, Any] = Field(alias="schema")


class ResponseFormat(BaseModel):
    """The form of the answer."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None

    @model_validator(mode="after")
    def _complete(self) -> "ResponseFormat":
        if self.type == "json_schema" and self.json_schema is None:
            raise ValueError("json_schema is required when type is json_schema")
        if self.json_schema is not None:
            _check_unicode(json.dumps(self.json_schema.schema_, ensure_ascii=False))
        return self

    def to_engine(self) -> dict[str, Any] | None:
        """The schema to constrain the answer with, if any.

        Raises:
            Unprocessable: the schema is too large or too deep.
        """
        if self.type == "text":
            return None
        if self.json_schema is None:
            return {"type": "object"}
        schema = self.json_schema.schema_
        if len(json.dumps(schema)) > MAX_SCHEMA_BYTES or _depth(schema) > MAX_SCHEMA_DEPTH:
            raise Unprocessable(
                f"`response_format`: a schema may have {MAX_SCHEMA_BYTES} bytes and "
                f"{MAX_SCHEMA_DEPTH} levels.",
                param="response_format",
            )
        return schema


Stop = Annotated[Text, StringConstraints(min_length=1, max_length=200)]


class ChatCompletionRequest(BaseModel):
    """A request in OpenAI's form. Fields that are not listed are accepted and have no effect."""

    model_config = ConfigDict(extra="allow")

    model: Text | None = Field(
        default=None, max_length=200, description="A model id or alias; absent is the default."
    )
    messages: list[Message] = Field(min_length=1, max_length=MAX_MESSAGES)
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(default=None, ge=1, description="Most tokens in the answer.")
    max_completion_tokens: int | None = Field(default=None, ge=1)
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    n: Literal[1] | None = Field(default=1, description="One answer a request.")
    stop: Stop | Annotated[list[Stop], Field(max_length=4)] | None = None
    seed: int | None = Field(default=None, ge=-(2**63), le=2**63 - 1)
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    response_format: ResponseFormat | None = None

    def to_engine(self) -> ChatRequest:
        """The request as the engine takes it.

        Raises:
            BadRequest: `unsupported_parameter` or `unsupported_content`.
            Unprocessable: a limit of this module, or contradicting fields.
        """
        for name, value in (self.model_extra or {}).items():
            if name in _NEUTRAL and value not in _NEUTRAL[name]:
                raise BadRequest(
                    f"`{name}` is not supported by this service. Leave it out.",
                    code="unsupported_parameter",
                    param=name,
                )
        limits = {self.max_tokens, self.max_completion_tokens} - {None}
        if len(limits) == 2:
            raise Unprocessable(
                "`max_tokens` and `max_completion_tokens` differ. Send one of them.",
                param="max_tokens",
            )
        if not any(m.role in ("user", "assistant") for m in self.messages):
            raise Unprocessable(
                "`messages`: at least one message must be from the user.", param="messages"
            )
        stop = (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())
        return ChatRequest(
            messages=tuple(m.to_engine(i) for i, m in enumerate(self.messages)),
            max_tokens=next(iter(limits), None),
            temperature=self.temperature,
            top_p=self.top_p,
            stop=stop,
            # The engine's seed has 32 bits, and the highest value means a random one.
            seed=None if self.seed is None else self.seed % (2**32 - 1),
            frequency_penalty=self.frequency_penalty,
            presence_penalty=self.presence_penalty,
            json_schema=self.response_format.to_engine() if self.response_format else None,
        )


def _depth(value: Any) -> int:
    deepest, level = 0, [value]
    while level:
        deepest += 1
        level = [
            child
            for item in level
            if isinstance(item, (dict, list))
            for child in (item.values() if isinstance(item, dict) else item)
        ]
    return deepest
