"""Ends a process that hangs, so that whoever supervises it starts it anew.

Neither Docker nor supervisord restarts what is merely unhealthy; both restart what has ended.
"""

import asyncio
import contextlib
import faulthandler
from collections.abc import AsyncIterator, Callable

STDERR = 2
"""The descriptor itself: what stands for it in Python may have none."""

CHECK_S = 5.0
"""Time between two signs of life, in seconds; less where the patience is short."""


@contextlib.asynccontextmanager
async def watchdog(
    patience: float, is_alive: Callable[[], bool] = lambda: True
) -> AsyncIterator[None]:
    """Within it, an event loop that stands still for `patience` seconds ends the process.

    The timer is faulthandler's: a thread in C that needs no interpreter lock, so that native code
    which never gives the lock back is ended too. It prints the stack of every thread to standard
    error and leaves with status 1; nothing is flushed or closed.

    Args:
        patience: seconds; 0 switches it off.
        is_alive: asked every few seconds on the event loop; while it says no, the time runs on.
    """
    if not patience:
        yield
        return
    faulthandler.dump_traceback_later(patience, exit=True, file=STDERR)
    keeper = asyncio.create_task(_keep(patience, is_alive))
    try:
        yield
    finally:
        keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeper
        faulthandler.cancel_dump_traceback_later()


async def _keep(patience: float, is_alive: Callable[[], bool]) -> None:
    while True:
        await asyncio.sleep(min(CHECK_S, patience / 4))
        if is_alive():
            faulthandler.dump_traceback_later(patience, exit=True, file=STDERR)
