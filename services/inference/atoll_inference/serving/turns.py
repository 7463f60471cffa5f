"""How many items are worked on at once, and who is next."""

import asyncio
from collections import deque

from atoll_inference.serving.units import SINGLES_IN_A_ROW


class Turns:
    """A semaphore with two lines; bulk gets every fifth turn while singles wait, too.

    Args:
        count: most holders at once.
    """

    def __init__(self, count: int) -> None:
        self.free = count
        self._singles: deque[asyncio.Future[None]] = deque()
        self._bulk: deque[asyncio.Future[None]] = deque()
        self._row = 0

    def request(self, *, bulk: bool) -> asyncio.Future[None]:
        """A future that is done when the turn comes, at once when one is free.

        Cancel it to leave the line; give the turn back once it was done.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        (self._bulk if bulk else self._singles).append(future)
        self._hand_out()
        return future

    def give_back(self) -> None:
        """End a turn; the next in line begins."""
        self.free += 1
        self._hand_out()

    def _hand_out(self) -> None:
        while self.free > 0 and (future := self._next()) is not None:
            if not future.done():
                self.free -= 1
                future.set_result(None)

    def _next(self) -> asyncio.Future[None] | None:
        if self._bulk and (not self._singles or self._row >= SINGLES_IN_A_ROW):
            self._row = 0
            return self._bulk.popleft()
        if self._singles:
            self._row += 1
            return self._singles.popleft()
        return None
