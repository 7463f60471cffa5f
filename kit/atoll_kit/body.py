"""Admission of request bodies: nothing is read without a permit, and nothing trickles for ever.

Order: the declared length is checked against the route's cap (413), then a permit for that many
bytes is taken from the budget of bodies in flight (429). Only then is the body read, to a spool
bounded in memory, at a minimum rate and before a deadline. The application behind gets the
finished body. Short bodies draw on a budget of their own, so that many slow large ones never
delay a small request.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from atoll_kit.errors import ApiError, BadRequest, TooLarge, TooManyRequests, error_response
from atoll_kit.linger import has_body

SMALL_BODY = 64 * 1024
MEMORY_PER_BODY = 1024 * 1024
REPLAY_CHUNK = 256 * 1024


class ByteBudget:
    """Counts bytes in flight; `take` never waits."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.used = 0

    def take(self, amount: int) -> bool:
        """Reserve `amount` bytes. False, with nothing reserved, when they do not fit."""
        if self.used + amount > self.total:
            return False
        self.used += amount
        return True

    def give_back(self, amount: int) -> None:
        """Return what `take` reserved."""
        self.used -= amount


class ClientGone(Exception):
    """The client closed the connection before its body was complete."""


class BodyAdmissionMiddleware:
    """Reads request bodies under the limits of this module.

    Args:
        max_bytes: largest body for a path, in bytes.
        inflight_bytes: largest sum of all large bodies being received, in bytes.
        spool_dir: where bodies beyond 1 MiB wait; deleted with the request.
        min_rate: slowest average accepted after the grace period, in bytes per second.
        grace_s: seconds before the rate is judged.
        deadline_s: seconds in which a body must be complete, however fast it comes.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_bytes: Callable[[str], int],
        inflight_bytes: int,
        spool_dir: Path | None = None,
        min_rate: float = 16 * 1024,
        grace_s: float = 10.0,
        deadline_s: float = 600.0,
    ) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.spool_dir = spool_dir
        self.min_rate = min_rate
        self.grace_s = grace_s
        self.deadline_s = deadline_s
        self.large = ByteBudget(inflight_bytes)
        self.small = ByteBudget(max(inflight_bytes // 8, 64 * SMALL_BODY))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not has_body(scope):
            await self.app(scope, receive, send)
            return
        try:
            cap, declared = self._admit(scope)
        except ApiError as refusal:
            await _refuse(refusal, scope, receive, send)
            return
        budget = self.small if declared <= SMALL_BODY else self.large
        if not budget.take(declared):
            busy = TooManyRequests(
                "Too many large requests are being received at this moment. Try again shortly.",
                code="too_many_bodies",
                retry_after=2,
            )
            await _refuse(busy, scope, receive, send)
            return
        spool: IO[bytes] = tempfile.SpooledTemporaryFile(  # noqa: SIM115 - closed below
            MEMORY_PER_BODY, dir=str(self.spool_dir) if self.spool_dir else None
        )
        try:
            try:
                size = await self._read(receive, spool, min(cap, declared))
            except ApiError as refusal:
                await _refuse(refusal, scope, receive, send)
                return
            except ClientGone:
                return
            await self.app(scope, _replay(spool, size, receive), send)
        finally:
            budget.give_back(declared)
            spool.close()

    def _admit(self, scope: Scope) -> tuple[int, int]:
        """The cap of this path and the bytes to reserve: the declared length, or else the cap."""
        headers = Headers(scope=scope)
        cap = self.max_bytes(scope["path"])
        declared = headers.get("content-length")
        if declared is None:
            return cap, cap
        if not declared.isdigit():
            raise BadRequest("Content-Length is not a number.", code="invalid_content_length")
        if int(declared) > cap:
            raise _too_large(cap)
        return cap, int(declared)

    async def _read(self, receive: Receive, spool: IO[bytes], limit: int) -> int:
        started = time.monotonic()
        size = 0
        while True:
            elapsed = time.monotonic() - started
            # Before the rate can be judged, wait until the grace period ends; after it, until the
            # moment at which the bytes so far would be too few.
            allowed = max(self.grace_s, size / self.min_rate if self.min_rate else self.deadline_s)
            remaining = min(allowed, self.deadline_s) - elapsed
            try:
                async with asyncio.timeout(max(remaining, 0.001)):
                    message = await receive()
            except TimeoutError:
                raise ApiError(
                    f"The request body came too slowly: send at least {self.min_rate:.0f} bytes "
                    f"per second and finish within {self.deadline_s:.0f} s.",
                    status=408,
                    code="slow_upload",
                ) from None
            if message["type"] == "http.disconnect":
                raise ClientGone
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > limit:
                raise _too_large(limit)
            spool.write(chunk)
            if not message.get("more_body", False):
                spool.seek(0)
                return size


def _too_large(cap: int) -> TooLarge:
    return TooLarge(
        f"The request body is larger than the {cap} bytes allowed here.", code="body_too_large"
    )


async def _refuse(error: ApiError, scope: Scope, receive: Receive, send: Send) -> None:
    response = error_response(error)
    # The rest of the body was not read, so the connection cannot carry another request.
    response.headers["Connection"] = "close"
    await response(scope, receive, send)


def _replay(spool: IO[bytes], size: int, receive: Receive) -> Receive:
    sent = 0
    done = False

    async def replay() -> Message:
        nonlocal sent, done
        if done:
            # Only a disconnect can follow the body.
            return await receive()
        chunk = spool.read(REPLAY_CHUNK)
        sent += len(chunk)
        done = sent >= size
        return {"type": "http.request", "body": chunk, "more_body": not done}

    return replay
