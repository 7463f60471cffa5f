"""GoEmotions, with its 27 emotions joined into Ekman's six and neutral."""

import lzma
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training import held_out

FOLDER = Path(__file__).parent / "data"
LABELS = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")


@dataclass(frozen=True, slots=True)
class Rows:
    """Texts and, for each, 1 at the emotions that readers found in it: shape (rows, 7)."""

    texts: list[str]
    labels: NDArray[np.float32]

    @property
    def single(self) -> NDArray[np.bool_]:
        """Which rows have one label."""
        return np.asarray(self.labels.sum(1) == 1)

    @property
    def targets(self) -> NDArray[np.float32]:
        """The labels of a row share its weight, which is 1."""
        return np.asarray(self.labels / self.labels.sum(1, keepdims=True), np.float32)


def read(split: str) -> Rows:
    """One of `train`, `dev` and `test`, as published."""
    lines = lzma.decompress((FOLDER / f"{split}.tsv.xz").read_bytes()).decode().splitlines()
    texts, numbers = zip(*(line.rsplit("\t", 1) for line in lines), strict=True)
    labels = np.zeros((len(texts), len(LABELS)), np.float32)
    for row, named in enumerate(numbers):
        labels[row, [int(number) for number in named.split(",")]] = 1
    return Rows(list(texts), labels)


def training() -> Rows:
    """`train` without what is in `dev` or `test`, nearly the same texts included."""
    rows = read("train")
    kept = held_out.keep(rows.texts, read("dev").texts + read("test").texts)
    return Rows([rows.texts[i] for i in kept], rows.labels[kept])
