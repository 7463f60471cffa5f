"""Requests and answers of the account routes."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from atoll_chat.accounts.access import Scope
from atoll_chat.accounts.tables import ApiKeyRow
from atoll_chat.settings import Registration

Role = Literal["admin", "user"]
Status = Literal["active", "pending", "suspended"]
KeyName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]

# Longer than the rules allow, so that the rules give the answer; short enough to be cheap.
_Username = Annotated[str, Field(max_length=256)]
_Password = Annotated[str, Field(max_length=1024)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _FromRow(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class User(_FromRow):
    """A person, as that person and administrators see them."""

    id: str
    username: str
    role: Role
    status: Status
    must_change_password: bool
    created_at: datetime


class AdminUser(User):
    """A person, as administrators see them."""

    last_login_at: datetime | None


class Register(_Request):
    """A new account."""

    username: _Username
    password: _Password


class Registered(BaseModel):
    """The new account; `pending` ones wait for an administrator."""

    user: User
    status: Literal["active", "pending"]


class Login(_Request):
    """Who signs in."""

    username: _Username
    password: _Password


class SignedIn(BaseModel):
    """The user and the value for the header `X-CSRF-Token` of this session."""

    user: User
    csrf_token: str


class ChangePassword(_Request):
    """The password as it is and as it shall be."""

    current_password: _Password
    new_password: _Password


class Session(_FromRow):
    """A signed-in browser."""

    id: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime = Field(description="When it ends if it is not used again.")
    address: str
    user_agent: str
    current: bool


class Sessions(BaseModel):
    """Every session of the user, the one last seen first."""

    items: list[Session]


class CreateApiKey(_Request):
    """A key for programs."""

    name: KeyName
    scopes: list[Scope] = Field(
        default=[Scope.INFERENCE, Scope.CONVERSATIONS],
        min_length=1,
        max_length=10,
        description="What the key is good for; `admin` only for administrators.",
    )
    expires_in_days: int | None = Field(
        default=None, ge=1, le=3650, description="Days until it expires; null for never."
    )


class ApiKey(BaseModel):
    """A key, without the secret part."""

    id: str
    name: str
    prefix: str = Field(description="How the key begins, to tell one from another.")
    scopes: list[Scope]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None

    @classmethod
    def of(cls, row: ApiKeyRow) -> "ApiKey":
        """The key in `row`."""
        return cls(
            id=row.id,
            name=row.name,
            prefix=row.prefix,
            scopes=[Scope(scope) for scope in row.scopes.split()],
            created_at=row.created_at,
            last_used_at=row.last_used_at,
            expires_at=row.expires_at,
        )


class CreatedApiKey(ApiKey):
    """A new key with its secret, which is shown this once."""

    key: str


class ApiKeys(BaseModel):
    """Every key of the user, the newest first."""

    items: list[ApiKey]


class ChangeUser(_Request):
    """What an administrator changes; absent means unchanged."""

    status: Status | None = None
    role: Role | None = None


class AccountSettings(BaseModel):
    """Settings that administrators change at run time."""

    registration: Registration


class ChangeSettings(_Request):
    """What an administrator changes; absent means unchanged."""

    registration: Registration | None = None
