"""Ids of rows and the instants stored with them."""

import time
import uuid
from datetime import UTC, datetime


def new_id() -> str:
    """A fresh id: 32 lower-case hexadecimal digits that sort by the time they were made.

    The layout is that of UUID version 7 (RFC 9562): 48 bits of milliseconds, then random bits.
    An id is a name, not a secret: every query checks the owner.
    """
    stamp = time.time_ns() // 1_000_000
    random = uuid.uuid4().int & ((1 << 80) - 1)
    value = (stamp << 80) | random
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return f"{value:032x}"


def now() -> datetime:
    """The current instant, in UTC."""
    return datetime.now(UTC)
