"""What routes ask for: the user, the administrator, the person who signed in.

All are `async`: FastAPI takes a plain function to a worker thread and back, for each request.
"""

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from atoll_chat.accounts.authentication import admin_required
from atoll_chat.accounts.client import Client, client_of
from atoll_chat.accounts.principal import Principal
from atoll_chat.accounts.service import AccountsService
from atoll_chat.backend import backend_of
from atoll_kit.errors import Forbidden, Unauthorized


async def optional_user(connection: HTTPConnection) -> Principal | None:
    """The user, or None where a path is open to everybody."""
    principal: Principal | None = getattr(connection.state, "principal", None)
    return principal


async def current_user(
    principal: Annotated[Principal | None, Depends(optional_user)],
) -> Principal:
    """The user who asks. The middleware has refused everybody else already."""
    if principal is None:
        raise Unauthorized("Sign in, or send an API key as a Bearer token.")
    return principal


async def current_admin(principal: Annotated[Principal, Depends(current_user)]) -> Principal:
    """The user, who is an administrator and, with an API key, has the scope `admin`."""
    if not principal.is_admin:
        raise admin_required()
    return principal


async def session_user(principal: Annotated[Principal, Depends(current_user)]) -> Principal:
    """The user, who signed in: accounts are not managed with API keys."""
    if principal.session_id is None:
        raise Forbidden("Sign in to do this; an API key is not enough.", code="session_required")
    return principal


async def accounts_service(connection: HTTPConnection) -> AccountsService:
    """The accounts of the backend that serves this request."""
    return backend_of(connection).accounts


async def client(connection: HTTPConnection) -> Client:
    """Where the request comes from."""
    return client_of(connection, backend_of(connection).settings.internal_token)


OptionalUser = Annotated[Principal | None, Depends(optional_user)]
CurrentUser = Annotated[Principal, Depends(current_user)]
CurrentAdmin = Annotated[Principal, Depends(current_admin)]
SessionUser = Annotated[Principal, Depends(session_user)]
Accounts = Annotated[AccountsService, Depends(accounts_service)]
CurrentClient = Annotated[Client, Depends(client)]
