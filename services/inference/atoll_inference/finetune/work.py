"""The folder of a running fine-tune: what is needed to go on after it was killed.

It lies beside the output and is hidden, so that it is not listed as a checkpoint. A file is
replaced by renaming a complete one, so at any moment each is either the old or the new.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from atoll_inference.finetune import FinetuneFailed

_PLAN = "plan.json"
_STATE = "state.safetensors"
_BEST = "best.safetensors"


class Work:
    """Files of one fine-tune."""

    def __init__(self, output: Path) -> None:
        self.folder = output.parent / f".{output.name}.training"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep others out while the block runs.

        Raises:
            FinetuneFailed: another process works in the folder, or the disk is full or read-only.
        """
        with _disk(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / "lock").open("w")
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise FinetuneFailed(
                    f"Another fine-tune is writing {self.folder}. Wait for it, or choose another "
                    "--output."
                ) from error
            yield

    @property
    def started(self) -> bool:
        """Whether an earlier fine-tune left something to go on from."""
        return (self.folder / _PLAN).is_file()

    def write_plan(self, plan: dict[str, Any]) -> None:
        """Keep what the training is about to do."""
        with _disk(self.folder):
            temporary = self.folder / f"{_PLAN}.new"
            temporary.write_text(json.dumps(plan, ensure_ascii=False), "utf-8")
            _replace(temporary, self.folder / _PLAN)

    def read_plan(self) -> dict[str, Any]:
        """What `write_plan` kept.

        Raises:
            FinetuneFailed: it cannot be read.
        """
        try:
            plan = json.loads((self.folder / _PLAN).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise FinetuneFailed(self._damaged(_PLAN, error)) from error
        assert isinstance(plan, dict)
        return plan

    def write_state(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Keep where the training is."""
        self._write(_STATE, tensors, facts)

    def read_state(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """What `write_state` kept last; None when there was no time for it."""
        return self._read(_STATE)

    def write_best(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Keep the parameters that did best so far."""
        self._write(_BEST, tensors, facts)

    def read_best(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """What `write_best` kept last; None when there was no time for it."""
        return self._read(_BEST)

    def result(self) -> Path:
        """An empty folder to build the checkpoint in, on the disk of the output."""
        folder = self.folder / "result"
        with _disk(self.folder):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        return folder

    def publish(self, output: Path) -> None:
        """Move the result to the output, all at once, and delete the folder.

        Raises:
            FinetuneFailed: something is there already, or the disk is full or read-only.
        """
        result = self.folder / "result"
        with _disk(output):
            for file in result.iterdir():
                _flush(file)
            _flush(result)
            result.rename(output)
            _flush(output.parent)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, name: str, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        with _disk(self.folder):
            temporary = self.folder / f"{name}.new"
            # Contiguous copies: views into one storage are refused by the format.
            kept = {key: tensor.detach().cpu().clone() for key, tensor in tensors.items()}
            save_file(kept, temporary, {"facts": json.dumps(facts)})
            _replace(temporary, self.folder / name)

    def _read(self, name: str) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        path = self.folder / name
        if not path.is_file():
            return None
        try:
            with safe_open(path, framework="pt") as file:
                facts = json.loads(file.metadata()["facts"])
                return {key: file.get_tensor(key) for key in file.keys()}, facts  # noqa: SIM118
        except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
            raise FinetuneFailed(self._damaged(name, error)) from error

    def _damaged(self, name: str, error: Exception) -> str:
        return (
            f"{self.folder / name} cannot be read ({error}). Delete {self.folder} and start again "
            "without --resume."
        )


@contextmanager
def _disk(place: Path) -> Iterator[None]:
    message: str | None = None
    try:
        yield
    except SafetensorError as error:
        message = str(error)
    except OSError as error:
        message = error.strerror or str(error)
    if message is not None:
        raise FinetuneFailed(
            f"{place} cannot be written ({message}). Make room or choose another --output; what "
            "was reached is kept, and --resume goes on from there."
        )


def _replace(temporary: Path, target: Path) -> None:
    _flush(temporary)
    temporary.replace(target)
    _flush(target.parent)


def _flush(path: Path) -> None:
    """Have the disk hold what was written, so that a rename never outlives its content."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
