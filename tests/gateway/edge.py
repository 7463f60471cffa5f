"""A running gateway: rendered templates and one nginx on free loopback ports."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage, HTTPResponse
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RENDER = ROOT / "services/gateway/render.sh"
INTERNAL_TOKEN = "tests-only-0123456789abcdef0123456789abcdef"
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; media-src 'self' blob:; object-src 'none'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": ("microphone=(self), camera=(), geolocation=(), payment=(), usb=()"),
    "Cross-Origin-Opener-Policy": "same-origin",
}


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Reply:
    """An answer of the gateway, with its headers as they came."""

    status: int
    headers: HTTPMessage
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def error(self) -> dict[str, Any]:
        """The error of the body, after a check of the one shape and of the request id."""
        assert self.headers["Content-Type"] == "application/json", self.headers["Content-Type"]
        payload = self.json()
        assert set(payload) == {"error"}
        error: dict[str, Any] = payload["error"]
        assert set(error) == {"message", "type", "code", "param", "request_id"}
        assert error["request_id"] == self.headers["X-Request-Id"]
        return error

    def check_security_headers(self) -> None:
        """Each security header once, with the value of the contract."""
        for name, value in SECURITY_HEADERS.items():
            assert self.headers.get_all(name) == [value], name


@dataclass
class Gateway:
    """Where a gateway listens and how it was set up."""

    directory: Path
    port: int
    frontend_port: int
    frontend_root: Path
    settings: dict[str, str]
    process: subprocess.Popen[bytes] | None = None

    def render(self) -> subprocess.CompletedProcess[str]:
        """Run render.sh with these settings and nothing else of the environment."""
        environment = {
            "PATH": os.environ["PATH"],
            "GATEWAY_RUN_DIR": str(self.directory),
            "GATEWAY_LISTEN": f"127.0.0.1:{self.port}",
            "GATEWAY_ACCESS_LOG": str(self.directory / "access.log"),
            "FRONTEND_LISTEN": f"127.0.0.1:{self.frontend_port}",
            "FRONTEND_ROOT": str(self.frontend_root),
            "INTERNAL_TOKEN": INTERNAL_TOKEN,
            **self.settings,
        }
        return subprocess.run(
            [RENDER, self.directory / "nginx"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def command(self) -> list[str | Path]:
        """How nginx is started."""
        return ["nginx", "-e", "stderr", "-c", self.directory / "nginx/nginx.conf"]

    @property
    def errors(self) -> str:
        """What nginx wrote to its error log."""
        return (self.directory / "error.log").read_text()

    def access_log(self, request_id: str) -> dict[str, Any]:
        """The access line of a request; it is written just after the answer."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            for line in (self.directory / "access.log").read_text().splitlines():
                entry: dict[str, Any] = json.loads(line)
                if entry["request_id"] == request_id:
                    return entry
            time.sleep(0.02)
        raise AssertionError(f"no access line for {request_id}")

    def connect(self) -> HTTPConnection:
        """A plain connection that sends targets and headers as they are."""
        return HTTPConnection("127.0.0.1", self.port, timeout=60)

    def request(
        self,
        target: str,
        *,
        method: str = "GET",
        headers: list[tuple[str, str]] | None = None,
        body: bytes = b"",
    ) -> Reply:
        """One request on a connection of its own. The target is not normalised."""
        connection = self.connect()
        try:
            response = self.begin(connection, target, method=method, headers=headers, body=body)
            return Reply(response.status, response.headers, response.read())
        finally:
            connection.close()

    def begin(
        self,
        connection: HTTPConnection,
        target: str,
        *,
        method: str = "GET",
        headers: list[tuple[str, str]] | None = None,
        body: bytes = b"",
    ) -> HTTPResponse:
        """Send a request and return when the head of the answer is there."""
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers or []:
            connection.putheader(name, value)
        if body or method in ("POST", "PUT", "PATCH"):
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body or None)
        return connection.getresponse()

    def raw(self, data: bytes) -> bytes:
        """Send bytes, return every byte that comes until the gateway closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as client:
            client.sendall(data)
            received = bytearray()
            while chunk := client.recv(65536):
                received += chunk
            return bytes(received)

    def wait_until_listening(self) -> None:
        """Return when both servers accept connections."""
        assert self.process is not None
        deadline = time.monotonic() + 30
        for port in (self.port, self.frontend_port):
            while True:
                assert self.process.poll() is None, self.errors
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=5).close()
                    break
                except OSError:
                    assert time.monotonic() < deadline, self.errors
                    time.sleep(0.02)


@contextmanager
def running(gateway: Gateway) -> Iterator[Gateway]:
    """Render, start nginx, stop it."""
    rendered = gateway.render()
    assert rendered.returncode == 0, rendered.stderr
    with (gateway.directory / "error.log").open("wb") as errors:
        gateway.process = subprocess.Popen(gateway.command, stdout=errors, stderr=errors)
    try:
        gateway.wait_until_listening()
        yield gateway
    finally:
        gateway.process.terminate()
        gateway.process.wait(timeout=30)
