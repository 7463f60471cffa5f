"""Who may generate now: places for one user's generations, in conversations and through the API."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from atoll_kit.errors import TooManyRequests, Unavailable

Reason = Literal["cancelled", "revoked", "interrupted"]
RETRY_SECONDS = 2


class Place:
    """The right to one generation, until it is given back. `ended` is set to take it away."""

    def __init__(self, user_id: str, key_id: str | None) -> None:
        self.user_id = user_id
        self.key_id = key_id
        self.reason: Reason | None = None
        self.ended = asyncio.Event()

    def end(self, reason: Reason) -> None:
        """Ask the holder to stop. The first reason stands."""
        self.reason = self.reason or reason
        self.ended.set()


class Admission:
    """Hands out places; never waits."""

    def __init__(self, per_user: int) -> None:
        self._per_user = per_user
        self._held: set[Place] = set()
        self._closed = False

    def take(self, user_id: str, key_id: str | None) -> Place:
        """A place, to be given back with `release`.

        Raises:
            TooManyRequests: `concurrency_limit`.
            Unavailable: the service is stopping.
        """
        if self._closed:
            raise Unavailable(
                "The service is restarting. Try again in a moment.",
                code="interrupted",
                retry_after=RETRY_SECONDS,
            )
        if sum(place.user_id == user_id for place in self._held) >= self._per_user:
            raise TooManyRequests(
                f"You already have {self._per_user} answers being written. Wait for one to end, "
                "or stop one.",
                code="concurrency_limit",
                retry_after=RETRY_SECONDS,
            )
        place = Place(user_id, key_id)
        self._held.add(place)
        return place

    def release(self, place: Place) -> None:
        """Give a place back; more than once does no harm."""
        self._held.discard(place)

    @contextmanager
    def hold(self, user_id: str, key_id: str | None) -> Iterator[Place]:
        """`take` and `release` around a block."""
        place = self.take(user_id, key_id)
        try:
            yield place
        finally:
            self.release(place)

    def end_all_of(self, kind: Literal["user", "key"], id: str) -> None:
        """End what is generated for a user, or through a key, that lost access."""
        for place in self._held:
            if id == (place.user_id if kind == "user" else place.key_id):
                place.end("revoked")

    def close(self) -> None:
        """End everything and admit nothing more."""
        self._closed = True
        for place in self._held:
            place.end("interrupted")
