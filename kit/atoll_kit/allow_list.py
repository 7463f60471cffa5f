"""Which addresses this service may call on behalf of a client.

An entry is `host`, `.suffix` (that domain and everything below it) or a literal IP address, each
with an optional `:port` and an optional scheme: `media.example.org`, `.example.org:8443`,
`http://10.0.0.5:8000`, `[2001:db8::5]`. Without a scheme it means `https`, without a port the
scheme's own; so plain HTTP is open only where `http://` is written.

An address that is not public (private, loopback, link-local, multicast, IPv4 inside IPv6) is
called only when an entry names that very address, also when a listed name resolves to it.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

import httpx

PORTS = {"https": 443, "http": 80}
Address = IPv4Address | IPv6Address

_ENTRY = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s/\[\]:@?#*]+)(?::(?P<port>\d{1,5}))?/?"
)
_NAT64 = IPv6Network("64:ff9b::/96")
# Special-purpose ranges that `is_global` does not know in older releases of Python 3.11, and forms
# of IPv4 inside IPv6 that it never judges.
_SPECIAL = tuple(
    ip_network(network)
    for network in (
        "192.0.0.0/24", "192.88.99.0/24", "::/96", "64:ff9b:1::/48", "2001::/23", "2002::/16",
        "3fff::/20", "5f00::/16",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One door: a scheme, a host or the suffix of a host, and a port."""

    scheme: str
    host: str
    port: int
    below: bool = False

    def opens(self, scheme: str, host: str, port: int) -> bool:
        """Whether a URL of these parts goes through it."""
        if (scheme, port) != (self.scheme, self.port):
            return False
        under = self.below and host.endswith(f".{self.host}") and literal(host) is None
        return under or host == self.host


class AllowList:
    """What an operator has opened. Empty by default, which opens nothing."""

    def __init__(self, entries: tuple[Entry, ...] = ()) -> None:
        self.entries = entries

    @classmethod
    def parse(cls, text: str) -> "AllowList":
        """The list in `text`, its entries separated by commas or spaces.

        Raises:
            ValueError: naming the entry that cannot be read.
        """
        return cls(tuple(_entry(part) for part in re.split(r"[\s,]+", text) if part))

    def __bool__(self) -> bool:
        return bool(self.entries)

    def allows(self, scheme: str, host: str, port: int) -> bool:
        """Whether a URL with these parts may be fetched; `host` as `host_of` gives it."""
        return any(entry.opens(scheme, host, port) for entry in self.entries)

    def allows_address(self, scheme: str, address: Address, port: int) -> bool:
        """Whether a connection to `address` may be made for a URL that is allowed."""
        return is_public(address) or self.allows(scheme, str(address), port)


def is_public(address: Address) -> bool:
    """Whether `address` is a unicast address of the public internet.

    The ranges are IANA's special-purpose registries (RFC 6890), as the standard library has them.
    Forms that carry an IPv4 address inside are not public, but for NAT64 of a public one.
    """
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
        if address.ipv4_mapped or address.is_site_local:
            return False
    special = any(address in network for network in _SPECIAL)
    return address.is_global and not address.is_multicast and not special


def literal(host: str) -> Address | None:
    """The IP address that `host` spells; None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def host_of(url: httpx.URL) -> str:
    """The host of `url` in the one spelling that entries are compared in: lower case, names in
    ASCII without a dot at the end, IPv6 addresses in their short form."""
    host = url.raw_host.decode("ascii").lower().rstrip(".")
    address = literal(host)
    return str(address) if address else host


def _entry(text: str) -> Entry:
    found = _ENTRY.fullmatch(text)
    if found is None:
        raise ValueError(
            f"{text!r} is no host, .suffix or address, with an optional :port and https:// or "
            "http:// before it"
        )
    scheme = found["scheme"] or "https"
    port = int(found["port"] or PORTS[scheme])
    name = found["host"]
    below = name.startswith(".")
    try:
        host = host_of(httpx.URL(f"{scheme}://{name.removeprefix('.')}"))
    except (httpx.InvalidURL, UnicodeError):
        host = ""
    if not host or not 1 <= port <= 65535 or (below and literal(host)):
        raise ValueError(f"{text!r} has no valid host or port")
    return Entry(scheme, host, port, below)
