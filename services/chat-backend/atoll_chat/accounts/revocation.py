"""Telling the rest of the service that somebody lost access."""

from collections.abc import Awaitable, Callable
from typing import Literal

from atoll_kit.logs import get_logger

log = get_logger(__name__)

Kind = Literal["user", "key"]
Hook = Callable[[Kind, str], Awaitable[None]]


class Revocations:
    """Calls every hook with what was revoked: a user's id or an API key's."""

    def __init__(self) -> None:
        self._hooks: list[Hook] = []

    def add(self, hook: Hook) -> None:
        """Call `hook` from now on."""
        self._hooks.append(hook)

    async def announce(self, kind: Kind, identifier: str) -> None:
        """Call the hooks in turn. One that fails is logged: access itself is gone already."""
        for hook in self._hooks:
            try:
                await hook(kind, identifier)
            except Exception as error:
                log.error("revocation_hook_failed", kind=kind, id=identifier, exc_info=error)
