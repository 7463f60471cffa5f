"""What is told at the end of a start."""

import os
import subprocess
import sys

from atoll_local.summary import resident_bytes


def test_memory_is_that_of_a_process_and_its_children() -> None:
    program = (
        "import subprocess, sys; held = bytearray(60_000_000); "
        "inner = subprocess.Popen([sys.executable, '-c', "
        "'held = bytearray(90_000_000); print(1, flush=True); input()'], stdin=subprocess.PIPE); "
        "input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        found = resident_bytes([process.pid])
        process.kill()
    assert 150_000_000 < found < 300_000_000


def test_a_process_that_has_ended_takes_nothing() -> None:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    assert resident_bytes([done.pid]) == 0
    assert resident_bytes([os.getpid()]) > 0
