"""Checkpoints in CTranslate2's own format, converted once and kept between starts."""

import fcntl
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ctranslate2
import torch
import transformers
from ctranslate2.converters import TransformersConverter

from atoll_inference.engines.base import LoadFailed
from atoll_inference.engines.runtime import Runtime
from atoll_inference.engines.torchaudio_stub import let_torchaudio_import
from atoll_inference.engines.weights import load_pretrained

_CACHE = "ctranslate2"
_LAYOUT = 1
"""Raised when what is kept in a converted folder changes."""

_VOCABULARIES = ("vocabulary", "shared_vocabulary", "source_vocabulary")


def is_ctranslate2(folder: Path) -> bool:
    """Whether the folder itself is in CTranslate2's format."""
    return (
        (folder / "model.bin").is_file()
        and (folder / "config.json").is_file()
        and any(
            (folder / f"{name}.{ending}").is_file()
            for name in _VOCABULARIES
            for ending in ("json", "txt")
        )
    )


def ctranslate2_folder(
    folder: Path,
    runtime: Runtime,
    quantization: str,
    *,
    copy_files: Sequence[str] = (),
    ignored: tuple[str, ...] = (),
    adjust: Callable[[Any], None] = lambda model: None,
) -> Path:
    """The checkpoint in CTranslate2's format: the folder itself when it is, else a converted copy.

    The copy lies under `runtime.cache_dir` and is made again when a file of the checkpoint or a
    version of the converter changes; the one before is then removed. Several processes may call
    this at once: one converts and the others wait for it.

    Args:
        folder: in CTranslate2's format, or a transformers folder with safetensors.
        quantization: a storage type of CTranslate2: `int8`, `int8_float16`, `float16`, `float32`, …
        copy_files: files to have beside the converted weights; those that are absent are left out.
        ignored: beginnings of tensor names that the checkpoint may have in excess.
        adjust: called with the loaded model, to complete what the converter wants of it.

    Raises:
        LoadFailed: a tensor is missing, unknown or mis-shaped, the architecture has no conversion,
            or the cache folder cannot be written.
    """
    if is_ctranslate2(folder):
        return folder
    home = runtime.cache_dir / _CACHE / _name(folder)
    try:
        target = home / f"{quantization}-{_fingerprint(folder, quantization, copy_files)}"
        if target.is_dir():
            return target
        home.mkdir(parents=True, exist_ok=True)
        with _locked(home):
            if not target.is_dir():
                _clear(home, quantization)
                with tempfile.TemporaryDirectory(prefix=".new-", dir=home) as scratch:
                    made = Path(scratch) / "model"
                    _convert(_StrictConverter(folder, ignored, adjust), made, quantization)
                    for name in copy_files:
                        if (folder / name).is_file():
                            shutil.copy(folder / name, made / name)
                    made.rename(target)
    except OSError as error:
        raise LoadFailed(
            f"{folder} could not be converted into {home}: {error}. Make room there and let this "
            "user write to it, or choose another DATA_DIR."
        ) from error
    return target


class _StrictConverter(TransformersConverter):
    """Refuses checkpoints whose tensors transformers would make up or leave out."""

    def __init__(
        self, folder: Path, ignored: tuple[str, ...], adjust: Callable[[Any], None]
    ) -> None:
        super().__init__(str(folder))
        self.folder = folder
        self._ignored = ignored
        self._adjust = adjust

    def load_model(self, model_class: Any, _: str, **options: Any) -> Any:
        dtype = options.get("dtype") or torch.float32
        model = load_pretrained(model_class, self.folder, dtype, ignored=self._ignored)
        self._adjust(model)
        return model

    def load_tokenizer(self, tokenizer_class: Any, _: str, **options: Any) -> Any:
        return tokenizer_class.from_pretrained(self.folder, local_files_only=True, **options)


def _convert(converter: _StrictConverter, target: Path, quantization: str) -> None:
    let_torchaudio_import()
    try:
        converter.convert(str(target), quantization=quantization)
    except (ValueError, RuntimeError, KeyError, TypeError, AttributeError) as error:
        raise LoadFailed(
            f"{converter.folder} cannot be converted for CTranslate2: {error}"
        ) from error


def _clear(home: Path, quantization: str) -> None:
    """Remove copies of earlier files and versions, and what killed processes left."""
    for found in home.iterdir():
        if found.is_dir() and found.name.startswith((f"{quantization}-", ".new-")):
            shutil.rmtree(found)


def _name(folder: Path) -> str:
    """Stays the same for a checkpoint when its files change."""
    where = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()
    return f"{folder.name}-{where[:8]}"


def _fingerprint(folder: Path, quantization: str, copy_files: Sequence[str]) -> str:
    files = [
        (path.name, path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(folder.iterdir())
        if path.suffix in {".safetensors", ".json", ".txt", ".model"} and path.is_file()
    ]
    versions = (_LAYOUT, ctranslate2.__version__, transformers.__version__)
    everything = json.dumps([files, quantization, sorted(copy_files), versions])
    return hashlib.sha256(everything.encode()).hexdigest()[:16]


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    """Wait for whoever converts the same checkpoint, here or in another process."""
    with (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
