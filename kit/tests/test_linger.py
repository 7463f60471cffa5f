"""An early refusal of a large upload arrives instead of a reset connection."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from atoll_kit.app import create_app
from atoll_kit.internal import InternalTokenMiddleware


@pytest.fixture
def port() -> Iterator[int]:
    app = create_app(
        "test",
        version="1",
        inner=[lambda app: InternalTokenMiddleware(app, token="t" * 32, is_open=lambda _: False)],
    )
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, log_config=None, ws="none", http="httptools")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(20)


def upload(port: int, megabytes: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        length = megabytes * 1_000_000
        client.sendall(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode())
        # A careless client sends everything before it reads.
        for _ in range(megabytes):
            client.sendall(b"x" * 1_000_000)
        return client.recv(65536)


def test_a_client_that_sends_everything_first_still_reads_the_refusal(port: int) -> None:
    for _ in range(5):
        assert upload(port, 30).startswith(b"HTTP/1.1 401")
