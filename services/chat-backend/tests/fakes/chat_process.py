"""The chat backend as an operator runs it: `atoll-chat serve` in a process of its own."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

DEADLINE = 60.0
PASSWORD = "correct horse battery"


class ChatProcess:
    """Migrates, starts and stops a server on `data_dir`; may be started again after it ended."""

    def __init__(self, data_dir: Path, inference_url: str, **settings: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.internal_token = secrets.token_hex(32)
        self._env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),  # the guards test a copy
            "DATA_DIR": str(data_dir),
            "SECRET_KEY": secrets.token_hex(32),
            "INTERNAL_TOKEN": self.internal_token,
            "INFERENCE_URL": inference_url,
            "CHAT_BACKEND_PORT": str(self.port),
            "ADMIN_PASSWORD": "first administrator",
            "REGISTRATION": "open",
            **settings,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        self._command("migrate")
        self.process = subprocess.Popen([*self._program, "serve"], env=self._env, stdout=-3)
        deadline = time.monotonic() + DEADLINE
        while True:
            assert self.process.poll() is None, "the server did not start"
            assert time.monotonic() < deadline, "the server is not healthy"
            try:
                if httpx.get(f"{self.url}/api/health", trust_env=False).status_code == 200:
                    return self
            except httpx.TransportError:
                pass
            time.sleep(0.02)

    def end(self, number: int = signal.SIGTERM) -> float:
        """Send a signal and wait for the end; the seconds it took."""
        assert self.process
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(DEADLINE)
        return time.monotonic() - began

    def user(self, name: str = "ada") -> dict[str, str]:
        """Register and sign in; the headers that the browser sends from then on."""
        body = {"username": name, "password": PASSWORD}
        with httpx.Client(base_url=self.url, trust_env=False, timeout=DEADLINE) as client:
            client.post("/api/auth/register", json=body).raise_for_status()
            answer = client.post("/api/auth/login", json=body)
            token = answer.cookies["atoll_session"]
        return {"Cookie": f"atoll_session={token}", "X-CSRF-Token": answer.json()["csrf_token"]}

    def _command(self, name: str) -> None:
        subprocess.run([*self._program, name], env=self._env, check=True, stdout=-3)

    @property
    def _program(self) -> list[str]:
        return [sys.executable, "-m", "atoll_chat.cli"]

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(DEADLINE)
