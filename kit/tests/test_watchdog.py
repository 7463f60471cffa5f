"""A process that hangs is ended; one that works is not."""

import subprocess
import sys

HEAD = """\
import asyncio, ctypes, time
from atoll_kit.watchdog import watchdog

async def main():
    async with watchdog({patience}, {alive}):
        {body}
    time.sleep(1)  # outside of it, nobody watches
    print("ended by itself")

asyncio.run(main())
"""


def end_of(body: str, *, patience: float = 0.5, alive: str = "lambda: True") -> tuple[int, str]:
    """Exit status and output of a program that does `body` under the watchdog."""
    program = HEAD.format(patience=patience, alive=alive, body=body)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_one_that_works_is_left_alone() -> None:
    status, said = end_of("await asyncio.sleep(2)")
    assert (status, said) == (0, "ended by itself\n")


def test_a_loop_that_stands_still_is_ended_with_its_stack() -> None:
    status, said = end_of("time.sleep(50)")
    assert status == 1
    assert "in main" in said


def test_native_code_that_keeps_the_interpreter_is_ended_too() -> None:
    status, _ = end_of("ctypes.PyDLL(None).sleep(50)")
    assert status == 1


def test_one_that_says_it_is_stuck_is_ended() -> None:
    status, _ = end_of("await asyncio.sleep(50)", alive="lambda: False")
    assert status == 1


def test_it_can_be_switched_off() -> None:
    status, said = end_of("time.sleep(1)", patience=0, alive="lambda: False")
    assert (status, said) == (0, "ended by itself\n")
