"""Who is asking, and how many requests at once they may have."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from atoll_kit.errors import TooManyRequests


@dataclass(frozen=True, slots=True)
class Caller:
    """The identity that the gateway or chat-backend vouches for.

    Attributes:
        request_id: id of the request, quoted in logs and usage.
        user: id of the account; None for calls of the stack itself.
        key: id of the API key used, if one was.
        max_concurrent: most requests of this user at once; None sets no limit.
    """

    request_id: str
    user: str | None = None
    key: str | None = None
    max_concurrent: int | None = None


class ConcurrencyLimit:
    """Counts the requests of each user, queued and running, over all models."""

    def __init__(self) -> None:
        self._inside: Counter[str] = Counter()

    @contextmanager
    def enter(self, caller: Caller) -> Iterator[None]:
        """Hold one of the user's places.

        Raises:
            TooManyRequests: `concurrency_limit`, the user has as many as they may.
        """
        user = caller.user
        if user is None:
            yield
            return
        if caller.max_concurrent is not None and self._inside[user] >= caller.max_concurrent:
            raise TooManyRequests(
                f"You have {self._inside[user]} requests in progress and may have "
                f"{caller.max_concurrent}. Wait for one to finish.",
                code="concurrency_limit",
                retry_after=1,
            )
        self._inside[user] += 1
        try:
            yield
        finally:
            self._inside[user] -= 1
            if not self._inside[user]:
                del self._inside[user]
