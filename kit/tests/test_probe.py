"""The health check of a container says what is wrong, or nothing."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

from atoll_kit.probe import probe


@contextmanager
def answering(status: int, body: bytes) -> Iterator[int]:
    """A service that gives the same answer to everybody; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def refusal(code: str) -> bytes:
    return json.dumps({"error": {"message": f"because of {code}", "code": code}}).encode()


def test_a_service_that_is_well_is_not_talked_about() -> None:
    with answering(200, b"{}") as port:
        assert probe(port, "/") is None


def test_a_refusal_is_told_unless_it_is_accepted() -> None:
    with answering(503, refusal("model_loading")) as port:
        assert probe(port, "/") == "because of model_loading"
        assert probe(port, "/", {"model_loading"}) is None


def test_answers_of_somebody_else_are_named_by_their_status() -> None:
    for body in (b"<html>", b"{}", b"[]", b'{"error": 1}'):
        with answering(502, body) as port:
            assert probe(port, "/x") == "/x answers with status 502"


def test_nobody_listens() -> None:
    with answering(200, b"") as port:
        pass
    assert str(probe(port, "/")).startswith(f"port {port} gives no answer: ")
