"""Reads weights into the page cache, so that a runtime that maps them waits for no disk."""

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

_SPLIT = re.compile(r"-\d{5}(-of-\d{5}\.gguf)$")
BLOCK = 8 * 1024 * 1024


def parts_of(first: Path) -> list[Path]:
    """All parts of a GGUF file that may be split, the first one given."""
    match = _SPLIT.search(first.name)
    if match is None:
        return [first]
    return sorted(first.parent.glob(f"{first.name[: match.start()]}-?????{match[1]}"))


def read_ahead(files: Sequence[Path], progress: Callable[[float], None]) -> None:
    """Read every file once, in blocks, without keeping the interpreter's lock.

    Nothing is read when this machine's memory could not hold it. A file that cannot be read is left
    to whoever opens it afterwards and knows what to say.

    Args:
        progress: gets the share read so far, in [0, 1].
    """
    try:
        total = sum(file.stat().st_size for file in files)
        if total > os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"):
            return
        block, done = bytearray(BLOCK), 0
        for file in files:
            with file.open("rb", buffering=0) as source:
                while count := source.readinto(block):
                    done += count
                    progress(done / total)
    except OSError:
        return
