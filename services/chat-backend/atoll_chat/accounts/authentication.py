"""The one function that authenticates every path: cookie, key, WebSocket and the gateway."""

import hmac

from starlette.datastructures import Headers

from atoll_chat.accounts.access import (
    BEFORE_PASSWORD_CHANGE,
    SAFE_METHODS,
    Scope,
    is_account,
    plain_path,
    scope_of,
)
from atoll_chat.accounts.credentials import Credentials, Found, Given, given
from atoll_chat.accounts.origin import is_foreign, is_own_origin
from atoll_chat.accounts.principal import Principal
from atoll_chat.accounts.rate import RateLimiter
from atoll_chat.identifiers import now
from atoll_kit.errors import ApiError, Forbidden, Unauthorized

WEBSOCKET = "WEBSOCKET"  # stands for the method when a WebSocket is opened


class Authenticator:
    """Decides who asks and whether they may ask for this path at all.

    What belongs to whom is decided later, by the queries.
    """

    def __init__(self, credentials: Credentials, limiter: RateLimiter) -> None:
        self._credentials = credentials
        self._limiter = limiter

    async def authenticate(self, method: str, path: str, headers: Headers) -> Principal:
        """The user on whose behalf `method path` is called.

        Args:
            method: the HTTP method, or `WEBSOCKET`.
            path: percent-decoded, without the query.
            headers: the request's headers.

        Raises:
            ApiError: 401 `not_authenticated`; 403 `account_pending`, `account_suspended`,
                `csrf_failed`, `password_change_required`, `session_required`, `admin_required`
                or `insufficient_scope`; 429 `rate_limited`.
        """
        path = plain_path(path)
        shown = given(headers)
        found = await self._credentials.find(shown)
        if found is None:
            raise _unknown(shown)
        _check_alive(found)
        if found.principal.session_id is not None:
            _check_same_site(method, headers, found)
        _check_password_changed(found.principal, path)
        _check_scope(found.principal, path)
        if scope_of(path) is Scope.INFERENCE:
            self._limiter.count(found.principal.user_id)
        await self._credentials.touch(found)
        return found.principal

    async def recheck(self, principal: Principal, path: str) -> Principal:
        """`principal` as it is now, for connections that stay open on `path`.

        Raises:
            ApiError: as `authenticate`; the connection must then be closed.
        """
        found = await self._credentials.again(principal)
        if found is None:
            raise Unauthorized("This session or API key was revoked.")
        _check_alive(found)
        _check_password_changed(found.principal, plain_path(path))
        _check_scope(found.principal, plain_path(path))
        return found.principal


def refuse_foreign(method: str, headers: Headers) -> None:
    """Keep other sites' pages from changing anything, with or without a credential.

    Raises:
        Forbidden: code `csrf_failed`.
    """
    if method not in SAFE_METHODS and is_foreign(headers):
        raise _csrf("The request came from a page of another site.")


def check_status(status: str) -> None:
    """Refuse an account that may not be used.

    Raises:
        Forbidden: code `account_pending` or `account_suspended`.
    """
    if status == "pending":
        raise Forbidden(
            "This account waits for an administrator to approve it.", code="account_pending"
        )
    if status != "active":
        raise Forbidden(
            "This account is suspended. Ask an administrator.", code="account_suspended"
        )


def _check_alive(found: Found) -> None:
    if found.expires_at is not None and found.expires_at <= now():
        raise Unauthorized(
            "The session has expired. Sign in again."
            if found.principal.session_id
            else "The API key has expired. Make a new one under Account."
        )
    check_status(found.status)


def _check_same_site(method: str, headers: Headers, found: Found) -> None:
    if method == WEBSOCKET:
        # Browsers always say where a WebSocket comes from, and send the cookie from anywhere.
        if not is_own_origin(headers):
            raise _csrf("A WebSocket with the session cookie needs the Origin of this site.")
        return
    if method in SAFE_METHODS:
        return
    refuse_foreign(method, headers)
    token = headers.get("x-csrf-token", "")
    if not hmac.compare_digest(token.encode(), found.csrf_token.encode()):
        raise _csrf("The header X-CSRF-Token is missing or wrong. Reload the page.")


def _check_password_changed(principal: Principal, path: str) -> None:
    if principal.must_change_password and path not in BEFORE_PASSWORD_CHANGE:
        raise Forbidden(
            "Choose a new password first: POST /api/auth/password.",
            code="password_change_required",
        )


def _check_scope(principal: Principal, path: str) -> None:
    if principal.scopes is not None:
        if is_account(path):
            raise Forbidden(
                "Accounts are managed by their owner after signing in, not with an API key.",
                code="session_required",
            )
        needed = scope_of(path)
        if needed not in principal.scopes:
            raise Forbidden(
                f"This API key lacks the scope `{needed}`. Make one that has it under Account.",
                code="insufficient_scope",
            )
    if scope_of(path) is Scope.ADMIN and not principal.is_admin:
        raise admin_required()


def admin_required() -> ApiError:
    """The refusal of what only administrators may do."""
    return Forbidden("Only an administrator may do this.", code="admin_required")


def _unknown(shown: Given) -> ApiError:
    challenge = {"WWW-Authenticate": "Bearer"}
    if shown.api_key is not None:
        return Unauthorized("The API key is not valid.", headers=challenge)
    if shown.token is not None:
        return Unauthorized("The session has ended. Sign in again.", headers=challenge)
    return Unauthorized("Sign in, or send an API key as a Bearer token.", headers=challenge)


def _csrf(message: str) -> ApiError:
    return Forbidden(message, code="csrf_failed")
