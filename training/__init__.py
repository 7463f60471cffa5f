"""Recipes of the small models that a release carries, and what measures them.

One folder for each slot. `python -m training.<slot>` trains, `python -m training.evaluate` measures
the shipped weights through the engines that serve them; docs/training.md tells the whole way.
"""

import os
from pathlib import Path

# Threads of PyTorch that wait for each other keep a processor busy otherwise, which on a machine
# that does other work makes a step several times slower. Read when PyTorch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

ROOT = Path(__file__).resolve().parents[1]
STARTERS = ROOT / "models" / "starters"


class TrainingFailed(Exception):
    """Nothing was shipped; the message says why and what to do."""
