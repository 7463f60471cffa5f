"""The real inference service with the real starter model, in a process of its own."""

import importlib.util
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[4]
DEADLINE = 120.0


def models_dir() -> Path:
    return Path(os.environ.get("ATOLL_TEST_MODELS_DIR") or ROOT / "models")


def why_not() -> str | None:
    """What is missing to run the service, if anything is."""
    if importlib.util.find_spec("atoll_inference") is None:
        return "the package atoll_inference is not installed"
    if not list(models_dir().glob("chat/*/*.gguf")):
        return f"{models_dir()} has no chat model; run `make models-starter`"
    return None


class InferenceProcess:
    """Starts and stops the service; after it ended it can be started again on the same port."""

    def __init__(self, data_dir: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.token = secrets.token_hex(32)
        self._env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),  # the guards test a copy
            "DATA_DIR": str(data_dir),
            "MODELS_DIR": str(models_dir()),
            "INTERNAL_TOKEN": self.token,
            "INFERENCE_PORT": str(self.port),
            "CHAT_CONTEXT": "1024",
            "LOG_LEVEL": "WARNING",
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, chat_backend_url: str) -> None:
        program = [sys.executable, "-m", "atoll_inference", "serve"]
        self.process = subprocess.Popen(
            program,
            env={**self._env, "CHAT_BACKEND_URL": chat_backend_url},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + DEADLINE
        while not self._ready():
            assert self.process.poll() is None, "inference did not start"
            assert time.monotonic() < deadline, "inference is not ready"
            time.sleep(0.05)

    def end(self, number: int = signal.SIGTERM) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(DEADLINE)

    def _ready(self) -> bool:
        try:
            url = f"{self.url}/v2/health/ready"
            return httpx.get(url, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False
