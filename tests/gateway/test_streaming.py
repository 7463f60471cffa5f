"""Bytes pass as they come: event streams, WebSockets, uploads."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection, serve
from websockets.typing import Origin, Subprotocol

from .conftest import StartGateway
from .edge import Gateway
from .fake_service import Exchange, FakeService


@pytest.mark.parametrize(
    "path",
    [
        "/api/runs/1/events",
        "/api/jobs/1/events",
        "/v1/chat/completions",
        "/v2/models/m/load",
        "/inference/video_enhancement",
    ],
)
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_an_event_arrives_before_the_next_is_sent(
    gateway: Gateway, chat: FakeService, inference: FakeService, path: str, encoding: str
) -> None:
    first_was_read = Event()
    seen_in_time: list[bool] = []

    def stream(exchange: Exchange) -> None:
        exchange.send_response(200)
        exchange.send_header("Content-Type", "text/event-stream; charset=utf-8")
        exchange.send_header("X-Accel-Buffering", "no")
        exchange.end_headers()
        exchange.wfile.write(b"data: first\n\n")
        exchange.wfile.flush()
        seen_in_time.append(first_was_read.wait(timeout=60))
        exchange.wfile.write(b"data: second\n\n")
        exchange.close_connection = True

    chat.answers[path] = inference.answers[path] = stream
    connection = gateway.connect()
    response = gateway.begin(connection, path, headers=[("Accept-Encoding", encoding)])
    assert response.headers["X-Accel-Buffering"] == "no"
    assert response.headers["Content-Encoding"] is None
    assert response.readline() == b"data: first\n"
    first_was_read.set()
    assert response.read() == b"\ndata: second\n\n"
    assert seen_in_time == [True]
    connection.close()


def test_ndjson_is_not_held_back_for_compression(gateway: Gateway, inference: FakeService) -> None:
    first_was_read = Event()
    seen_in_time: list[bool] = []

    def stream(exchange: Exchange) -> None:
        exchange.send_response(200)
        exchange.send_header("Content-Type", "application/x-ndjson")
        exchange.end_headers()
        exchange.wfile.write(b'{"n": 1}\n')
        exchange.wfile.flush()
        seen_in_time.append(first_was_read.wait(timeout=20))
        exchange.close_connection = True

    inference.answers["/v1/vision/batch"] = stream
    connection = gateway.connect()
    headers = [("Accept-Encoding", "gzip")]
    response = gateway.begin(connection, "/v1/vision/batch", method="POST", headers=headers)
    assert response.readline() == b'{"n": 1}\n'
    first_was_read.set()
    response.read()
    assert seen_in_time == [True]
    connection.close()


def test_the_service_learns_that_the_client_is_gone(gateway: Gateway, chat: FakeService) -> None:
    gone = Event()

    def stream(exchange: Exchange) -> None:
        exchange.send_response(200)
        exchange.send_header("Content-Type", "text/event-stream")
        exchange.end_headers()
        exchange.wfile.write(b"data: first\n\n")
        exchange.wfile.flush()
        exchange.connection.settimeout(60)
        if exchange.connection.recv(1) == b"":
            gone.set()
        exchange.close_connection = True

    chat.default = stream
    connection = gateway.connect()
    response = gateway.begin(connection, "/v1/chat/completions", method="POST")
    response.readline()
    response.close()
    connection.close()
    assert gone.wait(timeout=60)


def test_a_body_reaches_the_service_before_it_is_complete(
    gateway: Gateway, inference: FakeService
) -> None:
    arrived = Event()

    def receive(exchange: Exchange) -> None:
        assert exchange.rfile.read(5) == b"first"
        arrived.set()
        exchange.rfile.read(6)
        exchange.send_json(200, {})

    inference.default = receive
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as client:
        client.sendall(b"POST /v1/ocr HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nfirst")
        assert arrived.wait(timeout=60)
        client.sendall(b"second")
        assert client.recv(15) == b"HTTP/1.1 200 OK"


@contextmanager
def echoing_sockets() -> Iterator[tuple[int, list[ServerConnection]]]:
    """A WebSocket service that echoes, and the connections it has had."""
    connections: list[ServerConnection] = []

    def echo(connection: ServerConnection) -> None:
        connections.append(connection)
        for message in connection:
            connection.send(message)

    def choose(connection: ServerConnection, offered: object) -> None:
        return None

    with serve(echo, "127.0.0.1", 0, select_subprotocol=choose) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield int(server.socket.getsockname()[1]), connections
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("path", ["/ws/chat", "/ws/chat/", "/ws/analyze", "/ws/analyze/"])
def test_websockets_pass(start_gateway: StartGateway, path: str) -> None:
    with echoing_sockets() as (port, connections):
        gateway = start_gateway(CHAT_BACKEND_ADDRESS=f"127.0.0.1:{port}")
        with connect(
            f"ws://127.0.0.1:{gateway.port}{path}",
            origin=Origin("http://example.test"),
            proxy=None,
            additional_headers={"Cookie": "atoll_session=abc", "X-Atoll-User": "forged"},
        ) as client:
            client.send("hello")
            assert client.recv(timeout=60) == "hello"
            client.send(b"\x00" * 100_000)
            assert client.recv(timeout=60) == b"\x00" * 100_000
        request = connections[0].request
        assert request is not None
        assert request.path == path
        assert request.headers["Origin"] == "http://example.test"
        assert request.headers["Cookie"] == "atoll_session=abc"
        assert "X-Atoll-User" not in request.headers
        assert request.headers["X-Request-Id"]


def test_a_subprotocol_with_a_key_reaches_the_service_and_no_log(
    start_gateway: StartGateway,
) -> None:
    with echoing_sockets() as (port, connections):
        gateway = start_gateway(CHAT_BACKEND_ADDRESS=f"127.0.0.1:{port}")
        with connect(
            f"ws://127.0.0.1:{gateway.port}/ws/chat",
            subprotocols=[Subprotocol("bearer.sk-atoll-private")],
            proxy=None,
        ) as client:
            response = client.response
        request = connections[0].request
        assert request is not None
        assert request.headers["Sec-WebSocket-Protocol"] == "bearer.sk-atoll-private"
        assert response is not None
        assert gateway.access_log(response.headers["X-Request-Id"])["status"] == 101
        assert "sk-atoll" not in (gateway.directory / "access.log").read_text()


def test_a_refused_handshake_is_the_services_answer(gateway: Gateway, chat: FakeService) -> None:
    chat.default = lambda exchange: exchange.send_json(403, {"error": {"code": "bad_origin"}})
    with pytest.raises(InvalidStatus) as refusal:
        connect(f"ws://127.0.0.1:{gateway.port}/ws/chat", proxy=None)
    assert refusal.value.response.status_code == 403


def test_other_routes_do_not_upgrade(gateway: Gateway, chat: FakeService) -> None:
    upgrade = [("Upgrade", "websocket"), ("Connection", "Upgrade")]
    gateway.request("/api/config", headers=upgrade)
    assert chat.only("/api/config").header("Upgrade") is None
    assert chat.only("/api/config").header("Connection") is None
