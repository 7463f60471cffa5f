"""How often a user may call."""

import math
import time
from collections import deque
from collections.abc import Callable

from atoll_kit.errors import TooManyRequests

WINDOW = 60.0
FORGET_ABOVE = 1024


class RateLimiter:
    """At most `limit` requests of one user in any 60 seconds; 0 means no limit.

    Refused requests do not count. The record is in memory: there is one process.
    """

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self._clock = clock
        self._seen: dict[str, deque[float]] = {}

    def count(self, user_id: str) -> None:
        """Count one request of `user_id`.

        Raises:
            TooManyRequests: code `rate_limited`, with the seconds until the next is allowed.
        """
        if not self.limit:
            return
        at = self._clock()
        if len(self._seen) > FORGET_ABOVE and user_id not in self._seen:
            self._forget(at)
        seen = self._seen.setdefault(user_id, deque())
        while seen and seen[0] <= at - WINDOW:
            seen.popleft()
        if len(seen) >= self.limit:
            raise TooManyRequests(
                f"You may make {self.limit} model requests a minute. Wait and try again.",
                code="rate_limited",
                retry_after=math.ceil(seen[0] + WINDOW - at),
            )
        seen.append(at)

    def _forget(self, at: float) -> None:
        for user_id in [who for who, seen in self._seen.items() if seen[-1] <= at - WINDOW]:
            del self._seen[user_id]
