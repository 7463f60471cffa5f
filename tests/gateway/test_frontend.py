"""The pages: history fallback, caching, compression."""

import gzip

import pytest

from .edge import Gateway
from .fake_service import FakeService


@pytest.mark.parametrize(
    "path", ["/", "/login", "/chat/0123", "/studio/audio", "/search", "/knowledge", "/admin/users"]
)
def test_pages_are_the_application(gateway: Gateway, chat: FakeService, path: str) -> None:
    reply = gateway.request(path)
    assert reply.status == 200
    assert b"<title>Atoll</title>" in reply.body
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    assert reply.headers.get_all("Cache-Control") == ["no-cache"]
    reply.check_security_headers()
    assert not chat.seen


def test_documentation_is_served_beside_it(gateway: Gateway) -> None:
    assert b"<title>API</title>" in gateway.request("/docs").body
    assert b"<title>API</title>" in gateway.request("/docs/").body
    assert gateway.request("/openapi.json").json() == {"openapi": "3.1.0"}


def test_hashed_assets_are_kept_by_browsers(gateway: Gateway) -> None:
    reply = gateway.request("/assets/index-abc123.js")
    assert reply.headers.get_all("Cache-Control") == ["public, max-age=31536000, immutable"]
    assert reply.headers["Content-Type"] == "application/javascript; charset=utf-8"
    again = gateway.request("/", headers=[("If-None-Match", gateway.request("/").headers["ETag"])])
    assert again.status == 304


def test_static_files_and_json_are_compressed(gateway: Gateway, chat: FakeService) -> None:
    accept = [("Accept-Encoding", "gzip")]
    reply = gateway.request("/assets/index-abc123.js", headers=accept)
    assert reply.headers["Content-Encoding"] == "gzip"
    assert reply.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(reply.body).startswith(b"export default")
    chat.default = lambda exchange: exchange.send_json(200, {"text": "a" * 4000})
    assert gateway.request("/api/usage", headers=accept).headers["Content-Encoding"] == "gzip"
    # A token and text of the client's choice in one compressed answer would leak the token.
    assert gateway.request("/api/auth/me", headers=accept).headers["Content-Encoding"] is None


def test_a_missing_file_is_not_the_start_page(gateway: Gateway) -> None:
    for path in ("/assets/old-123.js", "/favicon.svg", "/robots.txt", "/examples/none.wav"):
        assert gateway.request(path).status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_pages_are_only_read(gateway: Gateway, method: str) -> None:
    reply = gateway.request("/chat/1", method=method)
    assert reply.status == 405
    assert reply.error()["code"] == "method_not_allowed"


def test_answers_of_services_are_not_stored_unless_they_say_so(
    gateway: Gateway, chat: FakeService
) -> None:
    assert gateway.request("/api/config").headers.get_all("Cache-Control") == ["no-store"]
    chat.default = lambda exchange: exchange.send_json(200, {}, Cache_Control="private")
    assert gateway.request("/api/config").headers.get_all("Cache-Control") == ["private"]


def test_a_stricter_policy_of_a_service_stays(gateway: Gateway, chat: FakeService) -> None:
    chat.default = lambda exchange: exchange.send(200, b"", Content_Security_Policy="sandbox")
    policies = gateway.request("/api/files/1/content").headers.get_all("Content-Security-Policy")
    assert policies is not None
    assert "sandbox" in policies
    assert len(policies) == 2
