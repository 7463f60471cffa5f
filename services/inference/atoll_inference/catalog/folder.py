"""One folder of the models directory, as the inspectors of the formats see it."""

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from atoll_inference.catalog.checkpoint import Checkpoint, Defaults

SETTINGS_NAME = "atoll.toml"
"""Generation defaults beside the weights."""

WEIGHTS = frozenset({".gguf", ".safetensors", ".bin", ".pt", ".pth", ".onnx", ".ckpt", ".npz"})
PICKLES = frozenset({".pt", ".pth", ".ckpt"})

_MAX_JSON = 4 * 1024 * 1024
_MAX_FILES = 2000


class Problem(Exception):
    """Why a folder cannot be served; the message names the file and the remedy."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A checkpoint's folder, or a single weights file that stands for one.

    Attributes:
        slot: as the folder's place says; None when only its contents can tell.
        files: what lies directly in it, by name; hidden files left out.
    """

    path: Path
    slot: str | None
    files: tuple[Path, ...]

    @property
    def id(self) -> str:
        """The name clients use."""
        name = self.path.name.removesuffix(".gguf")
        return re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-") or "unnamed"

    @property
    def weights(self) -> list[Path]:
        """Files that hold weights, of whatever format."""
        return [file for file in self.files if file.suffix in WEIGHTS]

    @property
    def pickles(self) -> list[Path]:
        """Weights that only a conversion may read."""
        return [
            file
            for file in self.files
            if file.suffix in PICKLES or (file.suffix == ".bin" and "pytorch_model" in file.name)
        ]

    def ending(self, suffix: str) -> list[Path]:
        """Files of that kind."""
        return [file for file in self.files if file.suffix == suffix]

    def has(self, *names: str) -> bool:
        """Whether all these files are there."""
        return {file.name for file in self.files}.issuperset(names)

    def json(self, name: str) -> dict[str, Any]:
        """An object kept in the folder.

        Raises:
            Problem: it is absent, too large, or no JSON object.
        """
        return _as_object(self.path / name, self._read(name))

    def json_or_empty(self, name: str) -> dict[str, Any]:
        """The same, empty when there is no such file."""
        return self.json(name) if (self.path / name).is_file() else {}

    def json_list(self, name: str) -> list[Any]:
        """A list kept in the folder; empty when there is no such file.

        Raises:
            Problem: it is too large or no JSON list.
        """
        if not (self.path / name).is_file():
            return []
        content = self._read(name)
        if not isinstance(content, list):
            raise Problem(f"{self.path / name} cannot be used: it is no list.")
        return content

    def _read(self, name: str) -> Any:
        path = self.path / name
        try:
            if path.stat().st_size > _MAX_JSON:
                raise ValueError("it is too large")
            return json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            raise Problem(f"{path} is missing. Fetch the checkpoint again.") from None
        except (OSError, ValueError, RecursionError) as error:
            raise Problem(f"{path} cannot be used: {error}.") from error

    def defaults(self) -> Defaults:
        """What `atoll.toml` says.

        Raises:
            Problem: it is no TOML or has a value that cannot be.
        """
        path = self.path / SETTINGS_NAME
        try:
            content: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return Defaults()
        except (OSError, ValueError) as error:
            raise Problem(f"{path} cannot be read: {error}. Correct it or delete it.") from error
        try:
            return Defaults.model_validate(content.get("defaults", {}))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise Problem(f"{path}: [defaults] {where}: {first['msg']}.") from error

    def broken(self, problem: str, slot: str | None = None) -> Checkpoint:
        """The checkpoint as it is listed when it cannot be served."""
        return Checkpoint(
            id=self.id, slot=slot or self.slot or "unknown", path=self.path, problem=problem
        )

    def fingerprint(self) -> tuple[Any, ...]:
        """Names, sizes and times of change of everything in it, one level down included."""
        marks: list[Any] = []
        for file in [*self.files, *_one_level_down(self.path)]:
            try:
                stat = file.stat()
            except OSError:
                continue
            marks.append((str(file.relative_to(self.path)), stat.st_size, stat.st_mtime_ns))
        return tuple(marks)


def open_folder(path: Path, slot: str | None) -> Folder:
    """Look at a folder, or at one file.

    Raises:
        OSError: it cannot be read.
    """
    if path.is_file():
        return Folder(path, slot, (path,))
    return Folder(path, slot, tuple(_files(path)))


def _files(folder: Path) -> Iterator[Path]:
    found = sorted(f for f in folder.iterdir() if not f.name.startswith("."))[:_MAX_FILES]
    return (file for file in found if file.is_file())


def _one_level_down(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        return
    for inner in sorted(folder.iterdir()):
        if inner.is_dir() and not inner.name.startswith("."):
            yield from _files(inner)


def _as_object(path: Path, content: Any) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise Problem(f"{path} cannot be used: it is no JSON object.")
    return content
