"""Calls on the threads of a lane: results, failures, cancellation and the end."""

import asyncio
import threading

import pytest

from atoll_inference.serving.workers import Workers


async def test_calls_run_off_the_loop_and_give_their_results() -> None:
    workers = Workers(2, "test")
    loop_thread = threading.get_ident()

    def call(number: int) -> tuple[int, bool]:
        return number, threading.get_ident() != loop_thread

    ends = await asyncio.gather(*(workers.run(call, number) for number in range(500)))
    assert ends == [(number, True) for number in range(500)]
    workers.close()


async def test_no_more_threads_than_allowed_work_at_once() -> None:
    workers = Workers(2, "test")
    lock, running, most = threading.Lock(), 0, 0

    def call() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.01)
        with lock:
            running -= 1

    await asyncio.gather(*(workers.run(call) for _ in range(20)))
    assert most == 2
    workers.close()


@pytest.mark.parametrize("error", [ValueError("no"), StopIteration(), KeyboardInterrupt()])
async def test_a_failure_reaches_its_caller_alone(error: BaseException) -> None:
    workers = Workers(1, "test")

    def fail() -> None:
        raise error

    ends = await asyncio.gather(
        workers.run(lambda: 1), workers.run(fail), workers.run(lambda: 2), return_exceptions=True
    )
    assert (ends[0], ends[2]) == (1, 2)
    expected = RuntimeError if isinstance(error, StopIteration) else type(error)
    assert isinstance(ends[1], expected)
    workers.close()


async def test_a_cancelled_call_that_has_not_begun_never_runs() -> None:
    workers = Workers(1, "test")
    gate, ran = threading.Event(), []
    first = workers.run(gate.wait)
    second = workers.run(ran.append, 2)
    third = workers.run(ran.append, 3)
    second.cancel()
    gate.set()
    await asyncio.gather(first, third)
    assert ran == [3]
    workers.close()


async def test_closing_cancels_what_waits_and_ends_the_threads() -> None:
    workers = Workers(1, "ending")
    gate, begun = threading.Event(), threading.Event()
    running = workers.run(lambda: (begun.set(), gate.wait(), "done")[-1])
    waiting = workers.run(lambda: "never")
    await asyncio.to_thread(begun.wait)
    workers.close()
    assert waiting.cancelled()
    with pytest.raises(RuntimeError):
        workers.run(lambda: None)
    gate.set()
    assert await running == "done"
    for thread in threading.enumerate():
        if thread.name.startswith("ending_"):
            await asyncio.to_thread(thread.join, 5)
            assert not thread.is_alive()
