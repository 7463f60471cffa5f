"""Starts and drives the real stack: every service as a host process, on free loopback ports."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import httpx
import psutil

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
MODELS = Path(os.environ.get("ATOLL_TEST_MODELS_DIR", ROOT / "models"))
STORY = "Write a very long story about the sea, in many chapters."
CAPITAL = "What is the capital of France?"
ADMIN = "admin"
FIRST_PASSWORD = "first password of the operator"
ADMIN_PASSWORD = "second password of the operator"
PORTS = ("HTTP_PORT", "FRONTEND_PORT", "CHAT_BACKEND_PORT", "INFERENCE_PORT")


def free_ports(count: int) -> list[int]:
    """Distinct loopback ports that nothing listens on at this moment."""
    with ExitStack() as held:
        ports = []
        for _ in range(count):
            probe = held.enter_context(socket.socket())
            probe.bind(("127.0.0.1", 0))
            ports.append(probe.getsockname()[1])
        return ports


def wait_for(what: str, check: Callable[[], T | None], seconds: float = 60) -> T:
    """Poll `check` until it gives something other than None, or fail naming `what`."""
    end = time.monotonic() + seconds
    while True:
        found = check()
        if found is not None:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.1)


class Stack:
    """One running stack. Use it as a context manager; leaving it stops every process."""

    def __init__(self, data_dir: Path, **variables: str) -> None:
        self.data_dir = data_dir
        self.ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "DATA_DIR": str(data_dir),
            "MODELS_DIR": str(MODELS),
            "HTTP_BIND": "127.0.0.1",
            "ADMIN_PASSWORD": FIRST_PASSWORD,
            **{name: str(port) for name, port in self.ports.items()},
            **variables,
        }
        self.log = data_dir.with_suffix(".log")
        self.process: subprocess.Popen[bytes] | None = None
        self._on_stop: list[Callable[[], None]] = []

    def on_stop(self, action: Callable[[], None]) -> None:
        """Call `action` before the stack is stopped."""
        self._on_stop.append(action)

    @property
    def url(self) -> str:
        """Base URL of the gateway."""
        return f"http://127.0.0.1:{self.ports['HTTP_PORT']}"

    def secret(self, name: str) -> str:
        """A secret that the stack generated at its first start."""
        lines = (self.data_dir / "secrets.env").read_text().splitlines()
        return next(ln.split("=", 1)[1].strip("'\"") for ln in lines if ln.startswith(f"{name}="))

    def start(self, expect: str | None = "Atoll runs at") -> "Stack":
        """Start the stack and wait for the line that says a chat would be answered."""
        command = [str(Path(sys.executable).parent / "atoll-stack"), "run"]
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=out, stderr=subprocess.STDOUT
            )
        if expect:
            self.wait_for_line(expect)
        return self

    def wait_for_line(self, expect: str, seconds: float = 120) -> None:
        """Wait until the stack printed `expect`."""

        def printed() -> bool | None:
            text = self.log.read_text(errors="replace")
            assert self.process is not None
            if expect in text:
                return True
            assert self.process.poll() is None, f"the stack ended:\n{text[-3000:]}"
            return None

        wait_for(f"{expect!r} from the stack", printed, seconds)

    def stop(self) -> None:
        """Ctrl-C: the stack must end by itself, with every process."""
        while self._on_stop:
            self._on_stop.pop()()
        if self.process is None or self.process.poll() is not None:
            return
        children = psutil.Process(self.process.pid).children(recursive=True)
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(40)
        finally:
            for child in psutil.wait_procs(children, timeout=5)[1]:
                child.kill()

    def pid(self, name: str) -> int:
        """The process id of a service, by a word of its command line such as `atoll-inference`."""
        assert self.process is not None
        for child in psutil.Process(self.process.pid).children(recursive=True):
            try:
                line = " ".join(child.cmdline())
            except psutil.Error:
                continue
            if name in line and child.status() != psutil.STATUS_ZOMBIE:
                return int(child.pid)
        raise AssertionError(f"no process of the stack has {name!r} in its command line")

    def wait_ready(self, seconds: float = 90) -> None:
        """Wait until inference is ready and the chat backend healthy, through the gateway."""

        def ready() -> bool | None:
            try:
                health = httpx.get(f"{self.url}/api/health", timeout=5).status_code
                inference = httpx.get(f"{self.url}/v2/health/ready", timeout=5).status_code
            except httpx.HTTPError:
                return None
            return True if (health, inference) == (200, 200) else None

        wait_for("a ready stack", ready, seconds)

    def __enter__(self) -> "Stack":
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_: object) -> None:
        self.stop()
