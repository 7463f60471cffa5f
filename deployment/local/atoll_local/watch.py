"""Keeps an eye on the processes of a running stack: says what ends and what comes back."""

import time
from dataclasses import dataclass, field
from pathlib import Path

from atoll_local.console import complain, say
from atoll_local.supervisor_client import FATAL, RUNNING, ProcessState, SupervisorClient

REVIVE_AFTER = 30.0


@dataclass
class Watch:
    """Compares what the supervisor reports with what was reported before.

    Attributes:
        good: process id of each program when it was last well.
        down: programs whose end was told and which are not back yet.
        given_up: since when, in seconds of the monotonic clock, the supervisor no longer tries.
    """

    supervisor: SupervisorClient
    logs_dir: Path
    good: dict[str, int] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    given_up: dict[str, float] = field(default_factory=dict)

    def look(self) -> None:
        """Tell what has changed, and try again what was given up.

        Raises:
            SupervisorGone: there is no supervisor any more.
        """
        for state in self.supervisor.states():
            self._tell(state)
            self._revive(state)

    def _tell(self, now: ProcessState) -> None:
        last = self.good.setdefault(now.name, now.pid)
        if now.pid == last:
            return
        if now.state == RUNNING:
            say(f"{now.name} runs again (process {now.pid})")
            self.good[now.name] = now.pid
            self.down.discard(now.name)
        elif now.name not in self.down:
            log = self.logs_dir / f"{now.name}.out.log"
            complain(f"{now.name} ended and is started again; see {log}")
            self.down.add(now.name)

    def _revive(self, state: ProcessState) -> None:
        """Start what the supervisor gave up: a full disk or a lost mount may be back."""
        if state.state != FATAL:
            self.given_up.pop(state.name, None)
            return
        since = self.given_up.setdefault(state.name, time.monotonic())
        if time.monotonic() - since >= REVIVE_AFTER:
            self.given_up[state.name] = time.monotonic()
            self.supervisor.start(state.name)
