"""The request being served: its id, its access line, its share of the HTTP metrics."""

import re
import time

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from atoll_kit.errors import error_response, internal_error
from atoll_kit.logs import get_logger
from atoll_kit.metrics import HTTP_REQUESTS, HTTP_SECONDS
from atoll_kit.request_id import new_request_id

log = get_logger("access")
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEADS = ("http.response.start", "websocket.accept", "websocket.http.response.start")
_QUIET = frozenset({"/api/health", "/v2/health/live", "/v2/health/ready", "/metrics"})


class RequestContextMiddleware:
    """Give every request an id, bind it to the logs, return it, and count the answer.

    The id comes from `X-Request-Id` when it is well-formed: the gateway makes it. An exception
    that nothing else turned into an answer becomes the error shape here, outermost.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        identifier = given if _WELL_FORMED.fullmatch(given) else new_request_id()
        started = time.monotonic()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] in _HEADS:
                status = message.get("status", 101)
                MutableHeaders(scope=message)["X-Request-Id"] = identifier
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=identifier):
            try:
                await self.app(scope, receive, send_with_id)
            except Exception as error:
                response = error_response(internal_error(error))
                if status or scope["type"] == "websocket":
                    raise
                await response(scope, receive, send_with_id)
            finally:
                self._record(scope, status, time.monotonic() - started)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        # The template of the route, never the raw path: ids must not become label values.
        route = getattr(scope.get("route"), "path", "unmatched")
        method = scope.get("method", "WEBSOCKET")
        HTTP_REQUESTS.labels(method, route, str(status)).inc()
        HTTP_SECONDS.labels(method, route).observe(seconds)
        if scope["path"] not in _QUIET:
            log.info(
                "request",
                method=method,
                path=scope["path"],
                status=status,
                seconds=round(seconds, 4),
            )
