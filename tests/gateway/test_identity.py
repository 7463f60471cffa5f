"""What services are told about the caller, and what callers cannot tell them."""

import re

import pytest

from .conftest import StartGateway
from .edge import Gateway
from .fake_service import FakeService

FORGED = [
    ("X-Internal-Token", "forged"),
    ("x-internal-token", "forged twice"),
    ("X_Internal_Token", "forged"),
    ("X-Internal-Anything", "forged"),
    ("X-Atoll-User", "forged"),
    ("X-Atoll-User", "forged twice"),
    ("x-atoll-role", "admin"),
    ("X_Atoll_Role", "admin"),
    ("X-Atoll_Role", "admin"),
    ("X-Atoll-Key", "forged"),
    ("X-Atoll-Max-Concurrent", "1000"),
    # Would lift the limits of a request while somebody waits for it.
    ("X-Atoll-Job", "forged"),
    ("X-Atoll-Anything", "forged"),
    ("X-Real-IP", "203.0.113.9"),
    ("X-Original-URI", "/api/health"),
    ("X-Original-Method", "GET"),
    ("Forwarded", "for=203.0.113.9"),
]


@pytest.mark.parametrize(
    "path",
    ["/api/config", "/v1/chat/completions", "/ws/chat", "/v2/health/live", "/api/auth/login"],
)
def test_forged_headers_reach_no_service(
    gateway: Gateway, chat: FakeService, inference: FakeService, internal_token: str, path: str
) -> None:
    assert gateway.request(path, method="POST", headers=FORGED).status == 200
    (seen,) = chat.seen + inference.seen
    # The chat backend believes the address and the scheme that come with the gateway's own token;
    # health probes need none.
    tokens = [value for name, value in seen.headers if name.lower() == "x-internal-token"]
    assert tokens == ([internal_token] if chat.seen else [])
    for name, value in seen.headers:
        if value == internal_token:
            continue
        assert not name.lower().replace("_", "-").startswith(("x-internal", "x-atoll", "x-orig"))
        assert "forged" not in value
        assert "203.0.113.9" not in value


def test_inference_learns_who_asks_from_the_chat_backend_alone(
    gateway: Gateway, chat: FakeService, inference: FakeService, internal_token: str
) -> None:
    assert gateway.request("/v1/embeddings", method="POST", headers=FORGED).status == 200
    seen = inference.only("/v1/embeddings")
    assert seen.header("X-Internal-Token") == internal_token
    assert seen.header("X-Atoll-User") == "u" * 32
    assert seen.header("X-Atoll-Role") == "user"
    assert seen.header("X-Atoll-Key") == "k" * 32
    assert seen.header("X-Atoll-Max-Concurrent") == "8"
    assert seen.header("X-Atoll-Job") is None
    assert seen.header("X-Atoll-Anything") is None
    asked = chat.only("/internal/authorize")
    assert asked.header("X-Internal-Token") == internal_token
    assert asked.header("X-Original-URI") == "/v1/embeddings"
    assert asked.header("X-Original-Method") == "POST"
    assert asked.header("X-Atoll-User") is None


def test_a_session_has_no_key_and_the_header_is_left_out(
    gateway: Gateway, chat: FakeService, inference: FakeService
) -> None:
    chat.answers["/internal/authorize"] = lambda exchange: exchange.send(204, X_Atoll_User="me")
    gateway.request("/v1/embeddings", method="POST", headers=FORGED)
    seen = inference.only("/v1/embeddings")
    assert seen.header("X-Atoll-User") == "me"
    assert seen.header("X-Atoll-Key") is None
    assert seen.header("X-Atoll-Role") is None


def test_the_question_carries_the_credential_and_no_body(
    gateway: Gateway, chat: FakeService
) -> None:
    credential = [
        ("Cookie", "atoll_session=abc"),
        ("Authorization", "Bearer sk-atoll-xyz"),
        ("Origin", "http://example.test"),
        ("X-CSRF-Token", "token"),
    ]
    body = b"x" * 100_000
    reply = gateway.request("/v1/ocr", method="POST", headers=credential, body=body)
    assert reply.json()["body_bytes"] == len(body)
    asked = chat.only("/internal/authorize")
    for name, value in credential:
        assert asked.header(name) == value
    assert asked.header("Content-Length") is None
    assert asked.header("Transfer-Encoding") is None


def test_ordinary_headers_pass(gateway: Gateway, chat: FakeService) -> None:
    wanted = [
        ("Accept", "text/event-stream"),
        ("Authorization", "Bearer sk-atoll-xyz"),
        ("Content-Type", "application/json"),
        ("Cookie", "atoll_session=abc"),
        ("Last-Event-ID", "17"),
        ("Origin", "http://example.test"),
        ("X-CSRF-Token", "token"),
        ("User-Agent", "tests"),
        ("Range", "bytes=0-9"),
        ("Idempotency-Key", "one"),
    ]
    gateway.request("/api/runs/1/events", headers=wanted)
    seen = chat.only("/api/runs/1/events")
    for name, value in wanted:
        assert seen.header(name) == value
    assert seen.header("Host") == f"127.0.0.1:{gateway.port}"


def test_request_id_is_made_here_passed_on_returned_and_logged(
    gateway: Gateway, chat: FakeService, inference: FakeService
) -> None:
    reply = gateway.request("/v1/embeddings", method="POST", headers=[("X-Request-Id", "mine")])
    made = reply.headers.get_all("X-Request-Id")
    assert made is not None
    assert len(made) == 1
    assert re.fullmatch(r"[0-9a-f]{32}", made[0])
    assert inference.only("/v1/embeddings").header("X-Request-Id") == made[0]
    assert chat.only("/internal/authorize").header("X-Request-Id") == made[0]
    line = gateway.access_log(made[0])
    assert line["path"] == "/v1/embeddings"
    assert line["status"] == 200
    assert line["user"] == "u" * 32


def test_query_strings_are_not_logged(gateway: Gateway) -> None:
    reply = gateway.request("/api/conversations?query=private")
    line = gateway.access_log(reply.headers["X-Request-Id"])
    assert line["path"] == "/api/conversations"
    assert "private" not in str(line)


def test_a_services_own_request_id_does_not_make_two(gateway: Gateway, chat: FakeService) -> None:
    chat.default = lambda exchange: exchange.send_json(
        200, {}, X_Request_Id="other", X_Frame_Options="SAMEORIGIN", X_Atoll_User="me"
    )
    reply = gateway.request("/api/config")
    assert reply.headers.get_all("X-Request-Id") != ["other"]
    assert len(reply.headers.get_all("X-Request-Id") or []) == 1
    assert reply.headers["X-Atoll-User"] is None
    reply.check_security_headers()


SPOOFED = [
    ("X-Forwarded-For", "203.0.113.9, 198.51.100.7"),
    ("X-Forwarded-Proto", "https"),
    ("X-Request-Id", "from-a-proxy"),
]


def test_a_strangers_forwarding_headers_are_ignored(gateway: Gateway, chat: FakeService) -> None:
    gateway.request("/api/config", headers=SPOOFED)
    seen = chat.only("/api/config")
    assert seen.header("X-Forwarded-For") == "127.0.0.1"
    assert seen.header("X-Real-IP") == "127.0.0.1"
    assert seen.header("X-Forwarded-Proto") == "http"
    assert seen.header("X-Request-Id") != "from-a-proxy"


def test_a_trusted_proxys_forwarding_headers_count(
    start_gateway: StartGateway, chat: FakeService
) -> None:
    gateway = start_gateway(TRUSTED_PROXIES="127.0.0.0/8, 198.51.100.7")
    reply = gateway.request("/api/config", headers=SPOOFED)
    seen = chat.only("/api/config")
    assert seen.header("X-Forwarded-For") == "203.0.113.9"
    assert seen.header("X-Forwarded-Proto") == "https"
    assert seen.header("X-Request-Id") == "from-a-proxy"
    assert reply.headers["X-Request-Id"] == "from-a-proxy"
    assert gateway.access_log("from-a-proxy")["address"] == "203.0.113.9"


@pytest.mark.parametrize("given", ['a"b', "x" * 65, "a b", "", "a;b"])
def test_a_malformed_request_id_of_a_trusted_proxy_is_replaced(
    start_gateway: StartGateway, chat: FakeService, given: str
) -> None:
    gateway = start_gateway(TRUSTED_PROXIES="127.0.0.1")
    gateway.request("/api/config", headers=[("X-Request-Id", given)])
    made = chat.only("/api/config").header("X-Request-Id")
    assert made is not None
    assert re.fullmatch(r"[0-9a-f]{32}", made)
