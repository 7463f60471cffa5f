"""Where a request comes from, as far as that can be believed."""

import ipaddress
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from atoll_kit.internal import token_matches


@dataclass(frozen=True, slots=True)
class Client:
    """The far end of a connection.

    `secure` is whether the browser speaks TLS, here or at the gateway.
    """

    address: str
    user_agent: str = ""
    secure: bool = False

    @property
    def network(self) -> str:
        """What throttling counts: the IPv4 address, or the /64 that one IPv6 customer has."""
        try:
            address = ipaddress.ip_address(self.address)
        except ValueError:
            return self.address
        if isinstance(address, ipaddress.IPv6Address):
            if address.ipv4_mapped:
                return str(address.ipv4_mapped)
            return str(ipaddress.ip_network((address, 64), strict=False))
        return str(address)


def client_of(connection: HTTPConnection, internal_token: str) -> Client:
    """The client of `connection`.

    The gateway's word (`X-Real-IP`, `X-Forwarded-Proto`) counts only with the internal token,
    which it adds and strips from what clients send.
    """
    headers = connection.headers
    peer = connection.client.host if connection.client else "unknown"
    secure = connection.url.scheme in ("https", "wss")
    if token_matches(headers, internal_token):
        peer = _address(headers.get("x-real-ip")) or peer
        secure = secure or headers.get("x-forwarded-proto", "") == "https"
    return Client(peer, headers.get("user-agent", "")[:256], secure)


def _address(value: str | None) -> str | None:
    try:
        return str(ipaddress.ip_address(value)) if value else None
    except ValueError:
        return None
