"""What a chunk of a streamed completion says."""

import re
from typing import Any

from atoll_chat.conversations.schemas import Usage

_LONE = re.compile("[\ud800-\udfff]")


def text_of(chunk: dict[str, Any]) -> str:
    """The text that the chunk adds to the first choice; empty when it adds none."""
    choices = chunk.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    delta = first.get("delta") if isinstance(first, dict) else None
    content = delta.get("content") if isinstance(delta, dict) else None
    return content if isinstance(content, str) else ""


def usage_of(chunk: dict[str, Any]) -> Usage | None:
    """The token counts in the chunk, if it has them."""
    counts = chunk.get("usage")
    if not isinstance(counts, dict):
        return None
    prompt, completion = counts.get("prompt_tokens"), counts.get("completion_tokens")
    if not isinstance(prompt, int) or not isinstance(completion, int):
        return None
    return Usage(prompt_tokens=max(prompt, 0), completion_tokens=max(completion, 0))


class Characters:
    """Whole characters out of pieces whose JSON escapes may cut a surrogate pair in two."""

    def __init__(self) -> None:
        self._half = ""

    def feed(self, piece: str) -> str:
        """`piece` with what was held back before it, without a half character at its end."""
        piece, self._half = self._half + piece, ""
        if piece and "\ud800" <= piece[-1] <= "\udbff":
            piece, self._half = piece[:-1], piece[-1]
        if not _LONE.search(piece):
            return piece
        return piece.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
