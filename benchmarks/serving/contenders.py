"""Starts and stops what is compared."""

import asyncio
import http.client
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil

from benchmarks.serving.inputs import Kind
from benchmarks.serving.load import Target, closed_loop, open_loop

ROOT = Path(__file__).parents[2]
PEERS = {
    "FastAPI + thread pool": "benchmarks.serving.peers.fastapi_pool",
    "LitServe": "benchmarks.serving.peers.litserve_batch",
    "mosec": "benchmarks.serving.peers.mosec_batch",
}


def free_port() -> int:
    """A loopback port that nothing listens on at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def processor_seconds(process: "subprocess.Popen[bytes] | subprocess.Popen[str]") -> float:
    """Processor time of a contender and all that it started, so far."""
    main = psutil.Process(process.pid)
    times = [each.cpu_times() for each in (main, *main.children(recursive=True))]
    return sum(each.user + each.system for each in times)


class Server:
    """One contender that speaks HTTP."""

    def __init__(self, name: str, kind: Kind, folder: Path, log: Path) -> None:
        self.name = name
        self.kind = kind
        port = free_port()
        environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
        if name == "Atoll":
            token = secrets.token_hex(32)
            models = folder.parent.parent
            environment |= {
                "INTERNAL_TOKEN": token,
                "INFERENCE_PORT": str(port),
                "MODELS_DIR": str(models),
                "DATA_DIR": str(log.parent / "atoll"),
                "PRELOAD": kind.slot,
                "QUEUE_LIMIT": "1000",
                "LOG_LEVEL": "WARNING",
            }
            command = [sys.executable, "-m", "atoll_inference", "serve"]
            self.target = Target(port, kind.route, f"X-Internal-Token: {token}\r\n")
            self.field: str | None = None
        else:
            environment["PEER"] = f"{kind.name}\n{folder}\n{port}"
            command = [sys.executable, "-m", PEERS[name], kind.name, str(folder), str(port)]
            self.target = Target(port, "/run" if name != "mosec" else "/inference")
            self.field = "data"
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                env=environment,
                cwd=ROOT,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._log = log

    def wait(self, probe: bytes) -> None:
        """Until it answers a first input."""
        until = time.monotonic() + 180
        while True:
            try:
                self.closed([probe], 1)
                return
            except (OSError, RuntimeError, asyncio.IncompleteReadError, http.client.HTTPException):
                if time.monotonic() > until or self.process.poll() is not None:
                    tail = self._log.read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"{self.name} does not answer:\n{tail}") from None
                time.sleep(0.5)

    def closed(self, inputs: list[bytes], clients: int) -> list[float]:
        """See `load.closed_loop`."""
        bodies = [self.kind.body(data, self.field) for data in inputs]
        return asyncio.run(closed_loop(self.target, bodies, clients))

    def open(self, inputs: list[bytes], rate: float) -> list[float]:
        """See `load.open_loop`."""
        bodies = [self.kind.body(data, self.field) for data in inputs]
        return asyncio.run(open_loop(self.target, bodies, rate))

    def close(self) -> None:
        """End it and what it started."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, 15)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, 9)
                self.process.wait()


class Bare:
    """The engine or a library alone; see `bare`."""

    def __init__(self, name: str, kind: Kind, folder: Path, mode: str) -> None:
        self.name = name
        self.kind = kind
        command = [sys.executable, "-m", "benchmarks.serving.bare", kind.name, str(folder), mode]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
        )
        assert self.process.stdout
        if self.process.stdout.readline().strip() != "ready":
            raise RuntimeError(f"{name} did not start")

    def measure(self, inputs: list[bytes]) -> float:
        """Seconds for all inputs together."""
        assert self.process.stdin and self.process.stdout
        bodies = [self.kind.body(data, "data").decode() for data in inputs]
        print(json.dumps({"bodies": bodies}), file=self.process.stdin, flush=True)
        return float(json.loads(self.process.stdout.readline()))

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(30)
