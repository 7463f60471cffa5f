"""Arguments of the commands whose code is imported only when they run."""

import argparse
from pathlib import Path

from atoll_inference.catalog.families import SLOTS

TASKS = SLOTS[SLOTS.index("speech_recognition") :]


def add_run(parser: argparse.ArgumentParser) -> None:
    """What `run` takes."""
    parser.add_argument("task", choices=TASKS, help="what to do")
    parser.add_argument("files", nargs="+", metavar="FILE", help="inputs; - is standard input")
    parser.add_argument("--model", help="a model id; default the first of the task's slot")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(),
        help="folder for results that are files; default the current one",
    )
    parser.add_argument(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the task, such as language=en; may be repeated",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda:N")
    parser.add_argument("--dtype", default="auto", choices=["auto", "fp32", "fp16", "bf16", "int8"])
