"""Reads every recorded file again and compares its hash."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from atoll_inference.catalog.lock import LOCK_NAME, read_lock, sha256_of


@dataclass(frozen=True, slots=True)
class Verified:
    """One file; `problem` is None when its hash is the recorded one."""

    path: Path
    problem: str | None


def verify(models_dir: Path) -> Iterator[Verified]:
    """Check every file that a fetch recorded under the models folder."""
    for record in sorted(models_dir.glob(f"*/*/{LOCK_NAME}")):
        lock = read_lock(record)
        if lock is None:
            yield Verified(record, "this record cannot be read; fetch the checkpoint again")
            continue
        for file in lock.files:
            path = record.parent / file.name
            if not path.is_file():
                yield Verified(path, "is missing; fetch the checkpoint again")
            elif (found := sha256_of(path)) != file.sha256:
                yield Verified(
                    path, f"sha256 is {found}, recorded is {file.sha256}; fetch it again"
                )
            else:
                yield Verified(path, None)
