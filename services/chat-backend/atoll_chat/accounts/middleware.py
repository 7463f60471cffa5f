"""The door of the service: who asks is settled before anything of a request is read."""

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from atoll_chat.accounts.access import OPEN, OPTIONAL, is_internal, plain_path
from atoll_chat.accounts.authentication import WEBSOCKET, refuse_foreign
from atoll_chat.accounts.principal import Principal
from atoll_chat.accounts.service import AccountsService
from atoll_kit.errors import ApiError, Unauthorized, error_response
from atoll_kit.internal import token_matches


class AuthenticationMiddleware:
    """Refuses whoever may not call a path, and names the others.

    Every path needs a user but the open ones; `/internal/` needs the token of the services. The
    `Principal` (None on open paths) is put in `scope["state"]["principal"]`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        try:
            principal = await _principal(scope)
        except ApiError as refusal:
            await _refuse(refusal, scope, receive, send)
            return
        scope.setdefault("state", {})["principal"] = principal
        await self.app(scope, receive, send)


async def _principal(scope: Scope) -> Principal | None:
    accounts: AccountsService = scope["app"].state.backend.accounts
    method = WEBSOCKET if scope["type"] == "websocket" else scope["method"]
    path = plain_path(scope["path"])
    headers = Headers(scope=scope)
    if is_internal(path):
        if not token_matches(headers, accounts.settings.internal_token):
            raise Unauthorized("This route answers the other services only.")
        return None
    if path in OPEN:
        # Signing a visitor in from a foreign page would let that page watch what they write.
        refuse_foreign(method, headers)
        return None
    if path in OPTIONAL:
        try:
            return await accounts.authenticator.authenticate(method, path, headers)
        except ApiError:
            return None
    return await accounts.authenticator.authenticate(method, path, headers)


async def _refuse(refusal: ApiError, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket" and not _can_deny(scope):
        await send({"type": "websocket.close", "code": 1008, "reason": refusal.code})
        return
    response: Response = error_response(refusal)
    if scope["type"] == "http":
        # The body, if there is one, was not read: the connection cannot carry another request.
        response.headers["Connection"] = "close"
    await response(scope, receive, send)


def _can_deny(scope: Scope) -> bool:
    return "websocket.http.response" in scope.get("extensions", {})
