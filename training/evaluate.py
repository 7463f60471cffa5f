"""`python -m training.evaluate [SLOT…]`: measures starters and prints one table.

Each `training/<slot>/measure.py` has `measure(engines: Engines) -> Evaluation`, which takes answers
from the engine of its slot, beside trivial ones. What is found is compared with `evaluation.json`;
with --write it is kept there instead, and in the model's card.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from atoll_inference.catalog.slots import Catalog, read_catalog
from atoll_inference.catalog.store import FetchFailed
from training import ROOT, STARTERS, TrainingFailed, card, evaluation
from training.engines import Engines
from training.evaluation import Evaluation

TOLERANCE = 0.005
"""Other processors round otherwise: figures of a share or a score may differ by this much."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; 0 when every figure is as recorded and above its baselines."""
    catalog = read_catalog(ROOT / "models" / "catalog.toml")
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=__doc__)
    parser.add_argument("slot", nargs="*", metavar="SLOT", help="measure only these")
    parser.add_argument("--write", action="store_true", help="keep the figures, write the cards")
    parser.add_argument(
        "--models", type=Path, default=ROOT / "models", help="where starters are installed"
    )
    options = parser.parse_args(arguments)
    found: list[Evaluation] = []
    complaints: list[str] = []
    engines = Engines(catalog, options.models, lambda line: print(line, file=sys.stderr))
    for slot in options.slot or measured(catalog):
        try:
            result = measure(slot, engines)
            found.append(result)
            complaints += [
                f"{slot}: {m.name}: not better than the baselines"
                for m in result.measures
                if m.decides and not m.is_better
            ]
            folder = STARTERS / slot / result.model
            if options.write:
                evaluation.write(folder, result)
                card.write(slot, folder)
            else:
                complaints += differences(evaluation.read(folder), result)
        except (TrainingFailed, FetchFailed, OSError, ValueError) as error:
            complaints.append(f"{slot}: {error}")
        finally:
            engines.close()
    for line in table(found):
        print(line)
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


def shipped(catalog: Catalog) -> list[str]:
    """Slots whose starter is carried by the release."""
    return [s for s, entry in catalog.slots.items() if entry.starter and entry.starter.carried]


def measured(catalog: Catalog) -> list[str]:
    """Slots whose starter is measured: those carried, and installed ones with a measure."""
    return [
        slot
        for slot, entry in catalog.slots.items()
        if entry.starter
        and (entry.starter.carried or (ROOT / "training" / slot / "measure.py").is_file())
    ]


def measure(slot: str, engines: Engines) -> Evaluation:
    """The figures of one slot, measured now."""
    module = importlib.import_module(f"training.{slot}.measure")
    result: Evaluation = module.measure(engines)
    return result.rounded()


def differences(recorded: Evaluation, found: Evaluation) -> list[str]:
    """How what was found differs from what is recorded, as sentences."""
    if [m.name for m in recorded.measures] != [m.name for m in found.measures]:
        return [f"{found.slot}: other measures than those recorded"]
    lines = []
    for old, new in zip(recorded.measures, found.measures, strict=True):
        pairs = [("model", old.model, new.model)]
        pairs += [(k, v, new.baselines.get(k, float("nan"))) for k, v in old.baselines.items()]
        lines += [
            f"{found.slot}: {new.name}, {what}: recorded {before:.4f}, found {now:.4f}"
            for what, before, now in pairs
            if not abs(before - now) <= TOLERANCE * max(1.0, abs(before))
        ]
    return lines


def table(evaluations: Sequence[Evaluation]) -> list[str]:
    """All figures in columns."""
    rows = [("SLOT", "MEASURE", "ITEMS", "MODEL", "BASELINES")]
    for entry in evaluations:
        for m in entry.measures:
            unit = f" {m.unit}" if m.unit else ""
            baselines = "; ".join(
                f"{name} {value:.3f}{unit}" for name, value in m.baselines.items()
            )
            rows.append((entry.slot, m.name, str(m.items), f"{m.model:.3f}{unit}", baselines))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


if __name__ == "__main__":
    raise SystemExit(main())
