"""The id of the request being served, bound to the logs by `context`."""

import uuid

import structlog


def request_id() -> str:
    """The id of the request this task serves; empty outside of one."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


def new_request_id() -> str:
    """A fresh id: 32 lower-case hexadecimal digits."""
    return uuid.uuid4().hex
