"""The door between services: a shared token on every internal call."""

import hmac
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from atoll_kit.errors import Unauthorized, error_response

HEADER = "x-internal-token"


def token_matches(headers: Headers, token: str) -> bool:
    """Whether the request carries the internal token; compared in constant time."""
    given = headers.get(HEADER, "")
    return hmac.compare_digest(given.encode(), token.encode())


class InternalTokenMiddleware:
    """Answer 401 to every HTTP request without the token, except where `is_open(path)`."""

    def __init__(self, app: ASGIApp, *, token: str, is_open: Callable[[str], bool]) -> None:
        self.app = app
        self.token = token
        self.is_open = is_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        guarded = scope["type"] == "http" and not self.is_open(scope["path"])
        if guarded and not token_matches(Headers(scope=scope), self.token):
            refusal = Unauthorized(
                "This service answers the gateway and the other services only. "
                "Call it through the gateway."
            )
            response = error_response(refusal)
            response.headers["Connection"] = "close"
            await response(scope, receive, send)
            return
        await self.app(scope, receive, send)
