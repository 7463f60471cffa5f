"""Failures of the gateway itself: the one error shape, never HTML."""

import json
import socket
from http.client import parse_headers
from io import BytesIO

import pytest

from .conftest import StartGateway
from .edge import Gateway, Reply, free_port
from .fake_service import Exchange, FakeService


def parse(data: bytes) -> Reply:
    """An answer as it came over the wire."""
    head, _, body = data.partition(b"\r\n\r\n")
    first, _, rest = head.partition(b"\r\n")
    status = int(first.split()[1])
    return Reply(status, parse_headers(BytesIO(rest + b"\r\n\r\n")), body)


@pytest.mark.parametrize(
    ("request_bytes", "status", "code"),
    [
        (b"nonsense\r\n\r\n", 400, "invalid_request"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "invalid_request"),
        (b"GET /a%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400, "invalid_request"),
        (b"GET /api/../../etc HTTP/1.1\r\nHost: a\r\n\r\n", 400, "invalid_request"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "invalid_request"),
        (b"POST /api/x HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400, "invalid_request"),
        (
            b"POST /api/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
            "invalid_request",
        ),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, "uri_too_long"),
        (
            b"GET / HTTP/1.1\r\nHost: a\r\nCookie: " + b"a" * 20_000 + b"\r\n\r\n",
            431,
            "headers_too_large",
        ),
        (
            b"POST /api/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: strange\r\n\r\n",
            501,
            "not_implemented",
        ),
        (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 501, "not_implemented"),
        (b"TRACE /api/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 405, None),
    ],
)
def test_requests_that_are_not_http(
    gateway: Gateway, chat: FakeService, request_bytes: bytes, status: int, code: str | None
) -> None:
    reply = parse(gateway.raw(request_bytes))
    assert reply.status == status
    assert reply.error()["code"] == (code or "method_not_allowed")
    reply.check_security_headers()
    assert not chat.seen


@pytest.mark.parametrize("path", ["/api/config", "/v1/chat/completions", "/v2/health/ready"])
def test_a_service_that_is_gone(start_gateway: StartGateway, path: str) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    gateway = start_gateway(CHAT_BACKEND_ADDRESS=nowhere, INFERENCE_ADDRESS=nowhere)
    reply = gateway.request(path)
    assert reply.status == 502
    assert reply.error()["code"] == "upstream_unavailable"
    assert reply.headers["Retry-After"] == "5"
    reply.check_security_headers()


def test_inference_gone_behind_a_permission(start_gateway: StartGateway) -> None:
    gateway = start_gateway(INFERENCE_ADDRESS=f"127.0.0.1:{free_port()}")
    reply = gateway.request("/v1/embeddings", method="POST")
    assert reply.status == 502
    assert reply.error()["code"] == "upstream_unavailable"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_is_never_sent_twice(gateway: Gateway, chat: FakeService, method: str) -> None:
    chat.default = Exchange.hang_up
    reply = gateway.request("/api/conversations", method=method, body=b"{}")
    assert reply.status == 502
    assert reply.error()["code"] == "upstream_unavailable"
    assert len(chat.requests("/api/conversations")) == 1


def test_an_address_that_does_not_answer_is_unavailable(start_gateway: StartGateway) -> None:
    """A full accept queue is what a container that is gone looks like: no refusal, no answer."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        address = silent.getsockname()
        waiting = [socket.socket() for _ in range(8)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(address)
        gateway = start_gateway(CHAT_BACKEND_ADDRESS=f"127.0.0.1:{address[1]}")
        reply = gateway.request("/api/config")
        for client in waiting:
            client.close()
    assert reply.status == 503
    assert reply.error()["code"] == "upstream_unavailable"
    assert reply.headers["Retry-After"] == "5"


def test_a_resolver_that_does_not_know_the_name_is_unavailable(
    start_gateway: StartGateway,
) -> None:
    """The form for containers: names are looked up while serving, and nginx starts without them."""
    gateway = start_gateway(GATEWAY_RESOLVER="127.0.0.1", CHAT_BACKEND_ADDRESS="chat-backend:8000")
    reply = gateway.request("/api/config")
    assert reply.status == 502
    assert reply.error()["code"] == "upstream_unavailable"
    assert gateway.request("/v1/embeddings", method="POST").status == 503
    assert gateway.request("/v2/health/live").status == 200


def test_errors_are_json_whatever_the_extension(gateway: Gateway) -> None:
    for path in ("/assets/missing.js", "/missing.css", "/internal/page.html"):
        reply = gateway.request(path)
        assert reply.status == 404
        assert reply.error()["code"] == "not_found"
        assert reply.headers["Cache-Control"] == "no-store"


def test_nginx_does_not_tell_its_version(gateway: Gateway) -> None:
    assert gateway.request("/missing.css").headers["Server"] == "nginx"


def test_the_error_body_is_one_line_of_json(gateway: Gateway) -> None:
    body = gateway.request("/internal/x").body
    assert body.endswith(b"}}\n")
    assert json.loads(body)["error"]["param"] is None
