"""Finds checkpoints in the models folder and says what each of them is, or what is wrong.

A checkpoint is a folder `MODELS_DIR/<slot>/<name>/`, or `MODELS_DIR/<name>/` whose own files then
tell the slot. Broken and unknown folders are listed too, with the reason.
"""

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from atoll_inference.catalog import gguf
from atoll_inference.catalog.checkpoint import Checkpoint, Defaults
from atoll_inference.catalog.families import SLOTS, slot_of_config, slot_of_gguf
from atoll_inference.catalog.lock import LOCK_NAME, read_lock

SETTINGS_NAME = "atoll.toml"
"""Generation defaults beside the weights."""

_SPLIT = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")
_WEIGHTS = (".gguf", ".safetensors", ".bin", ".pt", ".onnx", ".ckpt", ".npz")
_MAX_CONFIG = 4 * 1024 * 1024


class Discovery:
    """Scans the models folder; what was read of a file is kept until the file changes.

    Args:
        models_dir: the folder of all checkpoints; may be absent.
        served: pairs of slot and format that this release has an engine for.
        extra: one more checkpoint elsewhere: a folder or a GGUF file.
    """

    def __init__(
        self, models_dir: Path, served: frozenset[tuple[str, str]], extra: Path | None = None
    ) -> None:
        self._models_dir = models_dir
        self._served = served
        self._extra = extra
        self._headers: dict[tuple[str, int, int], gguf.Gguf | str] = {}

    def scan(self) -> list[Checkpoint]:
        """Every checkpoint: those of an operator before starter ones, then by name.

        Blocking; costs a directory walk and, for new files, reading their headers.
        """
        seen: dict[str, Path] = {}
        checkpoints: list[Checkpoint] = []
        for folder, slot in self._folders():
            checkpoint = self._inspect(folder, slot)
            if checkpoint.id in seen:
                first = seen[checkpoint.id]
                checkpoint = _broken(
                    folder,
                    checkpoint.slot,
                    f"{first} has the same name. Rename one of the two folders.",
                    identifier=f"{checkpoint.slot}/{checkpoint.id}",
                )
            seen[checkpoint.id] = folder
            checkpoints.append(checkpoint)
        return sorted(checkpoints, key=lambda c: (c.is_starter, c.id))

    def _folders(self) -> Iterator[tuple[Path, str | None]]:
        if self._extra is not None:
            yield self._extra, None
        for folder in _subfolders(self._models_dir):
            if folder.name in SLOTS:
                for checkpoint in _subfolders(folder):
                    yield checkpoint, folder.name
            else:
                yield folder, None

    def _inspect(self, folder: Path, slot: str | None) -> Checkpoint:
        try:
            files = _weight_files(folder)
        except OSError as error:
            return _broken(
                folder,
                slot or "unknown",
                f"{folder} cannot be read ({error.strerror}). Check that "
                "it exists and that this service's user may read it.",
            )
        fingerprint = _fingerprint([*files, folder / SETTINGS_NAME, folder / "config.json"])
        total = sum(file.stat().st_size for file in files)
        if any(file.suffix == ".gguf" for file in files):
            found = self._inspect_gguf(folder, slot, [f for f in files if f.suffix == ".gguf"])
        else:
            found = self._inspect_config(folder, slot, bool(files))
        return replace(found, bytes=total, fingerprint=(*fingerprint, found.problem))

    def _inspect_gguf(self, folder: Path, slot: str | None, files: list[Path]) -> Checkpoint:
        try:
            defaults = _defaults(folder)
            weights = _first_part(files)
            headers = [self._header(file) for file in files]
        except _Problem as reason:
            return _broken(folder, slot or "unknown", str(reason))
        header = headers[files.index(weights)]
        by_content = slot_of_gguf(header.metadata)
        final = slot or by_content
        problem = None
        if final == "chat" and by_content != "chat":
            problem = (
                f"{weights} is no chat model: it has no chat template. Use an instruction-tuned "
                "GGUF file."
            )
        elif final == "unknown":
            problem = f"{weights} does not say what it is for. Put its folder under {SLOTS[0]}/."
        elif (final, "gguf") not in self._served:
            problem = f"This release has no engine for a GGUF file in the slot {final}."
        return Checkpoint(
            id=_identifier(folder),
            slot=final,
            path=folder,
            weights=weights,
            format="gguf",
            architecture=header.architecture,
            parameters=sum(h.parameters for h in headers),
            context_length=header.number("context_length"),
            cache_bytes_per_token=header.cache_bytes_per_token,
            defaults=defaults,
            is_starter=_is_starter(folder),
            problem=problem,
        )

    def _inspect_config(self, folder: Path, slot: str | None, has_weights: bool) -> Checkpoint:
        config = folder / "config.json"
        if not config.is_file():
            return _broken(
                folder,
                slot or "unknown",
                f"{folder} has neither a GGUF file nor a config.json. Fetch the checkpoint again, "
                "or remove the folder.",
            )
        try:
            if config.stat().st_size > _MAX_CONFIG:
                raise ValueError("it is too large")
            content = json.loads(config.read_text("utf-8"))
            if not isinstance(content, dict):
                raise ValueError("it is no JSON object")
        except (OSError, ValueError, RecursionError) as error:
            return _broken(folder, slot or "unknown", f"{config} cannot be used: {error}.")
        final = slot or slot_of_config(content)
        names = content.get("architectures")
        architecture = str(names[0]) if isinstance(names, list) and names else None
        if final == "unknown":
            problem = f"{config} names no architecture that is known here ({architecture})."
        elif not has_weights:
            problem = f"{folder} has a config.json and no weights. Fetch the checkpoint again."
        else:
            problem = (
                f"This release has no engine for {final} checkpoints in this format "
                f"({architecture})."
            )
        return Checkpoint(
            id=_identifier(folder),
            slot=final,
            path=folder,
            format="safetensors",
            architecture=architecture,
            problem=problem,
        )

    def _header(self, file: Path) -> gguf.Gguf:
        try:
            stat = file.stat()
            key = (str(file), stat.st_size, stat.st_mtime_ns)
            if key not in self._headers:
                try:
                    self._headers[key] = gguf.read(file)
                except gguf.BadGguf as error:
                    self._headers[key] = str(error)
        except (OSError, ValueError) as error:
            raise _Problem(f"{file} cannot be read: {error}.") from error
        known = self._headers[key]
        if isinstance(known, str):
            raise _Problem(f"{file} is damaged: {known}. Delete it and fetch the checkpoint again.")
        return known


class _Problem(Exception):
    """Why a folder cannot be served."""


def _subfolders(folder: Path) -> list[Path]:
    try:
        return sorted(
            entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith(".")
        )
    except OSError:
        return []


def _weight_files(folder: Path) -> list[Path]:
    if folder.is_file():
        return [folder]
    return sorted(file for file in folder.iterdir() if file.suffix in _WEIGHTS and file.is_file())


def _first_part(files: list[Path]) -> Path:
    """The file to open: the only one, or the first of a complete set of parts."""
    models = [f for f in files if not f.name.lower().startswith("mmproj")]
    parts = [f for f in models if _SPLIT.search(f.name)]
    if not models:
        raise _Problem(f"{files[0].parent} has a projector and no language model.")
    if len(models) == 1 and not parts:
        return models[0]
    if len(parts) != len(models):
        names = ", ".join(f.name for f in models)
        raise _Problem(f"{files[0].parent} has several GGUF files ({names}). Keep one a folder.")
    match = _SPLIT.search(parts[0].name)
    assert match is not None
    if match[1] != "00001" or len(parts) != int(match[2]):
        raise _Problem(
            f"{files[0].parent} has {len(parts)} of the {int(match[2])} parts of {parts[0].name}. "
            "Fetch the missing ones."
        )
    return parts[0]


def _defaults(folder: Path) -> Defaults:
    path = folder / SETTINGS_NAME
    try:
        content: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return Defaults()
    except (OSError, ValueError) as error:
        raise _Problem(f"{path} cannot be read: {error}. Correct it or delete it.") from error
    try:
        return Defaults.model_validate(content.get("defaults", {}))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise _Problem(f"{path}: [defaults] {where}: {first['msg']}.") from error


def _is_starter(folder: Path) -> bool:
    lock = read_lock(folder / LOCK_NAME)
    return lock is not None and lock.starter


def _identifier(folder: Path) -> str:
    name = folder.name.removesuffix(".gguf")
    return re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-") or "unnamed"


def _fingerprint(files: list[Path]) -> tuple[Any, ...]:
    marks: list[Any] = []
    for file in files:
        try:
            stat = file.stat()
            marks.append((file.name, stat.st_size, stat.st_mtime_ns))
        except OSError:
            continue
    return tuple(marks)


def _broken(folder: Path, slot: str, problem: str, identifier: str | None = None) -> Checkpoint:
    return Checkpoint(id=identifier or _identifier(folder), slot=slot, path=folder, problem=problem)
