"""A chat request and the events of its answer, free of any protocol and any runtime."""

from dataclasses import dataclass
from typing import Any, Literal

Role = Literal["system", "user", "assistant"]
FinishReason = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One turn of the conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """What to generate. `None` leaves the choice to the checkpoint's defaults.

    Attributes:
        max_tokens: most tokens in the answer, 1 or more; None is as many as the context holds.
        temperature: 0 (greedy) to 2.
        top_p: probability mass sampled from, above 0 and at most 1.
        stop: up to 4 strings that end the answer and are not part of it.
        seed: makes sampling repeatable.
        frequency_penalty, presence_penalty: -2 to 2.
        json_schema: the answer is JSON of this schema; `{"type": "object"}` is any object.
    """

    messages: tuple[ChatMessage, ...]
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    json_schema: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Prefill:
    """The prompt was accepted, and `processed` of its `prompt_tokens` are read."""

    prompt_tokens: int
    processed: int


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of the answer, at least one token, never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer is complete; the last event.

    `cached_tokens` of the prompt were taken from the prompt cache.
    """

    reason: FinishReason
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0


ChatEvent = Prefill | Delta | Finished
