"""The one thread on which the models of a device run their batches.

Two forward passes at once on the same processors or the same GPU take longer than one after the
other, and much longer when both start as many threads as there are processors.
"""

import threading
import time
from typing import Protocol


class Runner(Protocol):
    """A model that wants the device from time to time. Called with the condition held, but for
    `run`, which is called without it."""

    def has_work(self) -> bool:
        """Whether a batch could be formed now."""
        ...

    def run(self) -> None:
        """Form one batch and run it; raises nothing."""
        ...


class Device:
    """Gives its runners turns so that each gets the same share of time while it has work.

    Args:
        name: `cpu` or `cuda:N`.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.condition = threading.Condition()
        self._used: dict[Runner, float] = {}
        self._thread: threading.Thread | None = None

    def attach(self, runner: Runner) -> None:
        """Let `runner` take part; it is served from now on."""
        with self.condition:
            self._used[runner] = min(self._used.values(), default=0.0)
            if self._thread is None:
                # A daemon: a forward pass stuck in native code must not keep the process alive.
                self._thread = threading.Thread(
                    target=self._serve, name=f"forward-{self.name}", daemon=True
                )
                self._thread.start()

    def detach(self, runner: Runner) -> None:
        """Forget `runner`; the thread ends with the last one."""
        with self.condition:
            self._used.pop(runner, None)
            self.condition.notify_all()

    def _serve(self) -> None:
        while (runner := self._next()) is not None:
            started = time.monotonic()
            runner.run()
            with self.condition:
                if runner in self._used:
                    self._used[runner] += time.monotonic() - started

    def _next(self) -> Runner | None:
        with self.condition:
            while True:
                if not self._used:
                    self._thread = None
                    return None
                busy = [runner for runner in self._used if runner.has_work()]
                if busy:
                    break
                self.condition.wait()
            chosen = min(busy, key=self._used.__getitem__)
            # Whoever was idle meanwhile does not save up time: it starts level with the others.
            level = self._used[chosen]
            for runner in self._used:
                if runner not in busy:
                    self._used[runner] = max(self._used[runner], level)
            return chosen
