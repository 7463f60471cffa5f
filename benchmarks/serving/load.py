"""Clients: as fast as possible, or at a given rate."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """Where requests go."""

    port: int
    path: str
    headers: str = ""

    def request(self, body: bytes) -> bytes:
        """The bytes of one HTTP request."""
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n{self.headers}\r\n"
        )
        return head.encode() + body


class Connection:
    """A kept-alive connection; the least a client can do, so that the servers get the time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> "Connection":
        """Connect."""
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=2**24))

    async def ask(self, request: bytes) -> bytes:
        """Send a request and read the answer.

        Raises:
            RuntimeError: any other status than 200.
        """
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        lower = head.lower()
        if b"content-length:" in lower:
            length = int(lower.split(b"content-length:")[1].split(b"\r\n")[0])
            body = await self._reader.readexactly(length)
        else:
            body = await self._chunks()
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(f"{head[:80]!r} {body[:300]!r}")
        return body

    async def _chunks(self) -> bytes:
        parts = []
        while size := int(await self._reader.readline(), 16):
            parts.append(await self._reader.readexactly(size))
            await self._reader.readline()
        await self._reader.readline()
        return b"".join(parts)

    def close(self) -> None:
        """Disconnect."""
        self._writer.close()


async def closed_loop(target: Target, bodies: Sequence[bytes], clients: int) -> list[float]:
    """Seconds of each request, `clients` of them always under way; the last item is the total."""
    queue = list(reversed([target.request(body) for body in bodies]))
    seconds: list[float] = []

    async def client(connection: Connection) -> None:
        while queue:
            request = queue.pop()
            started = time.perf_counter()
            await connection.ask(request)
            seconds.append(time.perf_counter() - started)

    connections = [await Connection.open(target.port) for _ in range(clients)]
    started = time.perf_counter()
    try:
        await asyncio.gather(*(client(connection) for connection in connections))
    finally:
        for connection in connections:
            connection.close()
    return [*seconds, time.perf_counter() - started]


async def open_loop(target: Target, bodies: Sequence[bytes], rate: float) -> list[float]:
    """Seconds of each request when they arrive at `rate` a second, whatever came of the others.

    A request's clock starts when it should have been sent, so that a server that holds up the
    client does not look fast for it.
    """
    idle: list[Connection] = []
    seconds: list[float] = []
    start = time.perf_counter()

    async def one(number: int, request: bytes) -> None:
        due = start + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        connection = idle.pop() if idle else await Connection.open(target.port)
        try:
            await connection.ask(request)
        except (ConnectionError, asyncio.IncompleteReadError):  # closed by the server when idle
            connection = await Connection.open(target.port)
            await connection.ask(request)
        idle.append(connection)
        seconds.append(time.perf_counter() - due)

    requests = [target.request(body) for body in bodies]
    await asyncio.gather(*(one(i, request) for i, request in enumerate(requests)))
    for connection in idle:
        connection.close()
    return seconds
