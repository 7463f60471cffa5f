"""`auth_request`: a refusal gets its real status, and a doubt never lets anyone in."""

import json

import pytest

from .conftest import StartGateway, allow
from .edge import Gateway, free_port
from .fake_service import Exchange, FakeService, serving

ROUTE = "/v1/embeddings"


@pytest.mark.parametrize(
    ("wire", "status", "code", "kind"),
    [
        (401, 401, "not_authenticated", "authentication_error"),
        (403, 403, "account_suspended", "permission_error"),
        (403, 403, "csrf_failed", "permission_error"),
        (403, 404, "not_found", "not_found_error"),
        (403, 409, "conflict", "invalid_request_error"),
        (403, 429, "concurrency_limit", "rate_limit_error"),
        (403, 503, "unavailable", "server_error"),
    ],
)
def test_the_stated_status_reaches_the_client(
    gateway: Gateway,
    chat: FakeService,
    inference: FakeService,
    wire: int,
    status: int,
    code: str,
    kind: str,
) -> None:
    chat.answers["/internal/authorize"] = lambda exchange: exchange.send(
        wire,
        X_Auth_Status=str(status),
        X_Auth_Code=code,
        X_Auth_Message="Do this, then that: it's 100% clear.",
        **({"Retry_After": "17"} if status == 429 else {}),
    )
    reply = gateway.request(ROUTE, method="POST", body=b"x" * 1000)
    assert reply.status == status
    error = reply.error()
    assert error["code"] == code
    assert error["type"] == kind
    assert error["message"] == "Do this, then that: it's 100% clear."
    assert reply.headers["Retry-After"] == ("17" if status == 429 else None)
    reply.check_security_headers()
    assert not inference.seen
    assert gateway.access_log(error["request_id"])["status"] == status


@pytest.mark.parametrize(
    ("wire", "headers", "status", "code"),
    [
        (401, {}, 401, "not_authenticated"),
        (403, {}, 403, "forbidden"),
        (401, {"X_Auth_Status": "200"}, 401, "not_authenticated"),
        (403, {"X_Auth_Status": "nonsense"}, 403, "forbidden"),
        (403, {"X_Auth_Status": "429"}, 429, "rate_limited"),
        (403, {"X_Auth_Code": 'a"b'}, 403, "forbidden"),
        (403, {"X_Auth_Message": 'quoted "word" and \\ backslash'}, 403, "forbidden"),
        (403, {"X_Auth_Message": "caf\u00e9"}, 403, "forbidden"),
    ],
)
def test_an_odd_refusal_is_still_a_refusal_in_valid_json(
    gateway: Gateway,
    chat: FakeService,
    inference: FakeService,
    wire: int,
    headers: dict[str, str],
    status: int,
    code: str,
) -> None:
    chat.answers["/internal/authorize"] = lambda exchange: exchange.send(wire, **headers)
    reply = gateway.request(ROUTE, method="POST")
    assert reply.status == status
    assert reply.error()["code"] == code
    assert reply.error()["message"]
    assert not inference.seen


@pytest.mark.parametrize("wire", [302, 400, 404, 429, 500, 503])
def test_any_other_answer_of_the_chat_backend_is_no_permission(
    gateway: Gateway, chat: FakeService, inference: FakeService, wire: int
) -> None:
    chat.answers["/internal/authorize"] = lambda exchange: exchange.send(wire, Location="/")
    reply = gateway.request(ROUTE, method="POST")
    assert reply.status == 503
    assert reply.error()["code"] == "upstream_unavailable"
    assert reply.headers["Retry-After"] == "5"
    reply.check_security_headers()
    assert not inference.seen


def test_a_chat_backend_that_hangs_up_is_no_permission(
    gateway: Gateway, chat: FakeService, inference: FakeService
) -> None:
    chat.answers["/internal/authorize"] = Exchange.hang_up
    reply = gateway.request(ROUTE, method="POST")
    assert reply.status == 503
    assert reply.error()["code"] == "upstream_unavailable"
    assert not inference.seen


def test_nobody_gets_in_while_the_chat_backend_is_gone_and_it_heals(
    start_gateway: StartGateway, inference: FakeService
) -> None:
    free = free_port()
    gateway = start_gateway(CHAT_BACKEND_ADDRESS=f"127.0.0.1:{free}")
    reply = gateway.request(ROUTE, method="POST")
    assert reply.status == 503
    assert reply.error()["code"] == "upstream_unavailable"
    assert not inference.seen
    with serving(FakeService(port=free, answers={"/internal/authorize": allow})):
        assert gateway.request(ROUTE, method="POST").status == 200


def test_answers_of_inference_pass_unchanged(
    gateway: Gateway, chat: FakeService, inference: FakeService
) -> None:
    """The gateway speaks for itself only: 401, 403, 429 and 500 of a service are the service's."""
    payload = {"error": {"message": "mine", "code": "mine"}}
    for status in (400, 401, 403, 404, 413, 422, 429, 500, 502, 503):

        def answer(exchange: Exchange, status: int = status) -> None:
            exchange.send_json(status, payload, Retry_After="3")

        inference.default = answer
        reply = gateway.request(ROUTE, method="GET")
        assert (reply.status, json.loads(reply.body)) == (status, payload)
        assert reply.headers.get_all("Retry-After") == ["3"]
        reply.check_security_headers()
