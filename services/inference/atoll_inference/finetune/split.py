"""Which files are learnt from, which stop the training, and which judge it at the end."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from atoll_inference.finetune.samples import LABELS, Sample

_SHARES = {"training": 0.7, "validation": 0.15, "test": 0.15}
_WORK = 60_000


@dataclass(frozen=True, slots=True)
class Split:
    """Three sets of samples, each with both classes.

    No source of `test` is in another set. `shares_sources` says that training and validation have
    sources in common, because there are too few for three sets.
    """

    training: tuple[Sample, ...]
    validation: tuple[Sample, ...]
    test: tuple[Sample, ...]
    shares_sources: bool

    @property
    def sets(self) -> dict[str, tuple[Sample, ...]]:
        """The sets by name."""
        return {"training": self.training, "validation": self.validation, "test": self.test}


def split_by_source(samples: Sequence[Sample], seed: int) -> Split:
    """About 70, 15 and 15 % of each class, whole sources only; the same for the same seed.

    With two sources in a class the test set gets one of them, and validation is a part of the
    files of the other, which also has the larger share of training.

    Args:
        samples: two sources or more of each class.
    """
    rng = random.Random(seed)  # noqa: S311 - no secret
    ways = _assign(samples, list(_SHARES), rng)
    if ways is not None:
        training, validation, test = (_of(samples, ways, name) for name in _SHARES)
        return Split(training, validation, test, shares_sources=False)
    ways = _assign(samples, ["training", "test"], rng)
    assert ways is not None
    test = _of(samples, ways, "test")
    training, validation = _by_file(_of(samples, ways, "training"), rng)
    return Split(training, validation, test, shares_sources=True)


def _assign(
    samples: Sequence[Sample], names: Sequence[str], rng: random.Random
) -> dict[str, str] | None:
    """The set of each source, or None when no way was found that gives each set both classes.

    Tries orders of the sources. Each goes where a class is still absent, else where it leaves the
    set emptiest; the order that comes closest to the wanted shares is kept.
    """
    counts: dict[str, Counter[int]] = {}
    for sample in samples:
        counts.setdefault(sample.source, Counter())[sample.label] += 1
    totals = Counter(sample.label for sample in samples)
    whole = sum(_SHARES[name] for name in names)
    wanted = {
        (name, label): _SHARES[name] / whole * totals[label]
        for name in names
        for label in range(len(LABELS))
    }
    best: tuple[float, dict[str, str]] | None = None
    order = sorted(counts)
    for _ in range(max(1, min(200, _WORK // len(order)))):
        rng.shuffle(order)
        have: Counter[tuple[str, int]] = Counter()
        ways: dict[str, str] = {}
        for source in order:
            lacking = [n for n in reversed(names) if any(not have[n, la] for la in counts[source])]
            ways[source] = (
                lacking[0]
                if lacking
                else min(names, key=lambda name: _fullness(have, wanted, name, counts[source]))
            )
            for label, count in counts[source].items():
                have[ways[source], label] += count
        if all(have[key] for key in wanted):
            cost = sum(abs(have[k] - w) / totals[k[1]] for k, w in wanted.items())
            if best is None or cost < best[0]:
                best = (cost, ways)
    return best[1] if best else None


def _fullness(
    have: Counter[tuple[str, int]],
    wanted: dict[tuple[str, int], float],
    name: str,
    counts: Counter[int],
) -> float:
    """How full, relative to what it should hold, the set would be with a source more."""
    return max((have[name, label] + count) / wanted[name, label] for label, count in counts.items())


def _by_file(
    samples: Sequence[Sample], rng: random.Random
) -> tuple[tuple[Sample, ...], tuple[Sample, ...]]:
    """Training and validation from the files of the same sources; with one file it is in both."""
    training: list[Sample] = []
    validation: list[Sample] = []
    for label in range(len(LABELS)):
        files = [sample for sample in samples if sample.label == label]
        rng.shuffle(files)
        held = max(1, round(len(files) * 0.2))
        validation += files[:held]
        training += files[held:] or files
    return tuple(training), tuple(validation)


def _of(samples: Iterable[Sample], ways: dict[str, str], name: str) -> tuple[Sample, ...]:
    return tuple(sample for sample in samples if ways[sample.source] == name)
