"""Server-sent events as bytes: reading those of an upstream, writing ours."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

from atoll_kit.errors import BadGateway

MEDIA_TYPE = "text/event-stream"
MAX_EVENT = 4 * 1024 * 1024
PING = b": ping\n\n"


async def payloads(
    chunks: AsyncIterator[bytes], on_comment: Callable[[bytes], None] | None = None
) -> AsyncGenerator[bytes]:
    """The `data` of each event in a byte stream; the rest as in `named_payloads`."""
    async with aclosing(named_payloads(chunks, on_comment)) as events:
        async for _, data in events:
            yield data


async def named_payloads(
    chunks: AsyncIterator[bytes], on_comment: Callable[[bytes], None] | None = None
) -> AsyncGenerator[tuple[bytes, bytes]]:
    """`event` and `data` of each event in a byte stream cut anywhere, even inside a character.

    Args:
        chunks: the stream.
        on_comment: called with the text of each comment line.

    Raises:
        BadGateway: an event is longer than `MAX_EVENT` bytes.
    """
    rest = b""
    name = b""
    data: list[bytes] = []
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            bare = line.rstrip(b"\r")
            if bare.startswith(b"data:"):
                data.append(bare[5:].removeprefix(b" "))
            elif bare.startswith(b"event:"):
                name = bare[6:].strip()
            elif bare.startswith(b":") and on_comment:
                on_comment(bare[1:].strip())
            elif not bare:
                if data:
                    yield name, b"\n".join(data)
                name, data = b"", []
        if len(rest) + sum(map(len, data)) > MAX_EVENT:
            raise BadGateway("The model server sent an event that is too long to be one.")
    if data:
        # Some servers leave out the blank line after their last event.
        yield name, b"\n".join(data)


def encode(event: str, data: Any, *, id: int) -> bytes:
    """One event as it goes over the wire; `data` is any JSON value."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"id: {id}\nevent: {event}\ndata: {text}\n\n".encode()
