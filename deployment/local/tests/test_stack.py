"""A real stack: started, found running, healed, and stopped without leaving anything behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

ROOT = Path(__file__).parents[3]
COMMAND = Path(sys.executable).with_name("atoll-stack")
PORTS = ("HTTP_PORT", "CHAT_BACKEND_PORT", "INFERENCE_PORT", "FRONTEND_PORT")


def free_ports() -> dict[str, str]:
    probes = [socket.socket() for _ in PORTS]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [str(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return dict(zip(PORTS, ports, strict=True))


def wait_for(check: Callable[[], bool], what: str, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.1)


def _hear_hangups() -> None:
    # Under nohup the stack ignores a closed terminal, as it should; the tests may run there too.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class RunningStack:
    """`atoll-stack run` on free ports, without a model: what is tested here needs none."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        (self.root / "services/frontend/dist").mkdir(parents=True)
        (self.root / "services/frontend/dist/index.html").write_text("<title>Atoll</title>")
        (self.root / "services/gateway").symlink_to(ROOT / "services/gateway")
        self.output = folder / "output"
        self.environment = {
            "PATH": os.environ["PATH"],
            "HTTP_BIND": "127.0.0.1",
            "DATA_DIR": str(folder / "data"),
            "MODELS_DIR": str(folder / "models"),
            "PRELOAD": "none",
            **free_ports(),
        }
        self.url = f"http://127.0.0.1:{self.environment['HTTP_PORT']}"
        self.process: subprocess.Popen[bytes] | None = None

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another shell's command for the same stack."""
        return subprocess.run(
            [COMMAND, "--root", self.root, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def start(self) -> None:
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [COMMAND, "--root", self.root, "run", "--no-check"],
                env=self.environment,
                stdout=output,
                stderr=output,
                preexec_fn=_hear_hangups,  # noqa: PLW1509 - one thread
            )
        wait_for(lambda: "Atoll runs at" in self.text or self.ended, "the start")
        assert not self.ended, self.text

    @property
    def ended(self) -> bool:
        assert self.process is not None
        return self.process.poll() is not None

    @property
    def text(self) -> str:
        return self.output.read_text()

    def processes(self) -> list[psutil.Process]:
        assert self.process is not None
        return psutil.Process(self.process.pid).children(recursive=True)

    def find(self, word: str) -> psutil.Process:
        return next(p for p in self.processes() if word in " ".join(p.cmdline()))

    def has_another(self, word: str, pid: int) -> bool:
        """Whether a process with `word` in its command line runs which is not `pid`."""
        try:
            return self.find(word).pid != pid
        except (StopIteration, psutil.Error):
            return False

    def healthy(self) -> bool:
        try:
            return all(
                httpx.get(self.url + path, timeout=5).status_code == 200
                for path in ("/", "/api/health", "/v2/health/ready")
            )
        except httpx.HTTPError:
            return False


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[RunningStack]:
    running = RunningStack(tmp_path)
    running.start()
    left = running.processes()
    yield running
    assert running.process is not None
    if not running.ended:
        running.process.terminate()
    running.process.wait(timeout=60)
    _, alive = psutil.wait_procs(left, timeout=30)
    assert not alive


def test_life_of_a_stack(stack: RunningStack) -> None:
    assert stack.healthy()
    status = stack.command("status")
    assert status.returncode == 0, status.stdout + status.stderr
    assert all(name in status.stdout for name in ("chat-backend", "inference", "gateway"))
    assert "first-admin-password" in stack.text

    second = stack.command("run", "--no-check")
    assert second.returncode == 1
    assert "already runs" in second.stderr
    assert "make stop" in second.stderr
    assert stack.healthy()

    for word in ("atoll-chat", "atoll-inference", "nginx: master"):
        victim = stack.find(word).pid
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda: stack.has_another(word, victim), f"another {word}")  # noqa: B023
        wait_for(stack.healthy, f"{word} to work")
    wait_for(lambda: stack.text.count("runs again") == 3, "a line about each of them")

    started = time.monotonic()
    stopped = stack.command("stop")
    assert stopped.returncode == 0
    assert time.monotonic() - started < 16
    wait_for(lambda: stack.ended, "the end of the foreground process")
    assert stack.process is not None
    assert stack.process.returncode == 0
    assert stack.command("status").returncode == 3
    assert "nothing runs" in stack.command("stop").stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything(stack: RunningStack, number: signal.Signals) -> None:
    assert stack.process is not None
    stack.process.send_signal(number)
    assert stack.process.wait(timeout=16) == 0
    assert stack.text.endswith("atoll: stopped\n")


def test_nothing_outlives_a_killed_stack(stack: RunningStack) -> None:
    left = stack.processes()
    assert stack.process is not None
    stack.process.kill()
    stack.process.wait(timeout=30)
    _, alive = psutil.wait_procs(left, timeout=30)
    assert not alive
    # And it can be started again.
    stack.start()
    assert stack.healthy()


def test_a_setting_that_a_service_refuses_ends_the_start(tmp_path: Path) -> None:
    stack = RunningStack(tmp_path)
    stack.environment["DEVICE"] = "abacus"
    refused = stack.command("run", "--no-check")
    assert refused.returncode == 2
    assert "DEVICE" in refused.stderr
    del stack.environment["DEVICE"]

    stack.environment["REGISTRATION"] = "sometimes"
    refused = stack.command("run", "--no-check")
    assert refused.returncode == 2
    assert "REGISTRATION" in refused.stderr


def test_a_service_that_cannot_start_is_shown_with_the_end_of_its_log(tmp_path: Path) -> None:
    stack = RunningStack(tmp_path)
    stack.environment["MODEL_CATALOG"] = str(tmp_path / "missing.toml")
    refused = stack.command("run", "--no-check")
    assert refused.returncode == 1
    assert "inference cannot start" in refused.stderr
    assert "missing.toml" in refused.stderr


def test_a_command_gets_the_settings_of_its_service(tmp_path: Path) -> None:
    stack = RunningStack(tmp_path)
    listed = stack.command("cli", "inference", "models", "list")
    assert listed.returncode == 0, listed.stderr
    assert "chat" in listed.stdout
