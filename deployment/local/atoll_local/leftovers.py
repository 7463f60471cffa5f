"""Processes of a program whose first process was killed.

nginx's workers go on, and hold its port, when their master gets SIGKILL; then no new one can start.
Supervisor gives every program a process group of its own, by which they are found again. (Standard
library only: every start of a program goes through here.)
"""

import os
import signal
import time
from pathlib import Path

SECONDS_TO_END = 3.0


def note_group(file: Path) -> None:
    """Write this process's group to `file`, for `end_leftovers` at the next start."""
    file.write_text(f"{os.getpgid(0)}\n", encoding="ascii")


def end_leftovers(file: Path, program: str) -> int:
    """End what is left of the group in `file` and runs `program`; returns how many there were.

    Args:
        file: written by `note_group`; nothing is done without it.
        program: path of the executable. Others are left alone: the number may belong to
            somebody else by now.
    """
    try:
        group = int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0
    found = _members(group, program)
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in _members(group, program):
            _send(pid, number)
        deadline = time.monotonic() + SECONDS_TO_END
        while _members(group, program) and time.monotonic() < deadline:
            time.sleep(0.05)
    return len(found)


def _members(group: int, program: str) -> list[int]:
    """Processes of `group`, but this one, whose executable is `program`."""
    executable = Path(program).resolve()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if os.getpgid(int(entry.name)) == group and (entry / "exe").readlink() == executable:
                found.append(int(entry.name))
        except OSError:
            continue  # it ended meanwhile, or belongs to another account
    return found


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except OSError:
        return  # it ended meanwhile
