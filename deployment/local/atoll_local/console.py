"""Lines for the person who started the stack."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

LOG_LINES_SHOWN = 15


def say(text: str) -> None:
    """One line, at once, also into a pipe."""
    _write(sys.stdout, text)


def complain(text: str) -> None:
    """One or more lines on standard error."""
    for line in text.splitlines():
        _write(sys.stderr, line)


def _write(stream: TextIO, line: str) -> None:
    # A terminal that was closed, or a pager that ended, must not keep a stack from stopping.
    with suppress(OSError):
        print(f"atoll: {line}", file=stream, flush=True)


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Say what is being done, and how long it took if that was more than two seconds."""
    say(f"{what} ...")
    started = time.monotonic()
    yield
    seconds = time.monotonic() - started
    if seconds > 2:
        say(f"{what}: done in {seconds:.1f} s")


def show_end_of(log: Path) -> None:
    """The last lines of a log, indented."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return
    for line in lines[-LOG_LINES_SHOWN:]:
        complain(f"  | {line[:400]}")
