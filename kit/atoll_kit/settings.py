"""Settings from environment variables and secret files, checked before a service starts."""

import os
import sys
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AfterValidator, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

_DEFAULTS = ("changeme", "change-me", "change_me", "secret", "default", "example", "your-")
MIN_SECRET = 32


def _check_secret(value: str) -> str:
    lowered = value.lower()
    if len(value) < MIN_SECRET or len(set(value)) < 8:
        raise ValueError(
            f"needs at least {MIN_SECRET} random characters; make one with: openssl rand -hex 32"
        )
    if any(lowered.startswith(word) for word in _DEFAULTS):
        raise ValueError("still holds a default value; make one with: openssl rand -hex 32")
    return value


Secret = Annotated[str, AfterValidator(_check_secret)]
"""A secret of at least 32 characters that is not a well-known default."""


class ServiceSettings(BaseSettings):
    """Base of each service's settings. A field `queue_limit` is the variable `QUEUE_LIMIT`."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, extra="ignore")


S = TypeVar("S", bound=ServiceSettings)

SECRETS_DIR = Path("/run/secrets")
"""Where containers find secrets: a file `secret_key` is the variable SECRET_KEY, which wins."""


def load(settings: type[S]) -> S:
    """Read `settings` from the environment, or name every bad variable and exit with status 2."""
    folder = SECRETS_DIR if SECRETS_DIR.is_dir() else None
    try:
        return settings(_secrets_dir=folder)  # type: ignore[call-arg]
    except ValidationError as error:
        for problem in error.errors():
            name = str(problem["loc"][0]).upper() if problem["loc"] else "settings"
            if problem["type"] == "missing":
                print(f"{name}: is not set and has no default", file=sys.stderr)
            else:
                reason = problem["msg"].removeprefix("Value error, ")
                shown = "" if name in _hidden() else f" (now: {os.environ.get(name, '')!r})"
                print(f"{name}: {reason}{shown}", file=sys.stderr)
        raise SystemExit(2) from None


def _hidden() -> frozenset[str]:
    words = ("SECRET", "TOKEN", "PASSWORD", "KEY")
    return frozenset(name for name in os.environ if any(word in name for word in words))
