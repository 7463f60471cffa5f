"""Abstracts of papers on language processing, with what readers wrote of them in two sentences.

ACLSum (Takeshita et al., 2024; MIT): for 250 papers of the ACL Anthology people wrote down
challenge, approach and outcome in a sentence each, and marked the sentences that say so. A summary
here is approach and outcome as written; learnt from is what was marked. A model that learnt from
what was written, having few of them, knew them by heart and said them of every paper.
"""

import json
import re
import zipfile
from dataclasses import dataclass
from typing import Any, Literal

from training.downloads import python_package
from training.text_summarization.rouge import rouge

_PACKAGE = ("aclsum", "0.1.2", "c75ffc48d3eabc5f37c68ea087943780a85950087957759e89746f21111f2213")
_MEMBER = "aclsum/dataset/{split}.jsonl"
_ASPECTS = ("approach", "outcome")
_FREE_SINCE = 2016
"""Papers of the Anthology are CC BY 4.0 since then; older ones are measured on, not trained on."""

Split = Literal["train", "val", "test"]


@dataclass(frozen=True, slots=True)
class Part:
    """The abstract or the conclusion of a paper.

    Attributes:
        sentences: one or more.
        marked: numbers of those that come closest to approach and outcome, one or two, ascending.
    """

    sentences: tuple[str, ...]
    marked: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Paper:
    """Parts of a paper, and its summary as a person wrote it."""

    abstract: Part
    conclusion: Part
    summary: str


def training() -> list[Paper]:
    """Those to train on: of two splits, under a licence that allows it."""
    return _read("train", since=_FREE_SINCE) + _read("val", since=_FREE_SINCE)


def testing() -> list[Paper]:
    """The split that no training saw."""
    return _read("test", since=0)


def _read(split: Split, *, since: int) -> list[Paper]:
    with zipfile.ZipFile(python_package(*_PACKAGE)) as wheel:
        lines = wheel.read(_MEMBER.format(split=split)).decode().splitlines()
    entries = [json.loads(line) for line in lines]
    return [_paper(entry) for entry in entries if _year(entry["id"]) >= since]


def _paper(entry: dict[str, Any]) -> Paper:
    said = entry["summary"]
    return Paper(
        abstract=_part(entry, "abstract"),
        conclusion=_part(entry, "conclusion"),
        summary=f"{said['approach']} {said['outcome']}",
    )


def _part(entry: dict[str, Any], name: str) -> Part:
    sentences = tuple(_joined(sentence) for sentence in entry["sentences"][name])
    best = set()
    for aspect in _ASPECTS:
        marks = entry["highlights"][aspect][name]
        # A part in which nobody found the aspect has none that is marked.
        among = [i for i, mark in enumerate(marks) if mark] or range(len(sentences))
        wanted = entry["summary"][aspect]
        best.add(max(among, key=lambda i: rouge(sentences[i], wanted).longest))
    return Part(sentences, tuple(sorted(best)))


def _year(name: str) -> int:
    """Of `2021.eacl-main.84` or `P01-1040`, names that the Anthology gives."""
    if old := re.match(r"[A-Z](\d\d)-", name):
        short = int(old[1])
        return 1900 + short if short > 60 else 2000 + short
    return int(name[:4])


def _joined(sentence: str) -> str:
    """A sentence as it was written: the collection puts spaces around every mark."""
    sentence = re.sub(r"\s+([.,;:!?)%\]])", r"\1", sentence)
    sentence = re.sub(r"([(\[])\s+", r"\1", sentence)
    return re.sub(r"(\w) (['’]s?) ", r"\1\2 ", re.sub(r"(\d) - (\d)", r"\1-\2", sentence))
