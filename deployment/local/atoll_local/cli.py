"""`atoll-stack`: run, stop and look at Atoll as host processes."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from atoll_local.console import complain
from atoll_local.environment import read_environment
from atoll_local.problem import Problem
from atoll_local.stack import Stack

ROOT = Path(__file__).resolve().parents[3]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit status is 0 done, 1 failed, 2 wrong settings, 3 not running."""
    options = _parser().parse_args(arguments)
    try:
        stack = Stack(read_environment(options.root.resolve(), os.environ))
        return int(options.run(stack, options))
    except Problem as problem:
        complain(str(problem))
        return problem.status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="atoll-stack", description="Atoll as host processes.")
    parser.add_argument(
        "--root", type=Path, default=ROOT, help="the checkout or release (default: this one)"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="start in the foreground; Ctrl-C stops")
    run.add_argument("--no-check", action="store_true", help="do not ask a model a question")
    run.set_defaults(run=lambda stack, options: stack.run(check=not options.no_check))
    stop = commands.add_parser("stop", help="stop what runs from this DATA_DIR")
    stop.set_defaults(run=lambda stack, options: stack.stop())
    status = commands.add_parser("status", help="state of each process; 3 when not all is well")
    status.set_defaults(run=lambda stack, options: stack.status())
    check = commands.add_parser("check", help="wait for health, then ask a model a question")
    check.set_defaults(run=lambda stack, options: stack.check())
    cli = commands.add_parser("cli", help="run atoll-chat or atoll-inference with the settings")
    cli.add_argument("program", choices=("chat", "inference"))
    cli.add_argument("arguments", nargs=argparse.REMAINDER)
    cli.set_defaults(run=lambda stack, options: stack.cli(options.program, options.arguments))
    return parser
