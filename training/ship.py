"""Writes the folder of a trained model: weights in half precision, record, hashes."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from atoll_inference.catalog.lock import sha256_of
from atoll_inference.catalog.plan import CHECKSUMS_NAME
from training.loop import Record

RECORD_NAME = "training.json"
WEIGHTS_NAME = "model.safetensors"


def write_weights(
    folder: Path,
    tensors: Mapping[str, Tensor],
    record: Record,
    *,
    name: str = WEIGHTS_NAME,
    header: Mapping[str, str] | None = None,
) -> None:
    """Write the weights, the record of the training and the hashes of all that is there.

    Call it after the other files, such as config.json, are in the folder.

    Args:
        tensors: floating point; kept as float16.
        header: entries of the file's header.
    """
    folder.mkdir(parents=True, exist_ok=True)
    halves = {n: t.detach().to("cpu", torch.float16).contiguous() for n, t in tensors.items()}
    draft = folder / f".{name}.new"
    save_file(halves, draft, {"format": "pt", **(header or {})})
    draft.chmod(0o644)  # the library leaves weights readable by their owner alone
    draft.replace(folder / name)
    text = json.dumps(asdict(record), indent=2) + "\n"
    (folder / RECORD_NAME).write_text(text, "utf-8")
    write_checksums(folder)


def read_record(folder: Path) -> Record:
    """The record of the training.

    Raises:
        OSError, ValueError, TypeError: there is none that can be read.
    """
    record = Record(**json.loads((folder / RECORD_NAME).read_text("utf-8")))
    record.history = [(step, value) for step, value in record.history]
    return record


def weights_size(folder: Path) -> int:
    """Bytes of all weights."""
    return sum(file.stat().st_size for file in folder.glob("*.safetensors"))


def write_checksums(folder: Path) -> None:
    """Write the list that an installation is checked against."""
    files = sorted(
        file
        for file in folder.iterdir()
        if file.is_file() and not file.name.startswith(".") and file.name != CHECKSUMS_NAME
    )
    lines = [f"{sha256_of(file)}  {file.name}\n" for file in files]
    (folder / CHECKSUMS_NAME).write_text("".join(lines), "utf-8")
