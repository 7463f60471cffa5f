"""`atoll-inference health`: the health check of the container.

Run as a module it starts in a fifth of the time, which counts every ten seconds.
"""

import argparse
import sys

from atoll_kit.probe import probe

EMPTY = frozenset({"model_not_installed"})
"""A folder without models is the state of an installation, not an illness of this process."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `health` takes."""
    parser.add_argument("--port", type=int, default=8085, help="its port on the loopback interface")


def run(options: argparse.Namespace) -> int:
    """Ask the server on the loopback interface; nothing is printed when it is well.

    Well means that every preloaded model is loaded, has answered once and makes progress.
    """
    trouble = probe(options.port, "/v2/health/ready", EMPTY)
    if trouble is None:
        return 0
    print(trouble, file=sys.stderr)
    return 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    raise SystemExit(run(parser.parse_args()))
