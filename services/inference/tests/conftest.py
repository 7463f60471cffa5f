"""The real service in a process of its own, with the real starter model."""

import asyncio
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

# What a service under test gets of this process; PYTHONPATH lets the guards test a copy.
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH")
ROOT = Path(__file__).resolve().parents[3]
STARTER = "smollm2-135m-instruct"


@pytest.fixture(scope="session")
def models_dir() -> Path:
    folder = Path(os.environ.get("ATOLL_TEST_MODELS_DIR") or ROOT / "models")
    if not list(folder.glob(f"chat/{STARTER}/*.gguf")):
        pytest.fail(f"{folder} has no starter model; run `make models-starter` first")
    return folder


@pytest.fixture(scope="session")
def starter(models_dir: Path) -> Path:
    """The weights file of the starter model."""
    return next(models_dir.glob(f"chat/{STARTER}/*.gguf"))


@pytest.fixture
def own_models(tmp_path: Path, models_dir: Path, starter: Path) -> Path:
    """A models folder of the test's own, with the starter model in it."""
    target = tmp_path / "models" / "chat" / STARTER
    target.mkdir(parents=True)
    shutil.copy(starter.parent / "atoll.toml", target)
    (target / starter.name).symlink_to(starter)
    return tmp_path / "models"


class Service:
    """A running service and what a caller needs to reach it."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, token: str, log: Path) -> None:
        self.process = process
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.headers = {"X-Internal-Token": token}
        self.log = log

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, headers=self.headers, timeout=30, trust_env=False)

    def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return httpx.post(
            self.url + path,
            json=body,
            headers={**self.headers, **headers},
            timeout=120,
            trust_env=False,
        )

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.url,
            headers=self.headers,
            timeout=120,
            limits=httpx.Limits(max_connections=None),
            trust_env=False,
        )

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples with these labels; 0 when there is none."""
        total = 0.0
        for line in self.get("/metrics").text.splitlines():
            if line.startswith((f"{name} ", f"{name}{{")) and all(
                f'{key}="{value}"' in line for key, value in labels.items()
            ):
                total += float(line.rsplit(" ", 1)[1])
        return total

    def wait_until(self, condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
        until = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < until, f"{what} did not happen in {seconds} s"
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            time.sleep(0.05)

    async def until(self, name: str, value: float, seconds: float = 60) -> None:
        """Wait until the metric `name` is at least `value`, leaving the loop to other tasks."""
        for _ in range(int(seconds / 0.02)):
            if self.metric(name) >= value:
                return
            await asyncio.sleep(0.02)
        pytest.fail(f"{name} did not reach {value}")

    def is_ready(self) -> bool:
        try:
            return self.get("/v2/health/ready").status_code == 200
        except httpx.TransportError:
            return False

    def is_live(self) -> bool:
        try:
            return self.get("/v2/health/live").status_code == 200
        except httpx.TransportError:
            return False

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


Start = Callable[..., Service]


@pytest.fixture(scope="session")
def start_service(tmp_path_factory: pytest.TempPathFactory, models_dir: Path) -> Iterator[Start]:
    """Start a service with settings of the test's own; all are stopped at the end."""
    running: list[Service] = []

    def start(*, wait_ready: bool = True, **settings: Any) -> Service:
        home = tmp_path_factory.mktemp("service")
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        token = secrets.token_hex(32)
        kept = {k: v for k, v in os.environ.items() if k in KEPT}
        variables = {
            "INTERNAL_TOKEN": token,
            "INFERENCE_PORT": port,
            "MODELS_DIR": models_dir,
            "DATA_DIR": home,
            **settings,
        }
        log = home / "output.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "atoll_inference", "serve"],
                env={**kept, **{k: str(v) for k, v in variables.items()}},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        service = Service(process, port, token, log)
        running.append(service)
        service.wait_until(service.is_ready if wait_ready else service.is_live, "start")
        return service

    yield start
    for service in running:
        service.stop()


@pytest.fixture(scope="session")
def service(start_service: Start) -> Service:
    """The service with its default settings."""
    return start_service()


@pytest.fixture
async def http(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with service.client() as client:
        yield client


def ask(question: str, **options: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": question}], **options}


@pytest.fixture(name="ask")
def ask_fixture() -> Callable[..., dict[str, Any]]:
    return ask


@pytest.fixture
def long_question() -> dict[str, Any]:
    """A request whose answer goes on for many hundreds of tokens."""
    return ask("Write a very long story about the sea, in many chapters.", max_tokens=1900)
