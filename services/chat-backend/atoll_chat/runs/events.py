"""The events of a run: what a reader sees of an answer being written."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from atoll_chat.conversations.schemas import Message, RunError, Usage

FINAL = frozenset({"done", "error"})
MERGED_CHARS = 16_384


@dataclass(frozen=True, slots=True)
class Event:
    """One event. Ids rise within a run; exactly one event, the last, is final."""

    id: int
    name: str
    data: dict[str, Any]

    @property
    def is_final(self) -> bool:
        """Whether nothing follows."""
        return self.name in FINAL


def message(answer: Message) -> dict[str, Any]:
    """Data of `message`: the answer as it stands; what follows adds to it."""
    return {"message": answer.model_dump(mode="json")}


def delta(message_id: str, text: str) -> dict[str, Any]:
    """Data of `delta`: text to append."""
    return {"message_id": message_id, "text": text}


def queued(position: int) -> dict[str, Any]:
    """Data of `queued`: how many are served before this run, from 1."""
    return {"position": position}


def usage(counts: Usage) -> dict[str, Any]:
    """Data of `usage`."""
    return counts.model_dump()


def final(answer: Message) -> tuple[str, dict[str, Any]]:
    """Name and data of the event that ends a run with this answer."""
    if answer.status == "failed":
        error = answer.error or RunError(code="failed", message="The answer could not be written.")
        return "error", {"error": error.model_dump(), **message(answer)}
    return "done", message(answer)


def merged(events: Iterable[Event]) -> list[Event]:
    """The same events with neighbouring deltas joined, each under the id of its last part.

    A reader that comes late or reads slowly gets few large events instead of many small ones.
    """
    result: list[Event] = []
    parts: list[str] = []
    size = 0
    held: Event | None = None

    def release() -> None:
        nonlocal held, size
        if held:
            result.append(Event(held.id, "delta", {**held.data, "text": "".join(parts)}))
        held, size = None, 0
        parts.clear()

    for event in events:
        if event.name != "delta":
            release()
            result.append(event)
            continue
        held = event
        parts.append(event.data["text"])
        size += len(event.data["text"])
        if size >= MERGED_CHARS:
            release()
    release()
    return result
