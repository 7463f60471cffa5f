"""`python -m atoll_inference.convert KIND SOURCE TARGET`: one conversion, then the process ends."""

import argparse
import importlib
import resource
import sys
from pathlib import Path
from typing import Any

from atoll_inference.catalog.conversion import KINDS, LIMIT_S
from atoll_inference.convert import BadSource

_MIB = 1024 * 1024

_REFUSED = (
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "os.system",
    "pty.spawn",
    "socket.connect",
    "socket.bind",
    "subprocess.Popen",
)


def main() -> int:
    """Convert; 0 when the target is complete, 1 with a reason when the source is not right."""
    parser = argparse.ArgumentParser(prog="python -m atoll_inference.convert")
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    if not options.source.is_dir() or not options.target.is_dir():
        parser.error("SOURCE and TARGET are folders that exist")
    module = importlib.import_module(f"atoll_inference.convert.{options.kind}")
    _limit(sum(f.stat().st_size for f in options.source.iterdir() if f.is_file()))
    sys.addaudithook(refuse)
    try:
        module.convert(options.source, options.target)
    except (BadSource, OSError, MemoryError) as error:
        print(str(error) or type(error).__name__, file=sys.stderr)
        return 1
    return 0


def _limit(source_bytes: int) -> None:
    """Bounds that a sound conversion of so many bytes stays far away from."""
    for what, value in (
        (resource.RLIMIT_DATA, 4096 * _MIB + 4 * source_bytes),
        (resource.RLIMIT_FSIZE, 64 * _MIB + 3 * source_bytes),
        (resource.RLIMIT_CPU, LIMIT_S),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(what, (bound, bound))


def refuse(event: str, _: tuple[Any, ...]) -> None:
    """An audit hook: converting tensors needs no other process and no network."""
    if event in _REFUSED:
        raise PermissionError(f"the weights tried to use {event}; do not use them")


if __name__ == "__main__":
    raise SystemExit(main())
