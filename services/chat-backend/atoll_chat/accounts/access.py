"""What a path asks of whoever calls it."""

from enum import StrEnum
from urllib.parse import unquote


class Scope(StrEnum):
    """What an API key may be good for."""

    INFERENCE = "inference"
    CONVERSATIONS = "conversations"
    ADMIN = "admin"


SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

OPEN = frozenset(
    {"/api/health", "/api/config", "/api/auth/login", "/api/auth/register", "/metrics"}
)
# Served without a credential, and with more in the answer when there is one.
OPTIONAL = frozenset({"/api/status"})
# What a person who must choose a new password can still do.
BEFORE_PASSWORD_CHANGE = frozenset({"/api/auth/me", "/api/auth/password", "/api/auth/logout"})

_ADMIN = ("/api/admin", "/v2/repository")
_INFERENCE = (
    "/v1",
    "/v2",
    "/inference",
    "/rerank",
    "/api/v1",
    "/api/chat/completions",
    "/api/analyze",
    "/ws/analyze",
)


def is_under(path: str, prefix: str) -> bool:
    """Whether `path` is `prefix` or lies below it."""
    return path == prefix or path.startswith(prefix + "/")


def is_internal(path: str) -> bool:
    """Whether `path` is for the other services: it takes their token and no user."""
    return is_under(path, "/internal")


def is_account(path: str) -> bool:
    """Whether `path` manages an account, which takes a person's session and never a key."""
    return is_under(path, "/api/auth")


def scope_of(path: str) -> Scope:
    """The scope that an API key needs for `path`."""
    if any(is_under(path, prefix) for prefix in _ADMIN):
        return Scope.ADMIN
    if any(is_under(path, prefix) for prefix in _INFERENCE):
        return Scope.INFERENCE
    return Scope.CONVERSATIONS


def plain_path(path: str) -> str:
    """`path` without slashes at its end, as the tables above spell it."""
    return path.rstrip("/") or "/"


def nginx_path(uri: str) -> str | None:
    """The path by which nginx chose a location for the request line's `uri`.

    As nginx does it: the query is cut off, percent signs are decoded once, slashes are merged and
    dot segments resolved. None when nginx would refuse the request.
    """
    raw = uri.partition("?")[0].partition("#")[0]
    if not raw.startswith("/"):
        return None
    try:
        decoded = unquote(raw, errors="strict")
    except UnicodeDecodeError:
        return None
    if "\0" in decoded:
        return None
    kept: list[str] = []
    segments = decoded.split("/")
    for segment in segments:
        if segment == "..":
            if not kept:
                return None
            kept.pop()
        elif segment not in ("", "."):
            kept.append(segment)
    slash = "/" if kept and segments[-1] in ("", ".", "..") else ""
    return "/" + "/".join(kept) + slash
