"""Reports usage to chat-backend in batches, outside the path of any request."""

import asyncio
import time
from collections import deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import httpx

from atoll_kit.logs import get_logger

log = get_logger(__name__)

CAPACITY = 10_000
BATCH = 200
EVERY_S = 1.0
LONGEST_PAUSE_S = 60.0
FLUSH_S = 3.0


@dataclass(frozen=True, slots=True)
class UsageItem:
    """What one request used. `request_id` makes a repeated report harmless."""

    request_id: str
    user: str
    key: str | None
    model: str
    kind: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    created_at: str


def now() -> str:
    """The present as ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class UsageReporter:
    """Posts items to `/internal/usage`; retries with growing pauses while chat-backend is away.

    At most `CAPACITY` items are kept; beyond that the oldest are dropped, and counted in the log.
    """

    def __init__(self, url: str, token: str) -> None:
        self._url = f"{url.rstrip('/')}/internal/usage"
        self._token = token
        self._items: deque[UsageItem] = deque()
        self._arrived = asyncio.Event()
        self._dropped = 0

    def add(self, item: UsageItem) -> None:
        """Queue an item; never waits."""
        if len(self._items) >= CAPACITY:
            self._items.popleft()
            self._dropped += 1
        self._items.append(item)
        self._arrived.set()

    async def run(self) -> None:
        """Send until cancelled."""
        pause = EVERY_S
        async with self._client() as client:
            while True:
                await self._arrived.wait()
                await asyncio.sleep(pause)
                pause = EVERY_S if await self._send(client) else min(pause * 2, LONGEST_PAUSE_S)
                if not self._items:
                    self._arrived.clear()

    async def flush(self) -> None:
        """Send what is left, once, within a few seconds; called at shutdown."""
        if not self._items:
            return
        until = time.monotonic() + FLUSH_S
        async with self._client() as client:
            while self._items and time.monotonic() < until:
                if not await self._send(client):
                    break
        if self._items:
            log.error("usage_lost", items=len(self._items), url=self._url)

    def _client(self) -> httpx.AsyncClient:
        # Services speak to each other directly; a proxy of the environment is for the outside.
        return httpx.AsyncClient(
            headers={"X-Internal-Token": self._token}, timeout=FLUSH_S, trust_env=False
        )

    async def _send(self, client: httpx.AsyncClient) -> bool:
        batch = [self._items[i] for i in range(min(BATCH, len(self._items)))]
        try:
            answer = await client.post(self._url, json={"items": [asdict(i) for i in batch]})
        except httpx.HTTPError as error:
            log.warning("usage_not_sent", url=self._url, error=str(error), items=len(self._items))
            return False
        if answer.status_code >= 500 or answer.status_code in (401, 403, 404, 408, 429):
            log.warning("usage_not_sent", url=self._url, status=answer.status_code)
            return False
        if answer.is_error:  # it will not be accepted later either
            log.error("usage_refused", status=answer.status_code, body=answer.text[:500])
        for sent in batch:
            # `add` may have dropped some of them meanwhile.
            if self._items and self._items[0] is sent:
                self._items.popleft()
        if self._dropped:
            log.error("usage_dropped", items=self._dropped)
            self._dropped = 0
        return True
