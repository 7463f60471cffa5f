"""Routes of the user's own account: sign in and out, sessions, API keys."""

from typing import Any

from fastapi import APIRouter, Request, Response

from atoll_chat.accounts.client import Client
from atoll_chat.accounts.credentials import COOKIE, session_token
from atoll_chat.accounts.dependencies import Accounts, CurrentClient, SessionUser
from atoll_chat.accounts.schemas import (
    ApiKeys,
    ChangePassword,
    CreateApiKey,
    CreatedApiKey,
    Login,
    Register,
    Registered,
    Sessions,
    SignedIn,
)
from atoll_chat.accounts.service import AccountsService, Ticket

router = APIRouter(prefix="/api/auth", tags=["accounts"])


@router.post("/register", status_code=201)
async def register(body: Register, accounts: Accounts) -> Registered:
    """Make an account. It starts no session."""
    return await accounts.register(body.username, body.password)


@router.post("/login")
async def log_in(
    body: Login, request: Request, response: Response, accounts: Accounts, client: CurrentClient
) -> SignedIn:
    """Sign in: sets the session cookie and gives the CSRF token."""
    old = session_token(request.headers)
    ticket = await accounts.log_in(body.username, body.password, client, old)
    return _hand_out(ticket, response, accounts, client)


@router.post("/logout", status_code=204)
async def log_out(
    user: SessionUser, response: Response, accounts: Accounts, client: CurrentClient
) -> None:
    """Sign out: ends this session."""
    await accounts.log_out(user)
    response.delete_cookie(COOKIE, **_cookie(client))


@router.get("/me")
async def me(user: SessionUser, accounts: Accounts) -> SignedIn:
    """The user who is signed in."""
    return await accounts.me(user)


@router.post("/password")
async def change_password(
    body: ChangePassword,
    user: SessionUser,
    response: Response,
    accounts: Accounts,
    client: CurrentClient,
) -> SignedIn:
    """Change the password. Other sessions end, and this one gets a new cookie and CSRF token."""
    ticket = await accounts.change_password(user, body.current_password, body.new_password, client)
    return _hand_out(ticket, response, accounts, client)


@router.get("/sessions")
async def list_sessions(user: SessionUser, accounts: Accounts) -> Sessions:
    """The browsers in which the user is signed in."""
    return Sessions(items=await accounts.sessions(user))


@router.delete("/sessions", status_code=204)
async def revoke_other_sessions(user: SessionUser, accounts: Accounts) -> None:
    """Sign every other browser out."""
    await accounts.revoke_other_sessions(user)


@router.delete("/sessions/{session_id}", status_code=204)
async def revoke_session(session_id: str, user: SessionUser, accounts: Accounts) -> None:
    """Sign one browser out."""
    await accounts.revoke_session(user, session_id)


@router.get("/api-keys")
async def list_api_keys(user: SessionUser, accounts: Accounts) -> ApiKeys:
    """The user's API keys, without their secrets."""
    return ApiKeys(items=await accounts.keys.all(user))


@router.post("/api-keys", status_code=201)
async def create_api_key(
    body: CreateApiKey, user: SessionUser, accounts: Accounts
) -> CreatedApiKey:
    """Make an API key. `key` is shown this once."""
    return await accounts.keys.create(user, body)


@router.delete("/api-keys/{key_id}", status_code=204)
async def revoke_api_key(key_id: str, user: SessionUser, accounts: Accounts) -> None:
    """Revoke an API key; it stops working at once."""
    await accounts.keys.revoke(user, key_id)


def _hand_out(
    ticket: Ticket, response: Response, accounts: AccountsService, client: Client
) -> SignedIn:
    lifetime = int(accounts.settings.session_max_days * 86400)
    response.set_cookie(COOKIE, ticket.token, max_age=lifetime, **_cookie(client))
    # The answer holds the CSRF token.
    response.headers["Cache-Control"] = "no-store"
    return ticket.answer


def _cookie(client: Client) -> dict[str, Any]:
    return {"path": "/", "httponly": True, "samesite": "lax", "secure": client.secure}
