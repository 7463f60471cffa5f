"""Changes of MiniLM, the starter for text embeddings, into models that judge texts."""

import hashlib
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from torch import Tensor, nn

from atoll_inference.catalog.slots import read_catalog
from atoll_inference.catalog.starters import fetch_starter
from atoll_inference.convert.assembled import DELTA_NAME, FROM_BASE
from atoll_inference.engines.torchaudio_stub import let_torchaudio_import
from training import ROOT, TrainingFailed, low_rank, ship
from training.loop import Record, device

let_torchaudio_import()

import transformers  # noqa: E402

SLOT = "text_embedding"
_LOWER_BATCH = 256
_TELL_SECONDS = 30.0


def base_folder() -> Path:
    """The installed starter, fetched when it is not there."""
    catalog = read_catalog(ROOT / "models" / "catalog.toml")
    starter = catalog.slots[SLOT].starter
    if starter is None:
        raise TrainingFailed(f"{SLOT} has no starter.")
    return fetch_starter(SLOT, starter, ROOT / "models", print, catalog=catalog)


def tokenizer() -> Any:
    """Its tokenizer."""
    return transformers.AutoTokenizer.from_pretrained(base_folder())


def classifier(labels: Sequence[str], *, rank: int, fixed: int) -> Any:
    """MiniLM with a new head, and a low-rank change in all but the first `fixed` of its six layers.

    Pooler and head are trained whole, the embeddings stay.
    """
    transformers.logging.set_verbosity_error()
    model = transformers.BertForSequenceClassification.from_pretrained(
        base_folder(),
        num_labels=len(labels),
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
    )
    model.requires_grad_(False)
    for layer in model.bert.encoder.layer[fixed:]:
        low_rank.insert(layer, rank)
    model.bert.pooler.requires_grad_(True)
    model.classifier.requires_grad_(True)
    return model.to(device())


class Upper:
    """The layers of a classifier that are trained, on what the fixed ones below make of the texts.

    What is fixed runs once over every text: its outputs are kept in a file, in half precision.

    Args:
        file: where they are kept; when it was filled with the same texts before, it is used again.
        ids: tokens of every text, special ones included.
    """

    def __init__(
        self,
        model: Any,
        fixed: int,
        file: Path,
        ids: Sequence[Sequence[int]],
    ) -> None:
        self.lengths = np.array([len(row) for row in ids])
        self._ends = np.cumsum(self.lengths)
        self._model = _part(model, range(fixed, len(model.bert.encoder.layer)))
        self._model.bert.embeddings = _Given()
        shape = (int(self._ends[-1]), int(model.config.hidden_size))
        key = hashlib.sha256(json.dumps([fixed, [list(map(int, row)) for row in ids]]).encode())
        done = file.with_suffix(".sha256")
        if done.is_file() and done.read_text() == key.hexdigest():
            self._outputs: Any = np.memmap(file, np.float16, "r", shape=shape)
            return
        self._outputs = np.memmap(file, np.float16, "w+", shape=shape)
        self._fill(_part(model, range(fixed)).bert.eval(), ids)
        self._outputs.flush()
        done.write_text(key.hexdigest())

    def _fill(self, lower: Any, ids: Sequence[Sequence[int]]) -> None:
        order = np.argsort(self.lengths, kind="stable")
        told = time.monotonic()
        with torch.inference_mode():
            for start in range(0, len(order), _LOWER_BATCH):
                numbers = order[start : start + _LOWER_BATCH]
                lengths = self.lengths[numbers]
                found = lower(
                    input_ids=_padded([ids[i] for i in numbers], lengths),
                    attention_mask=_mask(lengths),
                ).last_hidden_state
                for row, number in enumerate(numbers):
                    end, length = self._ends[number], self.lengths[number]
                    self._outputs[end - length : end] = found[row, :length].cpu().numpy()
                if time.monotonic() - told > _TELL_SECONDS:
                    told = time.monotonic()
                    print(f"fixed layers: {start} of {len(order)} texts", flush=True)

    def logits(self, numbers: Any) -> Tensor:
        """The answers for the texts of these numbers, shape (texts, labels)."""
        lengths = self.lengths[numbers]
        width = self._outputs.shape[1]
        hidden = np.zeros((len(lengths), int(lengths.max()), width), np.float32)
        for row, number in enumerate(numbers):
            end, length = self._ends[number], self.lengths[number]
            hidden[row, :length] = self._outputs[end - length : end]
        return torch.as_tensor(
            self._model(
                inputs_embeds=torch.tensor(hidden, device=device()),
                attention_mask=_mask(lengths),
            ).logits
        )

    def all_logits(self) -> NDArray[np.float32]:
        """The answers for all texts, without gradients."""
        order = np.argsort(self.lengths, kind="stable")
        parts = [order[i : i + _LOWER_BATCH] for i in range(0, len(order), _LOWER_BATCH)]
        rows = [self.logits(part).cpu().numpy() for part in parts]
        answers = np.zeros((len(order), rows[0].shape[1]), np.float32)
        answers[order] = np.concatenate(rows)
        return answers


class _Given(nn.Module):
    """Stands where embeddings are made, and passes on what it is given."""

    def forward(self, *, inputs_embeds: Tensor, **_: Any) -> Tensor:
        return inputs_embeds


def _part(model: Any, layers: range) -> Any:
    """The same modules with some of the layers only."""
    with torch.device("meta"):
        part = type(model)(model.config)
    part.bert.embeddings = model.bert.embeddings
    part.bert.encoder.layer = nn.ModuleList(model.bert.encoder.layer[i] for i in layers)
    part.bert.pooler = model.bert.pooler
    part.classifier, part.dropout = model.classifier, model.dropout
    return part


def _padded(rows: Sequence[Sequence[int]], lengths: Any) -> Tensor:
    padded = torch.zeros((len(rows), int(lengths.max())), dtype=torch.long)
    for place, row in enumerate(rows):
        padded[place, : len(row)] = torch.tensor(row)
    return padded.to(device())


def _mask(lengths: Any) -> Tensor:
    places = torch.arange(int(lengths.max()))
    return (places < torch.tensor(lengths)[:, None]).long().to(device())


def groups(model: Any, change_rate: float, head_rate: float) -> list[dict[str, Any]]:
    """What is trained, for an optimizer: a new head learns faster than the layers below it."""
    head = [p for n, p in model.named_parameters() if p.requires_grad and ".encoder." not in n]
    rest = [p for n, p in model.named_parameters() if p.requires_grad and ".encoder." in n]
    return [{"params": rest, "lr": change_rate}, {"params": head, "lr": head_rate}]


def write(model: Any, folder: Path, record: Record) -> None:
    """Write what was changed, to be put together with the base where it is installed."""
    changed: dict[str, Tensor] = low_rank.changes(model)
    with safe_open(base_folder() / "model.safetensors", framework="pt") as file:
        base = set(file.keys())
    names = {name.replace(".base.", ".") for name in model.state_dict()}
    taken = {
        f"bert.{name}": name
        for name in sorted(base)
        if f"bert.{name}" in names and f"bert.{name}" not in changed
    }
    folder.mkdir(parents=True, exist_ok=True)
    model.config.architectures = [type(model).__name__]
    model.config.dtype = "float16"
    model.config.save_pretrained(folder)
    header = {FROM_BASE: json.dumps(taken, sort_keys=True)}
    ship.write_weights(folder, changed, record, name=DELTA_NAME, header=header)
