"""Recipes of the small models that a release carries, and what measures them.

One folder for each slot. `python -m training.<slot>` trains, `python -m training.evaluate` measures
the shipped weights through the engines that serve them; docs/training.md tells the whole way.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STARTERS = ROOT / "models" / "starters"


class TrainingFailed(Exception):
    """Nothing was shipped; the message says why and what to do."""
