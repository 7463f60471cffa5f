"""Reads every recorded file again and compares its hash; needs no network."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from atoll_inference.catalog.folder import SETTINGS_NAME
from atoll_inference.catalog.lock import (
    LOCK_NAME,
    MODELS_LOCK_NAME,
    BadLock,
    HashedFile,
    files_under,
    read_lock,
    read_models_lock,
    sha256_of,
)

_OWN = frozenset({LOCK_NAME, SETTINGS_NAME})
_AGAIN = "fetch the checkpoint again"


@dataclass(frozen=True, slots=True)
class Verified:
    """One file; `problem` is None when its hash is the recorded one."""

    path: Path
    problem: str | None


@dataclass(slots=True)
class _Reader:
    """Hashes of files, each read once though two records may name it."""

    known: dict[Path, str] = field(default_factory=dict)

    def check(self, path: Path, file: HashedFile) -> str | None:
        if not path.is_file():
            return f"is missing; {_AGAIN}"
        if (size := path.stat().st_size) != file.bytes:
            return f"has {size} bytes, recorded are {file.bytes}; {_AGAIN}"
        found = self.known.get(path) or self.known.setdefault(path, sha256_of(path))
        if found != file.sha256:
            return f"sha256 is {found}, recorded is {file.sha256}; {_AGAIN}"
        return None


def verify(models_dir: Path) -> Iterator[Verified]:
    """Check what was fetched under the models folder: missing, changed and extra files.

    Both records are followed: the one in each folder, and `models.lock.json`.
    """
    reader = _Reader()
    for record in sorted(models_dir.glob(f"*/*/{LOCK_NAME}")):
        lock = read_lock(record)
        if lock is None:
            yield Verified(record, f"this record cannot be read; {_AGAIN}")
            continue
        for file in lock.files:
            path = record.parent / file.name
            yield Verified(path, reader.check(path, file))
        extra = set(files_under(record.parent)) - {file.name for file in lock.files} - _OWN
        for name in sorted(extra):
            yield Verified(record.parent / name, "was not fetched with the rest; remove it")
    yield from _verify_models_lock(models_dir, reader)


def _verify_models_lock(models_dir: Path, reader: _Reader) -> Iterator[Verified]:
    try:
        lock = read_models_lock(models_dir)
    except BadLock as error:
        yield Verified(models_dir / MODELS_LOCK_NAME, str(error))
        return
    for slot, checkpoint in lock.checkpoints.items():
        folder = models_dir / checkpoint.folder
        if not folder.is_dir():
            yield Verified(
                folder,
                f"is missing; run `atoll-inference models fetch {slot}`",
            )
            continue
        found = read_lock(folder / LOCK_NAME)
        if found is None or found.source != f"{checkpoint.id}@{checkpoint.revision}":
            yield Verified(
                folder,
                f"is not {checkpoint.id} at {checkpoint.revision}, which {MODELS_LOCK_NAME} "
                f"records; {_AGAIN}",
            )
        recorded = {file.name: file for file in found.files} if found else {}
        for file in checkpoint.files:
            path = folder / file.name
            problem = reader.check(path, file)
            # A file that both records agree on was told of above.
            if problem and (file.name not in recorded or recorded[file.name].sha256 != file.sha256):
                yield Verified(path, f"{problem} ({MODELS_LOCK_NAME})")
