"""Finds checkpoints in the models folder and says what each of them is, or what is wrong.

A checkpoint is a folder `MODELS_DIR/<slot>/<name>/`, or `MODELS_DIR/<name>/` whose own files then
tell the slot. Broken and unknown folders are listed too, with the reason.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from atoll_inference.catalog import (
    ctranslate2_file,
    ctranslate2_folder,
    gguf,
    gguf_folder,
    onnx_folder,
    safetensors_file,
    safetensors_folder,
)
from atoll_inference.catalog.checkpoint import Checkpoint
from atoll_inference.catalog.families import ALL_SLOTS, INTERNAL_SLOTS
from atoll_inference.catalog.folder import Folder, Problem, open_folder
from atoll_inference.catalog.headers import Headers
from atoll_inference.catalog.lock import LOCK_NAME, read_lock
from atoll_inference.catalog.store import STARTERS_NAME


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
        self._gguf = Headers(gguf.read)
        self._safetensors = Headers(safetensors_file.read)
        self._ctranslate2 = Headers(ctranslate2_file.read)

    def scan(self) -> list[Checkpoint]:
        """Every checkpoint: those of an operator before starter ones, then by name.

        Blocking; costs a directory walk and, for new files, reading their headers.
        """
        seen: dict[str, Path] = {}
        checkpoints: list[Checkpoint] = []
        for path, slot in self._folders():
            checkpoint = self.inspect(path, slot)
            if checkpoint.id in seen:
                checkpoint = replace(
                    checkpoint,
                    id=f"{checkpoint.slot}/{checkpoint.id}",
                    problem=f"{seen[checkpoint.id]} has the same name. Rename one of the two "
                    "folders.",
                )
            seen[checkpoint.id] = path
            checkpoints.append(checkpoint)
        return sorted(checkpoints, key=lambda c: (c.is_starter, c.id))

    def _folders(self) -> Iterator[tuple[Path, str | None]]:
        if self._extra is not None:
            yield self._extra, None
        for folder in _subfolders(self._models_dir):
            if folder.name in ALL_SLOTS:
                for checkpoint in _subfolders(folder):
                    yield checkpoint, folder.name
            elif folder.name != STARTERS_NAME:
                yield folder, None

    def inspect(self, path: Path, slot: str | None) -> Checkpoint:
        """What one folder holds, under the slot that its place gives it."""
        try:
            folder = open_folder(path, slot)
            fingerprint = folder.fingerprint()
            total = sum(file.stat().st_size for file in folder.weights)
        except OSError as error:
            return Folder(path, slot, ()).broken(
                f"{path} cannot be read ({error.strerror}). Check that it exists and that this "
                "service's user may read it."
            )
        try:
            found = self._inspect_format(folder)
        except Problem as reason:
            found = folder.broken(str(reason), safetensors_folder.guess_slot(folder))
        except OSError as error:
            found = folder.broken(f"{error.filename or path} cannot be read: {error.strerror}.")
        lock = read_lock(path / LOCK_NAME)
        return replace(
            found,
            bytes=total,
            licence=lock.licence if lock else None,
            is_starter=lock is not None and lock.starter,
            problem=found.problem or self._no_engine(found),
            fingerprint=(*fingerprint, found.problem),
        )

    def _inspect_format(self, folder: Folder) -> Checkpoint:
        if folder.ending(".gguf"):
            return gguf_folder.inspect(folder, self._gguf)
        if folder.ending(".safetensors"):
            return safetensors_folder.inspect(folder, self._safetensors)
        if folder.has(ctranslate2_folder.WEIGHTS_NAME):
            return ctranslate2_folder.inspect(folder, self._ctranslate2)
        if folder.ending(".onnx"):
            return onnx_folder.inspect(folder)
        return _without_weights(folder)

    def _no_engine(self, found: Checkpoint) -> str | None:
        if found.slot in INTERNAL_SLOTS or (found.slot, found.format) in self._served:
            return None
        architecture = f" ({found.architecture})" if found.architecture else ""
        return (
            f"This release has no engine for {found.format} files{architecture} in the slot "
            f"{found.slot}."
        )


def _without_weights(folder: Folder) -> Checkpoint:
    """The listing of a folder without weights that can be served."""
    if folder.pickles:
        problem = (
            f"{folder.pickles[0]} is a pickle, which can run code when it is read, so it is not "
            f"served. Convert it: `atoll-inference models convert {folder.path}`."
        )
    elif folder.has("config.json"):
        problem = f"{folder.path} has a config.json and no weights. Fetch the checkpoint again."
    else:
        problem = (
            f"{folder.path} has neither a GGUF file nor a config.json. Fetch the checkpoint "
            "again, or remove the folder."
        )
    return folder.broken(problem, safetensors_folder.guess_slot(folder))


def _subfolders(folder: Path) -> list[Path]:
    try:
        return sorted(
            entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith(".")
        )
    except OSError:
        return []
