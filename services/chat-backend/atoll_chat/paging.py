"""Cursors: opaque positions in a sorted list."""

import base64
import json
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from atoll_kit.errors import BadRequest

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """One page of a list. `next_cursor` leads to the next; null at the end."""

    items: list[T]
    next_cursor: str | None = None


def encode_cursor(*position: Any) -> str:
    """A cursor for the sort key `position` (JSON values)."""
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, length: int) -> list[Any]:
    """The sort key in `cursor`.

    Raises:
        BadRequest: it was not made by `encode_cursor` with `length` values.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        position = json.loads(base64.urlsafe_b64decode(padded.encode()))
    except ValueError:
        position = None
    if not isinstance(position, list) or len(position) != length:
        raise BadRequest(
            "The cursor is not valid. Start again without one.",
            code="invalid_cursor",
            param="cursor",
        )
    return position
