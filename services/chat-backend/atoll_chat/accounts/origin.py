"""Whether a browser sent a request from one of our own pages."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers

_PORTS = {"http": 80, "https": 443}


def is_own_origin(headers: Headers) -> bool:
    """Whether `Origin` names the host that was called.

    The gateway passes the browser's `Host` on. The scheme is left aside: TLS may end before it.
    """
    try:
        origin = urlsplit(headers.get("origin", ""))
        host = urlsplit("//" + headers.get("host", ""))
        default = _PORTS[origin.scheme]
        asked = (host.hostname, host.port or default)
        return origin.hostname is not None and (origin.hostname, origin.port or default) == asked
    except (ValueError, KeyError):
        return False


def is_foreign(headers: Headers) -> bool:
    """Whether the browser says that another site's page sent this request.

    A client that is no browser sends neither header and is not foreign.
    """
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    return "origin" in headers and not is_own_origin(headers)
