"""`atoll-inference finetune TASK --data DIR`. Imports nothing heavy until it runs."""

import argparse
import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from atoll_inference.finetune import FinetuneFailed
from atoll_inference.offline import go_offline
from atoll_inference.settings import ModelsSettings
from atoll_kit.settings import load

TASKS = ("audio_deepfake", "face_deepfake")
"""Modules of this package; each has `make_recipe(models_dir)`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that `run` reads."""
    parser.add_argument("task", choices=TASKS)
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder with the subfolders real/ and fake/; files of one speaker or origin are in a "
        "subfolder of their own there, or share the part of the name before the first _ or -",
    )
    parser.add_argument(
        "--base",
        type=Path,
        metavar="DIR",
        help="checkpoint to start from; default the first without a head in MODELS_DIR/TASK/",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="folder to write; default MODELS_DIR/TASK/BASE-finetuned",
    )
    parser.add_argument(
        "--epochs", type=_at_least(1), default=20, metavar="N", help="at most (default 20)"
    )
    parser.add_argument(
        "--batch", type=_at_least(1), default=8, metavar="N", help="examples a step (default 8)"
    )
    parser.add_argument(
        "--seed", type=_at_least(0), default=0, metavar="N", help="of all that is random (0)"
    )
    parser.add_argument(
        "--learning-rate",
        type=_learning_rate,
        default=5e-5,
        metavar="X",
        help="of the base (default 5e-5); the new head learns at 1e-3 or more",
    )
    parser.add_argument(
        "--patience",
        type=_at_least(1),
        default=4,
        metavar="N",
        help="epochs without improvement before it ends (default 4)",
    )
    parser.add_argument(
        "--freeze", action="store_true", help="train the head alone: quicker, and with less data"
    )
    parser.add_argument("--resume", action="store_true", help="go on with one that was interrupted")
    parser.add_argument(
        "--device", default="auto", metavar="D", help="auto, cpu or cuda:N (default auto)"
    )


def run(options: argparse.Namespace) -> int:
    """Fine-tune as asked; returns 0, or 1 after saying on standard error what went wrong."""
    go_offline()
    try:
        _run(options)
    except FinetuneFailed as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted. The same command with --resume goes on.", file=sys.stderr)
        return 130
    return 0


def _run(options: argparse.Namespace) -> None:
    models_dir = load(ModelsSettings).models_dir
    folder = models_dir / options.task
    # PyTorch comes with these.
    from atoll_inference.finetune.recipe import Job, Options
    from atoll_inference.finetune.training import finetune

    module = importlib.import_module(f"atoll_inference.finetune.{options.task}")
    recipe = module.make_recipe(models_dir)
    base = options.base or _first_base(folder, recipe.takes)
    output = options.output or folder / f"{base.resolve().name}-finetuned"
    how = Options(
        epochs=options.epochs,
        batch=options.batch,
        seed=options.seed,
        learning_rate=options.learning_rate,
        patience=options.patience,
        freeze=options.freeze,
        device=options.device,
        resume=options.resume,
    )
    report = finetune(
        Job(recipe=recipe, data=options.data, base=base, output=output, options=how, say=_say)
    )
    _say(
        f"{output}: accuracy {report.test.accuracy:.1%}, equal error rate {report.test.eer:.1%} on "
        f"{len(report.split.test)} held-out files (simple measures: "
        f"{report.baseline.simple.eer:.1%}). See {output / 'report.md'}."
    )
    if not report.better_than_baseline:
        _say("It is no better than simple measures of the files; do not rely on it.")


def _first_base(folder: Path, takes: Callable[[dict[str, Any]], bool]) -> Path:
    """The first checkpoint in the folder that can be started from.

    Raises:
        FinetuneFailed: there is none.
    """
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    for checkpoint in found:
        if checkpoint.name.startswith("."):
            continue
        try:
            config = json.loads((checkpoint / "config.json").read_text("utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(config, dict) and takes(config):
            return checkpoint
    raise FinetuneFailed(
        f"{folder} has no checkpoint to start from. Run `make models`, or name a folder with "
        "--base."
    )


def _say(line: str) -> None:
    print(line, flush=True)


def _at_least(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"must be {least} or more")
        return value

    number.__name__ = "whole number"
    return number


def _learning_rate(text: str) -> float:
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError("must be between 0 and 1")
    return value


_learning_rate.__name__ = "number"
