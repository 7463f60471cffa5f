"""`python tools/requirements.py PYPROJECT…`: print what packages depend on, one a line.

Our own packages are left out: an image installs them after, and apart from, what they need.
"""

import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path


def requirements(files: Sequence[Path]) -> list[str]:
    """Every requirement of the packages that `files` describe, sorted, each once."""
    wanted: set[str] = set()
    for file in files:
        project = tomllib.loads(file.read_text("utf-8"))["project"]
        wanted |= {name for name in project["dependencies"] if not name.startswith("atoll-")}
    return sorted(wanted)


if __name__ == "__main__":
    print("\n".join(requirements([Path(argument) for argument in sys.argv[1:]])))
