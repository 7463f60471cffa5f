"""The record of what was fetched into a checkpoint's folder, kept beside the files.

Size and time of change let a second fetch trust a file without reading it; `models verify` reads
everything.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

LOCK_NAME = "atoll.lock.json"
_CHUNK = 4 * 1024 * 1024


class LockedFile(BaseModel):
    """One file as it was when its hash was last found right."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    bytes: int
    mtime_ns: int
    sha256: str

    def is_untouched(self, folder: Path) -> bool:
        """Whether the file still has the size and time of change recorded here."""
        try:
            stat = (folder / self.name).stat()
        except OSError:
            return False
        return (stat.st_size, stat.st_mtime_ns) == (self.bytes, self.mtime_ns)


class Lock(BaseModel):
    """Where a checkpoint came from and what it consists of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    licence: str
    starter: bool
    files: tuple[LockedFile, ...]


def read_lock(path: Path) -> Lock | None:
    """The record, or None when there is none that can be read."""
    try:
        return Lock.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def sha256_of(path: Path, on_bytes: Callable[[int], None] | None = None) -> str:
    """The hash of a file in hexadecimal; `on_bytes` is told how many bytes were read so far."""
    digest = hashlib.sha256()
    done = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            done += len(chunk)
            if on_bytes is not None:
                on_bytes(done)
    return digest.hexdigest()
