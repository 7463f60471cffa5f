"""One stack in the foreground: started, announced, watched and stopped again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType

from atoll_local.check import ask_a_question, wait_for_health
from atoll_local.console import complain, say, show_end_of, timed
from atoll_local.environment import Environment
from atoll_local.launch import die_with_parent
from atoll_local.leftovers import end_leftovers
from atoll_local.ports import check_ports
from atoll_local.problem import Problem
from atoll_local.render import render, script
from atoll_local.secret_store import read_secrets
from atoll_local.summary import ready_slots, resident_bytes
from atoll_local.supervisor_client import FATAL, SupervisorClient, SupervisorGone
from atoll_local.watch import Watch

# The programs' own times to stop add up to 14 s (see `render.programs`).
STOP_SECONDS = 18.0
READY_SECONDS = 600.0
# The chat backend checks its settings when it migrates.
CHECK_INFERENCE_SETTINGS = (
    "from atoll_inference.settings import Settings; from atoll_kit.settings import load; "
    "load(Settings)"
)


@dataclass
class Foreground:
    """Runs until it is told to stop. The caller holds the lock of the DATA_DIR."""

    environment: Environment
    supervisor: SupervisorClient
    secrets: Mapping[str, str] = field(default_factory=dict)

    def run(self, *, check: bool) -> int:
        """Start, stay, stop.

        Args:
            check: put a question to a model once all is ready.

        Returns:
            0 after a stop that was asked for, 1 when something failed.

        Raises:
            Problem: it cannot start.
        """
        with _interruptible():
            try:
                return self._run(check=check)
            except KeyboardInterrupt:
                return 0

    def _run(self, *, check: bool) -> int:
        environment = self.environment
        started = time.monotonic()
        self._clear()
        check_ports(environment)
        self.secrets = read_secrets(environment.data_dir, environment.values)
        configuration = render(environment, self.secrets)
        self._prepare()
        say(f"starting; logs are in {environment.logs_dir}")
        process = subprocess.Popen(
            [script("supervisord"), "-c", configuration],
            env=environment.for_nginx(),
            stdin=subprocess.DEVNULL,
            # Ctrl-C in a terminal reaches this process alone, which then stops the others in order.
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - there is one thread here
        )
        try:
            if not self._wait_until_ready(process):
                return 1
            if check:
                self._ask()
            self._sum_up(process, time.monotonic() - started)
            self._announce()
            return self._watch(process)
        finally:
            _stop(process)

    def _clear(self) -> None:
        """End what a stack that was killed has left running."""
        for description in self.environment.run_dir.glob("*.json"):
            command = json.loads(description.read_text(encoding="utf-8"))["command"]
            count = end_leftovers(description.with_suffix(".group"), command[0])
            if count:
                say(f"ended {count} left-over processes of {description.stem}")

    def _prepare(self) -> None:
        """Check the settings of both services and bring the database to this release.

        Raises:
            Problem: nothing may start; the message says why.
        """
        chat = self.environment.for_chat_backend(self.secrets)
        inference = self.environment.for_inference(self.secrets)
        with timed("migrating the database"):
            migration = self._begin([script("atoll-chat"), "migrate"], chat)
            settings = self._begin([sys.executable, "-c", CHECK_INFERENCE_SETTINGS], inference)
            migrated, checked = migration.communicate()[0], settings.communicate()[0]
        if settings.returncode != 0:
            raise Problem(checked.strip(), status=settings.returncode)
        if migration.returncode != 0:
            raise Problem(
                f"{migrated.strip()}\nThe database was not migrated, so nothing was started.",
                status=migration.returncode,
            )

    def _begin(self, command: list[str], variables: Mapping[str, str]) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            command,
            env=dict(variables),
            cwd=self.environment.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _wait_until_ready(self, process: "subprocess.Popen[bytes]") -> bool:
        """False when a process cannot run; a model that is missing is only reported."""
        trouble = wait_for_health(
            self.environment,
            say,
            seconds=READY_SECONDS,
            give_up=lambda: self._failed(process) is not None,
        )
        failed = self._failed(process)
        if failed is not None:
            suffix = ".log" if failed == "supervisord" else ".out.log"
            log = self.environment.logs_dir / f"{failed}{suffix}"
            complain(f"{failed} cannot start. The end of {log}:")
            show_end_of(log)
            return False
        if trouble is not None:
            complain(trouble)
        return True

    def _failed(self, process: "subprocess.Popen[bytes]") -> str | None:
        """The program that cannot start; None while there is hope."""
        if process.poll() is not None:
            return "supervisord"
        try:
            states = self.supervisor.states()
        except SupervisorGone:
            return None
        for state in states:
            if state.state == FATAL:
                return state.name
        return None

    def _ask(self) -> None:
        environment = self.environment
        with timed("asking a model a question"):
            answered, output = ask_a_question(
                environment, environment.for_chat_backend(self.secrets)
            )
        for line in output.splitlines():
            say(f"  {line}")
        if not answered:
            complain("no model answered. Everything else runs; see docs/running.md.")

    def _announce(self) -> None:
        environment = self.environment
        password = environment.data_dir / "first-admin-password"
        say(f"Atoll runs at {environment.local_url}/")
        if password.exists():
            name = environment.values.get("ADMIN_USERNAME") or "admin"
            say(f"sign in as {name}; the first password is in {password}")
        say("Ctrl-C stops it, and so does `make stop` in another shell")

    def _sum_up(self, process: "subprocess.Popen[bytes]", seconds: float) -> None:
        slots = ready_slots(self.environment, self.secrets)
        if slots:
            say(f"ready to answer: {', '.join(slots)}")
        memory = resident_bytes([process.pid]) / 1e6
        say(f"started in {seconds:.1f} s; all processes take {memory:.0f} MB of memory")

    def _watch(self, process: "subprocess.Popen[bytes]") -> int:
        """Tell of every process that ends or comes back, until the supervisor ends."""
        had_terminal = os.isatty(0)
        watch = Watch(self.supervisor, self.environment.logs_dir)
        while process.poll() is None:
            with suppress(SupervisorGone):
                watch.look()
            if had_terminal and not os.isatty(0):
                # The terminal was closed. make gets the signal, and waits for this process.
                raise KeyboardInterrupt
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=2)
        say("stopped")
        return 0 if process.returncode == 0 else 1


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM and a closed terminal end the stack as Ctrl-C does, but not under `nohup`."""
    names = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        names.append(signal.SIGHUP)

    def interrupt(number: int, frame: FrameType | None) -> None:
        # Once is enough: what follows must not be cut short.
        for name in names:
            signal.signal(name, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {name: signal.signal(name, interrupt) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is not None:
        return
    say("stopping ...")
    process.terminate()
    try:
        process.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        # The programs get SIGTERM when their parent is gone (see `launch`).
        process.kill()
        process.wait()
    say("stopped")
