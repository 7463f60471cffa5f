"""Fetching a URL that a client named, without becoming the client's hand inside the network.

Nothing is fetched but from hosts of the allow-list. The name is resolved here, every address is
judged, and the connection goes to an address that was judged, so that a second answer of the name
server cannot change where it leads. Every redirect begins again at the allow-list. Proxies of the
environment are not used, and nothing of the client's request is passed on.
"""

import asyncio
import errno
import socket
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import IO

import httpx

from atoll_kit.allow_list import PORTS, Address, AllowList, host_of, literal
from atoll_kit.errors import (
    ApiError,
    BadGateway,
    DeadlineExceeded,
    Forbidden,
    TooLarge,
    Unprocessable,
)
from atoll_kit.logs import get_logger

log = get_logger(__name__)

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Addresses of a host, asked with its port."""

REDIRECTS = 3
MEMORY = 1024 * 1024
CONNECT_SECONDS = 5.0
ADDRESSES_TRIED = 4
LONGEST_URL = 8192
_MOVED = frozenset({301, 302, 303, 307, 308})
_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a URL led to. `file` stands at its beginning; the caller closes it.

    `media_type` is what the server says, lower case and without parameters; None when it says
    nothing. It is a claim, not a fact.
    """

    file: IO[bytes]
    media_type: str | None
    size: int


@dataclass(frozen=True, slots=True)
class _Target:
    url: httpx.URL
    host: str
    port: int


async def fetch(
    url: str,
    *,
    allow: AllowList,
    max_bytes: int,
    deadline_s: float,
    spool_dir: Path | None = None,
    param: str | None = None,
    resolve: Resolve | None = None,
) -> Fetched:
    """GET `url` into a file that is kept in memory up to 1 MiB and on the disk beyond.

    Args:
        allow: the hosts that may be called.
        max_bytes: largest body, in bytes; checked while it comes.
        deadline_s: seconds for everything together: names, redirects, body.
        spool_dir: folder of the file on the disk; it has no name there.
        param: the request's parameter that held the URL, for the error.
        resolve: asks for the addresses of a host; by default the system's resolver.

    Raises:
        Forbidden: `url_not_allowed`; also for a redirect, or when the host's address is not open.
        Unprocessable: `invalid_url`.
        TooLarge: `url_too_large`.
        BadGateway: `url_fetch_failed`: no such host, no connection, broken off, not status 200,
            more than three redirects.
        DeadlineExceeded: `url_fetch_timeout`.
        ApiError: 507 `storage_full`.
    """
    try:
        async with asyncio.timeout(deadline_s):
            target = _target(url, allow)
            for _ in range(REDIRECTS + 1):
                addresses = await _judged(target, allow, resolve or system_resolve)
                async with _connected(target, addresses) as response:
                    if response.status_code not in _MOVED:
                        return await _spooled(response, max_bytes, spool_dir)
                    location = response.headers.get("location", "")
                target = _moved(target, location, allow)
            raise _failed(f"it redirects more than {REDIRECTS} times")
    except TimeoutError:
        raise DeadlineExceeded(
            f"The URL did not answer whole within {deadline_s:.0f} s. Fetch it yourself and send "
            "the bytes.",
            code="url_fetch_timeout",
            param=param,
        ) from None
    except ApiError as refusal:
        refusal.param = param
        raise


async def system_resolve(host: str, port: int) -> list[str]:
    """The addresses that the system's resolver has for `host`.

    Raises:
        OSError: none.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _target(text: str, allow: AllowList) -> _Target:
    """`text` as somewhere to go.

    Raises:
        Unprocessable: `invalid_url`.
        Forbidden: `url_not_allowed`.
    """
    try:
        url = httpx.URL(text) if len(text) <= LONGEST_URL else httpx.URL("")
    except (httpx.InvalidURL, UnicodeError):
        url = httpx.URL("")
    scheme, host = url.scheme, host_of(url)
    port = url.port if url.port is not None else PORTS.get(scheme, 0)
    if not host or not 1 <= port <= 65535:
        raise Unprocessable(
            "This is not a URL that can be fetched. Send one that begins with https:// and has at "
            f"most {LONGEST_URL} characters.",
            code="invalid_url",
        )
    if url.userinfo:
        raise Unprocessable(
            "A URL with a user name or password in it is not fetched. Send it without, or fetch "
            "it yourself and send the bytes.",
            code="invalid_url",
        )
    if not allow.allows(scheme, host, port):
        log.warning("url_refused", scheme=scheme, host=host, port=port, reason="host")
        raise _not_allowed("its host is not")
    return _Target(url, host, port)


async def _judged(target: _Target, allow: AllowList, resolve: Resolve) -> list[Address]:
    """The addresses of the target's host, each of which may be called.

    One bad address refuses them all: a name that means two places is not trusted with either.

    Raises:
        Forbidden: `url_not_allowed`.
        BadGateway: `url_fetch_failed`.
    """
    spelled = literal(target.host)
    if spelled is not None:
        return [spelled]  # listed as such, or it would not have come this far
    try:
        answers = await resolve(target.host, target.port)
    except (OSError, UnicodeError):
        answers = []
    if not answers:
        raise _failed("its host is not known")
    addresses = [ip_address(answer) for answer in answers]
    for address in addresses:
        if not allow.allows_address(target.url.scheme, address, target.port):
            log.warning("url_refused", host=target.host, address=str(address), reason="address")
            raise _not_allowed("its host is at an address that is not public and is not")
    return addresses


@asynccontextmanager
async def _connected(target: _Target, addresses: list[Address]) -> AsyncIterator[httpx.Response]:
    """The answer of the first address that takes a connection; its body is yet to be read."""
    secure = target.url.scheme == "https"
    transport = httpx.AsyncHTTPTransport(verify=_certificates() if secure else False)
    timeout = httpx.Timeout(None, connect=CONNECT_SECONDS)
    async with httpx.AsyncClient(transport=transport, timeout=timeout, trust_env=False) as client:
        try:
            response = await _first_answer(client, target, addresses)
            try:
                yield response
            finally:
                await response.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
            log.warning("url_not_fetched", host=target.host, error=repr(error))
            raise _failed("the connection failed or was broken off") from error


async def _first_answer(
    client: httpx.AsyncClient, target: _Target, addresses: list[Address]
) -> httpx.Response:
    error: httpx.HTTPError | None = None
    for address in addresses[:ADDRESSES_TRIED]:
        # To the address that was judged, but in the name of the host: in the request, and in the
        # handshake, where the certificate is checked against it.
        request = client.build_request(
            "GET",
            target.url.copy_with(host=str(address), fragment=None),
            headers={
                "Host": target.url.netloc.decode("ascii"),
                "User-Agent": "atoll",
                "Accept": "*/*",
                # As it comes: what was compressed could be far larger than the bytes counted.
                "Accept-Encoding": "identity",
            },
            extensions={"sni_hostname": target.host} if literal(target.host) is None else None,
        )
        try:
            return await client.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout) as failed:
            error = failed
    assert error is not None
    raise error


async def _spooled(response: httpx.Response, max_bytes: int, folder: Path | None) -> Fetched:
    if response.status_code != 200:
        raise _failed(f"its server answered with status {response.status_code}")
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise _failed("its server sends it compressed, though asked not to")
    declared = response.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > max_bytes:
        raise _too_large(max_bytes)
    file: IO[bytes] = tempfile.SpooledTemporaryFile(  # noqa: SIM115 - given to the caller
        MEMORY, dir=str(folder) if folder else None
    )
    size = 0
    try:
        async for chunk in response.aiter_raw():
            size += len(chunk)
            if size > max_bytes:
                raise _too_large(max_bytes)
            file.write(chunk)
        file.seek(0)
    except BaseException as error:
        file.close()
        if isinstance(error, OSError) and error.errno in _FULL:
            raise ApiError(
                "The server's disk is full, so the URL was not fetched. Ask an administrator.",
                status=507,
                code="storage_full",
            ) from None
        raise
    said = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return Fetched(file, said or None, size)


@cache
def _certificates() -> ssl.SSLContext:
    # The system's, where an organisation puts its own authority, rather than a list in a package.
    return ssl.create_default_context()


def _moved(target: _Target, location: str, allow: AllowList) -> _Target:
    """Where a redirect leads, judged as if the client had named it."""
    try:
        return _target(str(target.url.join(location)) if location else "", allow)
    except (httpx.InvalidURL, ValueError, Unprocessable):
        raise _failed("it redirects to something that is not a URL") from None


def _not_allowed(why: str) -> ApiError:
    return Forbidden(
        f"This URL may not be fetched: {why} in URL_FETCH_ALLOWLIST. An operator can add it there; "
        "or fetch it yourself and send the bytes.",
        code="url_not_allowed",
    )


def _failed(why: str) -> ApiError:
    return BadGateway(
        f"The URL could not be fetched: {why}. Check it, or fetch it yourself and send the bytes.",
        code="url_fetch_failed",
    )


def _too_large(max_bytes: int) -> ApiError:
    return TooLarge(
        f"The URL leads to more than the {max_bytes} bytes allowed here.", code="url_too_large"
    )
