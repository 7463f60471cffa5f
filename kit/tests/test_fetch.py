"""A URL that a client names is fetched from listed hosts, from judged addresses, within limits."""

import asyncio
import os
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from atoll_kit import fetch as fetching
from atoll_kit.allow_list import AllowList
from atoll_kit.errors import ApiError
from atoll_kit.fetch import Fetched, Resolve, fetch

Write = Callable[[bytes], Awaitable[None]]
Handle = Callable[[bytes, Write], Awaitable[None]]


class Server:
    """A server on loopback that keeps what it was asked, and answers as it is told."""

    def __init__(self, handle: Handle) -> None:
        self.handle = handle
        self.asked: list[bytes] = []
        self.port = 0
        self._tasks: set[asyncio.Task[Any]] = set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)

        async def write(data: bytes) -> None:
            writer.write(data)
            await writer.drain()

        # A client that has read enough hangs up, and one that has not is cut at the end.
        left = (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, asyncio.CancelledError)
        with suppress(*left):
            head = await reader.readuntil(b"\r\n\r\n")
            self.asked.append(head)
            await self.handle(head, write)
        writer.close()
        with suppress(*left):
            await writer.wait_closed()

    @asynccontextmanager
    async def running(self, tls: ssl.SSLContext | None = None) -> AsyncIterator["Server"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks)


def answer(body: bytes, status: int = 200, **headers: str) -> Handle:
    async def handle(_: bytes, write: Write) -> None:
        given = {"Content-Length": str(len(body)), "Content-Type": "image/png; q=1"} | headers
        lines = "".join(f"{name.replace('_', '-')}: {text}\r\n" for name, text in given.items())
        await write(f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + body)

    return handle


def redirect(location: str) -> Handle:
    return answer(b"", 302, Location=location)


async def _nowhere(host: str, port: int) -> list[str]:
    raise AssertionError(f"{host} was looked up")


def names(*answers: list[str]) -> Resolve:
    """A name server that gives these answers in turn and refuses further questions."""
    left = list(answers)

    async def resolve(host: str, port: int) -> list[str]:
        return left.pop(0)

    return resolve


async def get(
    url: str, *allowed: str, resolve: Resolve = _nowhere, **limits: Any
) -> tuple[bytes, Fetched]:
    given: dict[str, Any] = {"max_bytes": 1_000_000, "deadline_s": 60}
    fetched = await fetch(
        url, allow=AllowList.parse(",".join(allowed)), resolve=resolve, **(given | limits)
    )
    with fetched.file as file:
        return file.read(), fetched


async def refusal(url: str, *allowed: str, **arguments: Any) -> tuple[int, str]:
    with pytest.raises(ApiError) as refused:
        await get(url, *allowed, param="image", **arguments)
    assert refused.value.param == "image"
    if refused.value.status == 403:
        assert "URL_FETCH_ALLOWLIST" in refused.value.message
    return refused.value.status, refused.value.code


NOT_ALLOWED = (403, "url_not_allowed")
INVALID = (422, "invalid_url")
FAILED = (502, "url_fetch_failed")


async def test_a_listed_address_is_fetched() -> None:
    async with Server(answer(b"picture")).running() as server:
        here = f"http://127.0.0.1:{server.port}"
        body, fetched = await get(f"{here}/a%20b?c=d#e", here)
    assert (body, fetched.media_type, fetched.size) == (b"picture", "image/png", 7)
    assert server.asked[0].startswith(b"GET /a%20b?c=d HTTP/1.1\r\n")
    assert b"authorization" not in server.asked[0].lower()


async def test_nothing_is_fetched_by_default() -> None:
    async with Server(answer(b"")).running() as server:
        assert await refusal(f"http://127.0.0.1:{server.port}/") == NOT_ALLOWED
    assert server.asked == []


@pytest.mark.parametrize(
    ("url", "allowed", "opens"),
    [
        ("https://a.test/x", "a.test", True),
        ("https://A.TEST./x", "a.test", True),
        ("https://a.test:443/x", "A.test", True),
        ("https://bücher.test/", "xn--bcher-kva.test", True),
        ("https://a.test:8443/x", "a.test:8443", True),
        ("https://b.a.test/x", ".a.test", True),
        ("https://a.test/x", ".a.test", True),
        ("http://a.test/x", "http://a.test", True),
        ("https://[2001:DB8:0::5]/", "[2001:db8::5]", True),
        ("http://a.test/x", "a.test", False),
        ("https://a.test/x", "http://a.test", False),
        ("https://a.test:8443/x", "a.test", False),
        ("https://b.a.test/x", "a.test", False),
        ("https://evila.test/x", ".a.test", False),
        ("https://a.test.evil.test/x", "a.test", False),
        ("https://evil.test/?a.test", "a.test", False),
        ("https://10.0.0.1/", ".0.0.1.example", False),
        ("https://2130706433/", "127.0.0.1", False),
        ("https://127.1/", "127.0.0.1", False),
        ("https://[::ffff:127.0.0.1]/", "127.0.0.1", False),
    ],
)
def test_what_an_entry_opens(url: str, allowed: str, opens: bool) -> None:
    allow = AllowList.parse(allowed)
    if opens:
        fetching._target(url, allow)
    else:
        with pytest.raises(ApiError) as refused:
            fetching._target(url, allow)
        assert (refused.value.status, refused.value.code) == NOT_ALLOWED


@pytest.mark.parametrize(
    "entry", ["*", "*.a.test", "ftp://a.test", "a.test/path", "u@a.test", "a.test:0", "a:99999",
              ".10.0.0.1", "https://", ":443", "a.test?x"]
)  # fmt: skip
def test_an_entry_that_cannot_be_read_is_named(entry: str) -> None:
    with pytest.raises(ValueError) as refused:
        AllowList.parse(f"fine.test, {entry}")
    assert repr(entry) in str(refused.value)


@pytest.mark.parametrize(
    "url", ["", "picture.png", "//a.test/x", "file:///etc/passwd", "ftp://a.test/", "https://",
            "https://u:p@a.test/", "https://u@a.test/", "https://a.test:0/", "https://a.test:99999/",
            "https://a.test/" + "x" * 9000, "data:text/plain,x", "http://\u2460.test"]
)  # fmt: skip
async def test_what_is_no_url_to_fetch(url: str) -> None:
    assert await refusal(url, "a.test", "http://a.test") == INVALID


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1",
     "169.254.169.254", "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.0.8", "198.18.0.1",
     "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1",
     "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::127.0.0.1",
     "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
     "64:ff9b:1::808:808", "3fff::1"],
)  # fmt: skip
async def test_a_listed_name_at_an_address_inside_is_refused(address: str) -> None:
    assert await refusal("https://a.test/", "a.test", resolve=names([address])) == NOT_ALLOWED
    # Beside a public address too.
    mixed = names(["8.8.8.8", address])
    assert await refusal("https://a.test/", "a.test", resolve=mixed) == NOT_ALLOWED


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
async def test_public_addresses_may_be_called(address: str) -> None:
    target = fetching._target("https://a.test/", AllowList.parse("a.test"))
    judged = await fetching._judged(target, AllowList.parse("a.test"), names([address]))
    assert [str(found) for found in judged] == [address]


async def test_a_name_inside_needs_its_address_on_the_list_too() -> None:
    async with Server(answer(b"picture")).running() as server:
        url, port = f"http://media.test:{server.port}/", server.port
        allowed = (f"http://media.test:{port}", f"http://127.0.0.1:{port}")
        body, _ = await get(url, *allowed, resolve=names(["127.0.0.1"]))
        assert body == b"picture"
        # The server is spoken to by its name.
        assert f"Host: media.test:{port}\r\n".encode() in server.asked[0]
        elsewhere = (allowed[0], "http://127.0.0.1:1")
        assert await refusal(url, *elsewhere, resolve=names(["127.0.0.1"])) == NOT_ALLOWED


async def test_a_name_server_that_changes_its_answer_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The connection goes to the address that was judged; the name is asked for once a hop."""
    loop = asyncio.get_running_loop()
    looked_up = loop.getaddrinfo

    async def numbers_only(host: Any, *arguments: Any, **options: Any) -> Any:
        assert host == "127.0.0.1", f"{host} was looked up a second time"
        return await looked_up(host, *arguments, **options)

    monkeypatch.setattr(loop, "getaddrinfo", numbers_only)
    async with Server(answer(b"picture")).running() as server:
        here = f"http://media.test:{server.port}"
        allowed = (here, f"http://127.0.0.1:{server.port}")
        changing = names(["127.0.0.1"], ["169.254.169.254"])
        assert (await get(here, *allowed, resolve=changing))[0] == b"picture"
        # A redirect to the same name asks again, and judges again.
        server.handle = redirect("/again")
        changing = names(["127.0.0.1"], ["169.254.169.254"])
        assert await refusal(here, *allowed, resolve=changing) == NOT_ALLOWED
    assert len(server.asked) == 2


async def test_another_address_of_the_host_is_tried() -> None:
    async with Server(answer(b"picture")).running() as server:
        port = server.port
        allowed = [f"http://{host}:{port}" for host in ("media.test", "127.0.0.1", "127.0.0.2")]
        resolve = names(["127.0.0.2", "127.0.0.1"])
        assert (await get(f"http://media.test:{port}/", *allowed, resolve=resolve))[0] == b"picture"


async def test_a_redirect_is_judged_like_a_url() -> None:
    async with (
        Server(answer(b"secret")).running() as inside,
        Server(answer(b"")).running() as outside,
    ):
        allowed = f"http://127.0.0.1:{outside.port}"
        for location in (
            f"http://127.0.0.1:{inside.port}/",
            f"http://localhost:{inside.port}/",
            f"//127.0.0.1:{inside.port}/",
            f"http://[::ffff:127.0.0.1]:{outside.port}/",
            "https://127.0.0.1/",
        ):
            outside.handle = redirect(location)
            assert await refusal(allowed, allowed) == NOT_ALLOWED
        for location in ("file:///etc/passwd", "", f"http://u:p@127.0.0.1:{outside.port}/"):
            outside.handle = redirect(location)
            assert await refusal(allowed, allowed) == FAILED
    assert inside.asked == []


async def test_redirects_are_followed_and_counted() -> None:
    async def handle(head: bytes, write: Write) -> None:
        left = int(head.split()[1].removeprefix(b"/"))
        await (redirect(f"/{left - 1}") if left else answer(b"end"))(head, write)

    async with Server(handle).running() as server:
        here = f"http://127.0.0.1:{server.port}"
        assert (await get(f"{here}/3", here))[0] == b"end"
        assert await refusal(f"{here}/4", here) == FAILED


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_over_the_limit_is_refused(declared: bool, tmp_path: Path) -> None:
    sent = 0

    async def large(head: bytes, write: Write) -> None:
        nonlocal sent
        length = b"Content-Length: 100000000000\r\n" if declared else b""
        await write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + length + b"\r\n")
        while sent < 200_000_000:
            await write(b"x" * 65536)
            sent += 65536

    async with Server(large).running() as server:
        here = f"http://127.0.0.1:{server.port}"
        limits = {"max_bytes": 5_000_000, "spool_dir": tmp_path}
        assert await refusal(here, here, **limits) == (413, "url_too_large")
    # What the kernel holds on its way comes on top.
    assert sent < 100_000_000
    assert list(tmp_path.iterdir()) == []


async def test_a_body_of_the_limit_is_taken(tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    async with Server(answer(content)).running() as server:
        here = f"http://127.0.0.1:{server.port}"
        body, fetched = await get(here, here, max_bytes=3_000_000, spool_dir=tmp_path)
        assert await refusal(here, here, max_bytes=2_999_999) == (413, "url_too_large")
    assert (body, fetched.size) == (content, len(content))


async def test_a_body_that_trickles_is_cut_at_the_deadline() -> None:
    async def trickle(head: bytes, write: Write) -> None:
        await write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            await write(b"x")
            await asyncio.sleep(0.01)

    async with Server(trickle).running() as server:
        here = f"http://127.0.0.1:{server.port}"
        began = time.monotonic()
        assert await refusal(here, here, deadline_s=0.3) == (504, "url_fetch_timeout")
        assert time.monotonic() - began < 20


async def test_a_server_or_resolver_that_says_nothing_is_cut_at_the_deadline() -> None:
    async def silent(*_: Any) -> Any:
        await asyncio.sleep(600)

    async with Server(silent).running() as server:
        here = f"http://127.0.0.1:{server.port}"
        assert await refusal(here, here, deadline_s=0.2) == (504, "url_fetch_timeout")
        resolving = refusal("https://a.test/", "a.test", resolve=silent, deadline_s=0.2)
        assert await resolving == (504, "url_fetch_timeout")


@pytest.mark.parametrize(
    "data",
    [b"", b"no HTTP at all\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha",
     b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
     b"HTTP/1.1 204 No Content\r\n\r\n",
     b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx"],
)  # fmt: skip
async def test_an_answer_that_is_no_whole_document(data: bytes) -> None:
    async def handle(head: bytes, write: Write) -> None:
        await write(data)

    async with Server(handle).running() as server:
        here = f"http://127.0.0.1:{server.port}"
        assert await refusal(here, here) == FAILED


async def test_hosts_that_cannot_be_reached() -> None:
    async def unknown(host: str, port: int) -> list[str]:
        raise OSError(-2, "Name or service not known")

    assert await refusal("https://a.test/", "a.test", resolve=unknown) == FAILED
    assert await refusal("https://a.test/", "a.test", resolve=names([])) == FAILED
    # Nothing listens on port 9.
    assert await refusal("http://127.0.0.1:9/", "http://127.0.0.1:9") == FAILED


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with Server(answer(b"direct")).running() as server:
        here = f"http://127.0.0.1:{server.port}"
        assert (await get(here, here))[0] == b"direct"


def certificate(folder: Path, host: str) -> tuple[Path, Path]:
    key, file = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", key, "-out", file, "-days", "2", "-subj", f"/CN={host}",
         "-addext", f"subjectAltName=DNS:{host}"],
        check=True, capture_output=True,
    )  # fmt: skip
    return file, key


async def test_a_certificate_is_checked_against_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, key = certificate(tmp_path, "media.test")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(file, key)
    asked_for: list[str | None] = []
    tls.sni_callback = lambda connection, name, context: asked_for.append(name)
    async with Server(answer(b"picture")).running(tls) as server:
        port = server.port
        allowed = [f"{host}:{port}" for host in ("media.test", "other.test", "127.0.0.1")]

        async def fetched(host: str) -> bytes:
            resolve = names(["127.0.0.1"])
            return (await get(f"https://{host}:{port}/", *allowed, resolve=resolve))[0]

        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        fetching._certificates.cache_clear()
        assert await fetched("media.test") == b"picture"
        assert asked_for == ["media.test"]
        with pytest.raises(ApiError, match="connection failed"):
            await fetched("other.test")
        with pytest.raises(ApiError, match="connection failed"):
            await fetched("127.0.0.1")
        monkeypatch.delenv("SSL_CERT_FILE")
        fetching._certificates.cache_clear()
        with pytest.raises(ApiError, match="connection failed"):
            await fetched("media.test")
    fetching._certificates.cache_clear()


async def test_a_full_disk_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise OSError(28, "No space left on device")

    async with Server(answer(b"x" * 2_000_000)).running() as server:
        here = f"http://127.0.0.1:{server.port}"
        monkeypatch.setattr(fetching.tempfile.SpooledTemporaryFile, "rollover", full)
        limits = {"max_bytes": 3_000_000, "spool_dir": tmp_path}
        assert await refusal(here, here, **limits) == (507, "storage_full")
