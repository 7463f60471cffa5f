"""`python -m atoll_local.launch FILE`: become the program that FILE describes.

FILE is JSON: `{"command": [...], "environment": {...}, "directory": "..."}`. It keeps secrets out
of the command line and out of supervisor's configuration, whose quoting cannot hold every value.
"""

import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

from atoll_local.leftovers import end_leftovers, note_group

PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Get SIGTERM when the parent ends, however it ends: no process may outlive its stack."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def launch(file: Path) -> NoReturn:
    """Replace this process.

    Raises:
        OSError: the file or the program is not there.
    """
    what = json.loads(file.read_text(encoding="utf-8"))
    # Databases, uploads and logs are the business of this account alone.
    os.umask(0o077)
    os.chdir(what["directory"])
    die_with_parent()
    command = what["command"]
    group = file.with_suffix(".group")
    end_leftovers(group, command[0])
    note_group(group)
    os.execve(command[0], command, what["environment"])  # noqa: S606


if __name__ == "__main__":
    launch(Path(sys.argv[1]))
