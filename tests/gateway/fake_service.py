"""A small HTTP service behind the gateway that does what a test tells it, bad manners included."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Answer = Callable[["Exchange"], None]


@dataclass(frozen=True)
class Seen:
    """One request as it arrived: the headers in order, with repetitions."""

    method: str
    target: str
    headers: list[tuple[str, str]]

    def header(self, name: str) -> str | None:
        """The value of a header that must not be there twice."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} arrived {len(values)} times: {values}"
        return values[0] if values else None

    def all(self, name: str) -> list[str]:
        """Every value of a header; an underscore counts as a hyphen, as it does in WSGI."""
        wanted = name.lower()
        return [value for key, value in self.headers if key.lower().replace("_", "-") == wanted]


class Exchange(BaseHTTPRequestHandler):
    """One request and the means to answer it."""

    protocol_version = "HTTP/1.1"
    server: "FakeServer"

    def _serve(self) -> None:
        seen = Seen(self.command, self.path, list(self.headers.items()))
        self.server.service.seen.append(seen)
        self.server.service.answer_for(self.path)(self)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _serve

    def read_body(self) -> bytes:
        """The whole body, by Content-Length."""
        return self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def send(self, status: int, body: bytes = b"", /, **headers: str) -> None:
        """Answer with a status, headers (underscores become hyphens) and a body."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send_json(self, status: int, payload: Any, /, **headers: str) -> None:
        """Answer with JSON."""
        self.send(status, json.dumps(payload).encode(), Content_Type="application/json", **headers)

    def hang_up(self) -> None:
        """Close the connection without an answer."""
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on the console of the tests."""


class FakeServer(ThreadingHTTPServer):
    """Holds the fake service for its handlers."""

    daemon_threads = True
    service: "FakeService"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The gateway hangs up in the middle of some tests; that is no failure of the fake."""


def _echo(exchange: Exchange) -> None:
    body = exchange.read_body()
    exchange.send_json(200, {"target": exchange.path, "body_bytes": len(body)})


@dataclass
class FakeService:
    """What arrived, and what to answer by path without its query; `default` for all others."""

    port: int = 0
    seen: list[Seen] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    default: Answer = _echo

    @property
    def address(self) -> str:
        """HOST:PORT for the gateway's settings."""
        return f"127.0.0.1:{self.port}"

    def answer_for(self, target: str) -> Answer:
        """The answer registered for the path of `target`."""
        return self.answers.get(target.partition("?")[0], self.default)

    def requests(self, path: str) -> list[Seen]:
        """What arrived for a path."""
        return [seen for seen in self.seen if seen.target.partition("?")[0] == path]

    def only(self, path: str) -> Seen:
        """The one request that arrived for a path."""
        (seen,) = self.requests(path)
        return seen


@contextmanager
def serving(service: FakeService) -> Iterator[FakeService]:
    """Run `service` on a free loopback port."""
    server = FakeServer(("127.0.0.1", service.port), Exchange)
    server.service = service
    service.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
