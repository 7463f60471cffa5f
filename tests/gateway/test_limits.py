"""What a client may cost: bodies without a credential, slow clients, log-in attempts."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from .conftest import StartGateway
from .edge import Gateway
from .fake_service import Exchange, FakeService

HUGE = 500 * 1024 * 1024
CHUNK = b"\0" * 65536


def upload(gateway: Gateway, path: str, size: int = HUGE) -> tuple[bytes, int]:
    """Send `size` bytes as fast as they are taken; what was answered, and how many were sent."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as client:
        head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n"
        client.sendall(head.encode())
        # Wait for an answer first, as a client with Expect: 100-continue does, then insist.
        client.settimeout(60)
        answer = client.recv(65536)
        sent = 0
        try:
            while sent < size:
                client.sendall(CHUNK)
                sent += len(CHUNK)
        except OSError:
            pass
        return answer, sent


def spooled(gateway: Gateway) -> int:
    """Bytes that nginx holds in its temporary files."""
    files = (gateway.directory / "tmp").rglob("*")
    return sum(path.stat().st_size for path in files if path.is_file())


def test_a_huge_upload_without_a_credential_is_refused_and_not_spooled(
    gateway: Gateway, chat: FakeService, inference: FakeService
) -> None:
    chat.answers["/internal/authorize"] = lambda exchange: exchange.send(
        401, X_Auth_Status="401", X_Auth_Code="not_authenticated"
    )
    answer, _ = upload(gateway, "/v1/vision/encode")
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b'"code":"not_authenticated"' in answer
    assert not inference.seen
    assert spooled(gateway) == 0


def test_the_chat_backend_refuses_a_huge_upload_from_its_headers(
    gateway: Gateway, chat: FakeService
) -> None:
    """Nothing waits in the gateway for the body to be complete: the service answers at once."""
    read = 0

    def refuse(exchange: Exchange) -> None:
        nonlocal read
        body = b'{"error": {"code": "not_authenticated"}}'
        exchange.send(401, body)
        # As the services do: the answer is out, what still comes is dropped for a while. Closing
        # at once would reset the connection before nginx has read the answer.
        exchange.connection.settimeout(5)
        try:
            while chunk := exchange.connection.recv(65536):
                read += len(chunk)
        except OSError:
            pass
        exchange.close_connection = True

    chat.default = refuse
    answer, _ = upload(gateway, "/api/files")
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert spooled(gateway) == 0
    assert read < 16 * 1024 * 1024


@pytest.mark.parametrize(
    "path", ["/api/auth/login", "/api/auth/register", "/", "/chat/1", "/v2/health/ready"]
)
def test_open_routes_have_a_small_limit(
    gateway: Gateway, chat: FakeService, inference: FakeService, path: str
) -> None:
    answer, _ = upload(gateway, path, 65 * 1024)
    assert answer.startswith((b"HTTP/1.1 413 ", b"HTTP/1.1 405 "))
    assert b'"code":"body_too_large"' in answer or b'"code":"method_not_allowed"' in answer
    assert not chat.seen
    assert not inference.seen


@pytest.mark.parametrize("path", ["/api/auth/login", "/api/auth/register"])
def test_sign_in_is_limited_by_address(
    start_gateway: StartGateway, chat: FakeService, path: str
) -> None:
    gateway = start_gateway(LOGIN_RATE_PER_MINUTE="4", LOGIN_BURST="2")
    replies = [gateway.request(path, method="POST", body=b"{}") for _ in range(5)]
    assert [reply.status for reply in replies] == [200, 200, 200, 429, 429]
    refused = replies[-1]
    assert refused.error()["code"] == "too_many_attempts"
    assert refused.error()["type"] == "rate_limit_error"
    assert refused.headers["Retry-After"] == "15"
    refused.check_security_headers()
    assert len(chat.seen) == 3
    # Nothing else is limited, and people behind one address are told apart by a trusted proxy.
    assert gateway.request("/api/auth/me").status == 200


def test_sign_in_is_limited_by_the_address_that_a_trusted_proxy_names(
    start_gateway: StartGateway,
) -> None:
    gateway = start_gateway(TRUSTED_PROXIES="127.0.0.1", LOGIN_RATE_PER_MINUTE="1", LOGIN_BURST="1")
    statuses = [
        gateway.request(
            "/api/auth/login", method="POST", headers=[("X-Forwarded-For", address)]
        ).status
        for address in ("203.0.113.1", "203.0.113.2", "203.0.113.1", "203.0.113.1")
    ]
    assert statuses == [200, 200, 200, 429]


@contextmanager
def trickling(gateway: Gateway, count: int) -> Iterator[None]:
    """Clients which have sent a part of a large body and stall."""
    clients = []
    try:
        for _ in range(count):
            client = socket.create_connection(("127.0.0.1", gateway.port), timeout=60)
            clients.append(client)
            client.sendall(b"POST /v1/ocr HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\nx")
        yield
    finally:
        for client in clients:
            client.close()


def test_fifty_stalled_uploads_do_not_keep_a_request_waiting(
    gateway: Gateway, chat: FakeService, inference: FakeService
) -> None:
    with trickling(gateway, 50):
        assert gateway.request("/api/config").status == 200
        assert gateway.request("/v1/embeddings", method="POST", body=b"{}").status == 200
