"""Routes with which administrators manage accounts."""

from typing import Annotated

from fastapi import APIRouter, Query

from atoll_chat.accounts.dependencies import Accounts, CurrentAdmin
from atoll_chat.accounts.schemas import (
    AccountSettings,
    AdminUser,
    ChangeSettings,
    ChangeUser,
    Status,
)
from atoll_chat.paging import Page

router = APIRouter(prefix="/api/admin", tags=["administration"])


@router.get("/users")
async def list_users(
    admin: CurrentAdmin,
    accounts: Accounts,
    status: Status | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> Page[AdminUser]:
    """Users, the newest first."""
    return await accounts.administration.users(status, cursor, limit)


@router.patch("/users/{user_id}")
async def change_user(
    user_id: str, body: ChangeUser, admin: CurrentAdmin, accounts: Accounts
) -> AdminUser:
    """Approve, suspend, promote or demote a user."""
    return await accounts.administration.change_user(admin, user_id, body)


@router.get("/settings")
async def read_settings(admin: CurrentAdmin, accounts: Accounts) -> AccountSettings:
    """The settings in force."""
    return await accounts.administration.settings()


@router.patch("/settings")
async def change_settings(
    body: ChangeSettings, admin: CurrentAdmin, accounts: Accounts
) -> AccountSettings:
    """Change settings; they win over the environment."""
    return await accounts.administration.change_settings(admin, body)
