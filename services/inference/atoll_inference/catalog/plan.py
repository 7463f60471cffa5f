"""What it takes to install a starter: where each of its files comes from, and with which hash."""

import re
from dataclasses import dataclass
from pathlib import Path

from atoll_inference.catalog.checkpoint import Defaults
from atoll_inference.catalog.conversion import Kind
from atoll_inference.catalog.lock import HashedFile
from atoll_inference.catalog.slots import Catalog, Starter, StarterFile, Wheel
from atoll_inference.catalog.store import STARTERS_NAME, FetchFailed

CHECKSUMS_NAME = "checksums.sha256"
"""Names and hashes of the files of a carried starter, as sha256sum writes them."""

BASE_PREFIX = "base."
"""Put before the names of the files that a change needs of its base."""

_NEEDED_OF_BASE = re.compile(r"model\.safetensors|.*token.*\.json|vocab\.(txt|json)|merges\.txt")
_LINE = re.compile(r"([0-9a-f]{64})[ ][ *]([A-Za-z0-9._-]+)")


@dataclass(frozen=True, slots=True)
class CopiedFile:
    """A file that lies on this machine: in the release, or in another checkpoint."""

    name: str
    path: Path
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that installing one starter needs."""

    name: str
    source: str
    licence: str
    wheels: tuple[Wheel, ...]
    files: tuple[StarterFile | CopiedFile, ...]
    convert: Kind | None
    defaults: Defaults

    def fetched(self) -> tuple[HashedFile, ...]:
        """Names and hashes of the files before any conversion."""
        return tuple(HashedFile(name=f.name, bytes=f.bytes, sha256=f.sha256) for f in self.files)


def plan(slot: str, starter: Starter, catalog: Catalog, models_dir: Path) -> Plan:
    """How to install `starter`; what it is based on has to be installed in `models_dir`.

    Raises:
        FetchFailed: it should lie in the release, and does not.
    """
    if not starter.carried:
        return Plan(
            name=starter.name,
            source=_packages(starter),
            licence=starter.licence,
            wheels=starter.wheels,
            files=starter.files,
            convert=starter.convert,
            defaults=starter.defaults,
        )
    files = carried_files(catalog.starters / slot / starter.name)
    source = f"{STARTERS_NAME}/{slot}/{starter.name}"
    base = catalog.slots[starter.base].starter if starter.base else None
    if base is not None:
        folder = models_dir / str(starter.base) / base.name
        files += tuple(
            CopiedFile(f"{BASE_PREFIX}{file.name}", folder / file.name, file.sha256, file.bytes)
            for file in base.files
            if _NEEDED_OF_BASE.fullmatch(file.name)
        )
        source += f" {_packages(base)}"
    return Plan(
        name=starter.name,
        source=source,
        licence=starter.licence,
        wheels=(),
        files=files,
        convert="assembled" if base else None,
        defaults=starter.defaults,
    )


def carried_files(folder: Path) -> tuple[CopiedFile, ...]:
    """The files of a carried starter, by its list of hashes.

    Raises:
        FetchFailed: the folder, the list or a file is missing.
    """
    listing = folder / CHECKSUMS_NAME
    try:
        lines = listing.read_text("utf-8").splitlines()
        found = [_LINE.fullmatch(line) for line in lines]
        names = [(match[2], match[1]) for match in found if match]
        if len(names) != len(lines) or not names:
            raise FetchFailed(f"{listing} is no list of hashes. Take this release again.")
        return tuple(
            CopiedFile(name, folder / name, sha256, (folder / name).stat().st_size)
            for name, sha256 in names
        )
    except OSError as error:
        raise FetchFailed(
            f"{error.filename}: {error.strerror}. The starters in {STARTERS_NAME}/ beside the "
            "catalog belong to the release: fetch in a whole checkout of it."
        ) from error


def _packages(starter: Starter) -> str:
    return " ".join(wheel.requirement for wheel in starter.wheels)
