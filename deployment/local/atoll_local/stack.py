"""What can be done with the processes of one DATA_DIR: run, stop, status, check."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, NoReturn

import psutil

from atoll_local.check import ask_a_question, wait_for_health
from atoll_local.console import complain, say
from atoll_local.environment import Environment
from atoll_local.folders import make_folders
from atoll_local.foreground import READY_SECONDS, STOP_SECONDS, Foreground
from atoll_local.problem import Problem
from atoll_local.render import script, socket_path
from atoll_local.secret_store import read_secrets
from atoll_local.supervisor_client import RUNNING, STARTING, SupervisorClient, SupervisorGone

NOT_RUNNING = 3


@dataclass
class Stack:
    """The stack of one DATA_DIR, running or not."""

    environment: Environment

    @property
    def supervisor(self) -> SupervisorClient:
        """The door to the supervisor."""
        return SupervisorClient(socket_path(self.environment))

    def run(self, *, check: bool = True) -> int:
        """Run in the foreground (see `Foreground.run`).

        Raises:
            Problem: it runs already, or cannot start.
        """
        with self._alone():
            return Foreground(self.environment, self.supervisor).run(check=check)

    def stop(self) -> int:
        """Stop a stack that another shell runs. Nothing to stop is no failure."""
        supervisor = self.supervisor
        try:
            process = psutil.Process(supervisor.pid())
            supervisor.shut_down()
        except (SupervisorGone, psutil.NoSuchProcess):
            say(f"nothing runs from {self.environment.data_dir}")
            return 0
        say("stopping ...")
        try:
            process.wait(timeout=STOP_SECONDS)
        except psutil.TimeoutExpired:
            complain(f"supervisor {process.pid} did not end within {STOP_SECONDS:.0f} s; killed")
            process.kill()
            return 1
        say("stopped")
        return 0

    def status(self) -> int:
        """Print the state of every process; 0 when all is well, 3 when not."""
        try:
            states = self.supervisor.states()
        except SupervisorGone:
            say(f"nothing runs from {self.environment.data_dir}")
            return NOT_RUNNING
        for state in states:
            uptime = f"{time.time() - state.since:.0f} s" if state.state == RUNNING else ""
            print(f"{state.name:14} {state.state:10} {state.pid or '-':>8} {uptime:>10}")
        trouble = wait_for_health(self.environment, say, seconds=0)
        say(trouble or f"{self.environment.local_url}/")
        # STARTING only says that it has run for less than 3 s; the probes tell more.
        well = all(state.state in (STARTING, RUNNING) for state in states)
        return 0 if well and trouble is None else NOT_RUNNING

    def check(self) -> int:
        """Wait until a running stack is ready, then ask a model a question."""
        environment = self.environment
        trouble = wait_for_health(environment, say, seconds=READY_SECONDS)
        if trouble:
            complain(trouble)
            return 1
        secrets = read_secrets(environment.data_dir, environment.values)
        answered, output = ask_a_question(environment, environment.for_chat_backend(secrets))
        print(output)
        return 0 if answered else 1

    def cli(self, program: Literal["chat", "inference"], arguments: list[str]) -> NoReturn:
        """Become `atoll-chat` or `atoll-inference` with the variables that its service has.

        Raises:
            OSError: the program is not installed.
        """
        environment = self.environment
        make_folders(environment)
        secrets = read_secrets(environment.data_dir, environment.values)
        variables = (
            environment.for_chat_backend(secrets)
            if program == "chat"
            else environment.for_inference(secrets)
        )
        command = [script(f"atoll-{program}"), *arguments]
        os.chdir(environment.root)
        os.execve(command[0], command, variables)  # noqa: S606

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the lock of this DATA_DIR.

        Raises:
            Problem: another stack has it.
        """
        make_folders(self.environment)
        with (self.environment.run_dir / "lock").open("a+", encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                raise self._already(lock.read().strip() or "unknown") from None
            try:
                raise self._already(str(self.supervisor.pid()))
            except SupervisorGone:
                pass
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield

    def _already(self, owner: str) -> Problem:
        return Problem(
            f"Atoll already runs from {self.environment.data_dir} (process {owner}). "
            "`make stop` stops it; another DATA_DIR and HTTP_PORT make a second one."
        )
