"""The layout of an archive.

In this order: `atoll-backup.json` (the header), `database.db`, `files/ab/abcdef…`, `data/…` (the
secrets), `config/…` and `manifest.json`, which names every member before it with its hash. An
archive that was cut off has no manifest.
"""

import re
from datetime import datetime

from pydantic import BaseModel

VERSION = 1
HEADER = "atoll-backup.json"
DATABASE = "database.db"
MANIFEST = "manifest.json"
FILES = "files/"
DATA = "data/"
CONFIG = "config/"

# What else below DATA_DIR belongs to the data; the rest is made anew or can be lost.
SECRETS = (
    "secrets.env",
    "secrets/secret_key",
    "secrets/internal_token",
    "secrets/admin_password",
    "secrets/llm_api_key",
)

_STEP = r"(?!\.\.?(?:/|$))[^/\x00-\x1f\\]{1,200}"
_MEMBER = re.compile(
    rf"{re.escape(DATABASE)}"
    r"|files/([0-9a-f]{2})/\1[0-9a-f]{30}"
    rf"|data/(?:{'|'.join(map(re.escape, SECRETS))})"
    rf"|config/{_STEP}(?:/{_STEP}){{0,20}}"
)


class Header(BaseModel):
    """The first member: what a reader has to know before it unpacks the rest."""

    version: int
    release: str
    revision: str
    created_at: datetime
    bytes: int


class Entry(BaseModel):
    """One member and what it has to hold."""

    path: str
    size: int
    sha256: str


class Table(BaseModel):
    """What a table holds: its rows, and one hash over all of them."""

    rows: int
    sha256: str


class Manifest(BaseModel):
    """The last member."""

    entries: list[Entry]
    tables: dict[str, Table]
    # What was wrong with the data already when the backup was taken, in words.
    faults: list[str]


def is_member(path: str) -> bool:
    """Whether an archive may have a member of this name between header and manifest."""
    return _MEMBER.fullmatch(path) is not None
