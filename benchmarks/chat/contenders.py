"""What is measured: the bare engine, the inference service, and the way through the gateway."""

import http.client
import json
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Protocol

from benchmarks.chat.bare import body

TEXT = re.compile(rb'"content": ?"[^"]')
USAGE = re.compile(rb'"usage": ?\{')


class Contender(Protocol):
    """Answers a set of prompts at once."""

    name: str

    def measure(self, prompts: list[str], max_tokens: int) -> dict[str, Any]:
        """Seconds for all, completion tokens of all, seconds to each first token."""


class Bare:
    """The engine alone, in its own process."""

    name = "bare engine"

    def __init__(self, weights: Path, context: int, slots: int) -> None:
        command = [sys.executable, "-m", "benchmarks.chat.bare", str(weights)]
        self.process = subprocess.Popen(
            [*command, str(context), str(slots)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=Path(__file__).parents[2],
        )

    def measure(self, prompts: list[str], max_tokens: int) -> dict[str, Any]:
        """See `Contender.measure`."""
        assert self.process.stdin and self.process.stdout
        request = {"prompts": prompts, "max_tokens": max_tokens}
        print(json.dumps(request), file=self.process.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(30)


class Http:
    """A server, over a connection for each client that is open before the clock starts."""

    def __init__(self, name: str, port: int, headers: dict[str, str]) -> None:
        self.name = name
        self.port = port
        self.headers = headers | {"Content-Type": "application/json"}
        self.connections: list[http.client.HTTPConnection] = []

    def measure(self, prompts: list[str], max_tokens: int) -> dict[str, Any]:
        """See `Contender.measure`."""
        self._connect(len(prompts))
        first: list[float] = []
        tokens: list[int] = []

        def ask(connection: http.client.HTTPConnection, prompt: str) -> None:
            content = json.dumps(body(prompt, max_tokens))
            started = time.perf_counter()
            connection.request("POST", "/v1/chat/completions", content, self.headers)
            answer = connection.getresponse()
            if answer.status != 200:
                raise RuntimeError(f"{self.name}: {answer.status} {answer.read()[:300]!r}")
            seen = False
            for line in iter(answer.readline, b""):
                # Only the lines that matter are parsed: the client shares the processors.
                if not seen and TEXT.search(line):
                    seen = True
                    first.append(time.perf_counter() - started)
                if USAGE.search(line):
                    tokens.append(json.loads(line[6:])["usage"]["completion_tokens"])

        pairs = zip(self.connections, prompts, strict=False)
        threads = [threading.Thread(target=ask, args=pair) for pair in pairs]
        started = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if len(first) != len(prompts) or len(tokens) != len(prompts):
            raise RuntimeError(f"{self.name}: {len(tokens)} of {len(prompts)} answers came whole")
        return {"seconds": time.perf_counter() - started, "tokens": sum(tokens), "first": first}

    def _connect(self, count: int) -> None:
        """Open `count` connections before the clock starts; servers close idle ones."""
        for connection in self.connections:
            connection.close()
        self.connections = []
        for _ in range(count):
            fresh = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
            fresh.request("GET", "/v2/health/live")
            fresh.getresponse().read()
            self.connections.append(fresh)
