"""The command line that every recipe has."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from training import STARTERS
from training.downloads import cache


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a recipe is asked to do.

    Attributes:
        command: as it was called, for the card.
        threads: of the processor; one is quicker than two where other work takes turns.
        minutes: after so many in this process the training stops, to be resumed.
        work: where its state is kept.
        out: the folder of the finished model.
    """

    command: str
    resume: bool
    minutes: float
    seed: int
    threads: int
    work: Path
    out: Path


def parse(slot: str, model: str, arguments: Sequence[str] | None = None) -> Options:
    """Read the command line of `python -m training.<slot>`."""
    parser = argparse.ArgumentParser(
        prog=f"python -m training.{slot}",
        description=f"Trains {model} and writes its weights; `make evaluate ARGS=--write` then "
        "measures them and writes the card.",
    )
    parser.add_argument("--resume", action="store_true", help="go on from the last saved state")
    parser.add_argument(
        "--minutes",
        type=float,
        default=60.0,
        help="stop after so many, with the state saved (default 60)",
    )
    parser.add_argument("--threads", type=int, default=2, help="processor threads (default 2)")
    parser.add_argument("--seed", type=int, default=1, help="of everything random (default 1)")
    parser.add_argument(
        "--work", type=Path, default=cache() / "work" / slot, help="folder of the state"
    )
    parser.add_argument(
        "--out", type=Path, default=STARTERS / slot / model, help="folder of the finished model"
    )
    given = parser.parse_args(arguments)
    command = f"python -m training.{slot}" + (f" --seed {given.seed}" if given.seed != 1 else "")
    return Options(
        command=command,
        resume=given.resume,
        minutes=given.minutes,
        seed=given.seed,
        threads=given.threads,
        work=given.work,
        out=given.out,
    )
