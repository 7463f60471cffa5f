"""The token counts of a foreign upstream's stream, read in passing."""

import json
from collections.abc import AsyncIterator

from atoll_chat.chunks import usage_of
from atoll_chat.conversations.schemas import Usage
from atoll_chat.identifiers import now

MAX_EVENT = 4 * 1024 * 1024


class Counting:
    """Relays a stream and keeps the usage it reports.

    Args:
        model: who answers.
        hide: leave out the chunk that only holds usage: the client did not ask for it.
    """

    def __init__(self, model: str, *, hide: bool) -> None:
        self.model = model
        self.began = now()
        self._hide = hide
        self.usage: Usage | None = None

    @property
    def seconds(self) -> float:
        """How long the answer has taken so far."""
        return (now() - self.began).total_seconds()

    async def relay(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The same events. Only one that mentions usage is looked into."""
        rest = b""
        async for chunk in chunks:
            *events, rest = (rest + chunk).replace(b"\r\n", b"\n").split(b"\n\n")
            shown = [event for event in events if self._is_shown(event)]
            if shown:
                yield b"\n\n".join(shown) + b"\n\n"
            if len(rest) > MAX_EVENT:
                yield rest
                rest = b""
        if rest and self._is_shown(rest):
            yield rest

    def _is_shown(self, event: bytes) -> bool:
        if b'"usage"' not in event:
            return True
        try:
            chunk = json.loads(event.removeprefix(b"data:"))
        except (ValueError, RecursionError):
            return True
        if not isinstance(chunk, dict):
            return True
        self.usage = usage_of(chunk) or self.usage
        return not (self._hide and self.usage and chunk.get("choices") == [])

    def read(self, body: bytes) -> None:
        """Keep the usage of an answer that is not streamed."""
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            return
        if isinstance(answer, dict):
            self.usage = usage_of(answer)
