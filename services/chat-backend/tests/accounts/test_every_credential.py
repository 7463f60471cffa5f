"""Each way to show a credential, in each state an account can be in: one table.

A check that one way forgets is how a suspended user's key goes on working.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin, Subprotocol

from atoll_chat.accounts.tables import ApiKeyRow
from atoll_chat.identifiers import now

HOST = "atoll.test"
Answer = tuple[int, str]
OK: Answer = (0, "")


class Caller:
    """Someone who calls in one of the ways, with what they were given."""

    def __init__(self, atoll: Any, person: Any, key: str) -> None:
        self.atoll = atoll
        self.person = person
        self.key = key
        self.cookie: dict[str, Any] = person.cookie_headers
        self.bearer = {"Authorization": f"Bearer {key}"}

    async def http(self, method: str, path: str, headers: dict[str, Any]) -> Answer:
        answer = await self.atoll.client().request(method, path, headers=headers)
        if answer.status_code < 400:
            return OK
        return answer.status_code, answer.json()["error"]["code"]

    async def authorize(self, method: str, path: str, headers: dict[str, Any]) -> Answer:
        answer = await self.atoll.client().get(
            "/internal/authorize",
            headers=headers
            | {
                "X-Internal-Token": self.atoll.settings.internal_token,
                "X-Original-Method": method,
                "X-Original-URI": path,
            },
        )
        if answer.status_code == 204:
            assert answer.headers["X-Atoll-User"] == self.person.id
            return OK
        # nginx lets nothing else through.
        assert answer.status_code == (401 if answer.headers["X-Auth-Status"] == "401" else 403)
        return int(answer.headers["X-Auth-Status"]), answer.headers["X-Auth-Code"]

    async def socket(self, headers: dict[str, Any], origin: str | None, *offers: str) -> Answer:
        url = (await self.atoll.serve()).replace("http", "ws")
        if origin == "own":
            origin = url.replace("ws", "http")
        try:
            async with connect(
                f"{url}/ws/chat",
                additional_headers=headers,
                origin=Origin(origin) if origin else None,
                subprotocols=[Subprotocol(offer) for offer in offers] or None,
            ):
                return OK
        except InvalidStatus as refused:
            body = json.loads(refused.response.body or b"{}")
            return refused.response.status_code, body["error"]["code"]


Way = Callable[[Caller], Awaitable[Answer]]

COOKIE_WAYS: dict[str, Way] = {
    "cookie": lambda c: c.http("GET", "/api/conversations", c.cookie),
    "cookie, unsafe method": lambda c: c.http("DELETE", "/api/auth/sessions", c.cookie),
    "cookie through the gateway": lambda c: c.authorize("POST", "/v1/embeddings", c.cookie),
    "cookie on a WebSocket": lambda c: c.socket(c.cookie, "own"),
}
KEY_WAYS: dict[str, Way] = {
    "key": lambda c: c.http("GET", "/api/conversations", c.bearer),
    "key through the gateway": lambda c: c.authorize("POST", "/v1/embeddings", c.bearer),
    "key on a WebSocket": lambda c: c.socket(c.bearer, None),
    "key as a subprotocol": lambda c: c.socket({}, "http://elsewhere.test", f"bearer.{c.key}"),
}
WAYS = COOKIE_WAYS | KEY_WAYS


async def _nothing(caller: Caller) -> None:
    pass


async def _no_credential(caller: Caller) -> None:
    caller.cookie, caller.bearer, caller.key = {}, {}, ""


async def _unknown_credential(caller: Caller) -> None:
    caller.cookie = {"Cookie": "atoll_session=" + "x" * 43, "X-CSRF-Token": "x"}
    caller.key = "sk-atoll-" + "x" * 43
    caller.bearer = {"Authorization": f"Bearer {caller.key}"}


def _user(**columns: Any) -> Callable[[Caller], Awaitable[None]]:
    async def change(caller: Caller) -> None:
        await caller.person.change(**columns)

    return change


async def _revoked(caller: Caller) -> None:
    await caller.person.client.post("/api/auth/logout")
    async with caller.atoll.backend.database.write() as session:
        await session.execute(delete(ApiKeyRow))


async def _expired(caller: Caller) -> None:
    past = now() - timedelta(seconds=1)
    await caller.person.change_session(expires_at=past)
    async with caller.atoll.backend.database.write() as session:
        await session.execute(update(ApiKeyRow).values(expires_at=past))


async def _wrong_scope(caller: Caller) -> None:
    async with caller.atoll.backend.database.write() as session:
        await session.execute(update(ApiKeyRow).values(scopes="admin"))


async def _idle(caller: Caller) -> None:
    await caller.person.change_session(last_seen_at=now() - timedelta(days=15))


EVERYWHERE: dict[str, tuple[Callable[[Caller], Awaitable[None]], Answer]] = {
    "active": (_nothing, OK),
    "no credential": (_no_credential, (401, "not_authenticated")),
    "unknown credential": (_unknown_credential, (401, "not_authenticated")),
    "revoked": (_revoked, (401, "not_authenticated")),
    "expired": (_expired, (401, "not_authenticated")),
    "pending": (_user(status="pending"), (403, "account_pending")),
    "suspended": (_user(status="suspended"), (403, "account_suspended")),
    "must change the password": (
        _user(must_change_password=True),
        (403, "password_change_required"),
    ),
}


async def _caller(atoll: Any) -> Caller:
    person = await atoll.user()
    return Caller(atoll, person, await person.key())


@pytest.mark.parametrize("way", WAYS)
async def test_every_state_has_the_same_answer_on(way: str, atoll: Any) -> None:
    got = {}
    for number, (state, (arrange, _)) in enumerate(EVERYWHERE.items()):
        person = await atoll.user(f"user{number}")
        caller = Caller(atoll, person, await person.key())
        await arrange(caller)
        got[state] = await WAYS[way](caller)
    assert got == {state: expected for state, (_, expected) in EVERYWHERE.items()}


@pytest.mark.parametrize("way", COOKIE_WAYS)
async def test_a_session_ends_after_days_without_use(way: str, atoll: Any) -> None:
    caller = await _caller(atoll)
    await _idle(caller)
    assert await WAYS[way](caller) == (401, "not_authenticated")


@pytest.mark.parametrize("way", KEY_WAYS)
async def test_a_key_is_good_for_its_scopes_only(way: str, atoll: Any) -> None:
    caller = await _caller(atoll)
    await _wrong_scope(caller)
    assert await WAYS[way](caller) == (403, "insufficient_scope")


FOREIGN: dict[str, dict[str, str]] = {
    "without a CSRF token": {"X-CSRF-Token": ""},
    "with another CSRF token": {"X-CSRF-Token": "x" * 43},
    "with a CSRF token that is no ASCII": {"X-CSRF-Token": "ü"},
    "from another origin": {"Origin": "http://elsewhere.test"},
    "from another port": {"Origin": f"http://{HOST}:8081"},
    "from a sandboxed page": {"Origin": "null"},
    "from another site, says the browser": {"Sec-Fetch-Site": "cross-site"},
    "from a sibling site, says the browser": {"Sec-Fetch-Site": "same-site"},
}


@pytest.mark.parametrize("how", FOREIGN)
@pytest.mark.parametrize("way", ["cookie, unsafe method", "cookie through the gateway"])
async def test_an_unsafe_request_with_the_cookie_is_refused(way: str, how: str, atoll: Any) -> None:
    caller = await _caller(atoll)
    sent = caller.cookie | FOREIGN[how]
    # As bytes: a client may send any.
    caller.cookie = {name: value.encode("latin-1") for name, value in sent.items()}
    assert await WAYS[way](caller) == (403, "csrf_failed")


async def test_an_own_page_and_a_program_pass_the_csrf_check(atoll: Any) -> None:
    caller = await _caller(atoll)
    own = {"Origin": f"http://{HOST}", "Sec-Fetch-Site": "same-origin"}
    assert await caller.http("DELETE", "/api/auth/sessions", caller.cookie | own) == OK
    foreign = {"Origin": "http://elsewhere.test", "Sec-Fetch-Site": "cross-site"}
    answer = await caller.http("POST", "/api/conversations", caller.bearer | foreign)
    # No cookie is involved, so there is nothing to forge; the body is what is wrong here.
    assert answer[1] not in ("csrf_failed", "not_authenticated")


@pytest.mark.parametrize("origin", [None, "null", "http://elsewhere.test", "http://127.0.0.1"])
async def test_a_websocket_with_the_cookie_needs_the_own_origin(
    origin: str | None, atoll: Any
) -> None:
    caller = await _caller(atoll)
    assert await caller.socket(caller.cookie, origin) == (403, "csrf_failed")


async def test_the_key_wins_over_the_cookie(atoll: Any) -> None:
    ada = await atoll.user("ada")
    bob = await atoll.user("bob")
    both = ada.cookie_headers | {"Authorization": f"Bearer {await bob.key()}"}
    await bob.client.post("/api/conversations", json={"title": "of bob"})
    listed = (await atoll.client().get("/api/conversations", headers=both)).json()
    assert [item["title"] for item in listed["items"]] == ["of bob"]
    # A key that is not valid is not made good by the cookie beside it.
    both["Authorization"] = "Bearer sk-atoll-nonsense"
    refused = await atoll.client().get("/api/conversations", headers=both)
    assert refused.status_code == 401


@pytest.mark.parametrize("path", ["/api/admin/users", "/v2/repository/index"])
async def test_administration_needs_the_role_and_the_scope(path: str, atoll: Any) -> None:
    async def answers(headers: dict[str, Any]) -> Answer:
        caller = Caller(atoll, root, "")
        if path.startswith("/api"):
            return await caller.http("GET", path, headers)
        return await caller.authorize("POST", path, headers)

    root = await atoll.admin()
    key = {"Authorization": f"Bearer {await root.key('admin')}"}
    lesser = {"Authorization": f"Bearer {await root.key('inference', 'conversations')}"}
    assert await answers(root.cookie_headers) == OK
    assert await answers(key) == OK
    assert await answers(lesser) == (403, "insufficient_scope")
    await root.change(role="user")
    assert await answers(root.cookie_headers) == (403, "admin_required")
    assert await answers(key) == (403, "admin_required")


@pytest.mark.parametrize("path", ["/v2/repository/index", "//v2//repository/index"])
@pytest.mark.parametrize("spelled", ["{}", "{}?x=/v1/embeddings", "/v1/..{}", "/v1/%2e%2e{}"])
async def test_the_gateway_asks_for_the_path_that_nginx_serves(
    path: str, spelled: str, atoll: Any
) -> None:
    caller = await _caller(atoll)
    uri = spelled.format(path).replace("repository", "%72epository")
    assert (await caller.authorize("POST", uri, caller.cookie))[1] == "admin_required"


@pytest.mark.parametrize("uri", ["", "v1/embeddings", "/../etc", "/v1/%ff", "/v1/%00"])
async def test_the_gateway_is_refused_a_path_that_cannot_be_decoded(uri: str, atoll: Any) -> None:
    caller = await _caller(atoll)
    assert await caller.authorize("GET", uri, caller.bearer) == (400, "invalid_request")


async def test_the_gateway_learns_who_asks(atoll: Any) -> None:
    ada = await atoll.user()
    asked = {
        "X-Internal-Token": atoll.settings.internal_token,
        "X-Original-Method": "POST",
        "X-Original-URI": "/v1/embeddings",
    }
    by_cookie = await atoll.client().get("/internal/authorize", headers=asked | ada.cookie_headers)
    assert by_cookie.headers["X-Atoll-User"] == ada.id
    assert by_cookie.headers["X-Atoll-Role"] == "user"
    assert by_cookie.headers["X-Atoll-Max-Concurrent"] == "8"
    assert "X-Atoll-Key" not in by_cookie.headers
    key = {"Authorization": f"Bearer {await ada.key()}"}
    by_key = await atoll.client().post("/internal/authorize", headers=asked | key)
    assert by_key.status_code == 204
    [listed] = (await ada.client.get("/api/auth/api-keys")).json()["items"]
    assert by_key.headers["X-Atoll-Key"] == listed["id"]


@pytest.mark.parametrize("token", [None, "wrong", ""])
async def test_internal_routes_take_the_token_of_the_services_only(
    token: str | None, atoll: Any
) -> None:
    root = await atoll.admin()
    headers = {} if token is None else {"X-Internal-Token": token}
    for path in ("/internal/authorize", "/internal/files/x", "/internal/nothing"):
        answer = await root.client.get(path, headers=headers)
        assert answer.status_code == 401, path


async def test_every_path_but_the_open_ones_needs_a_credential(atoll: Any) -> None:
    """A route that is added later is closed until somebody opens it."""
    visitor = atoll.client()
    for path in ("/api/nothing", "/nothing", "/", "/v1/models", "/openapi.json", "/api/auth/me"):
        assert (await visitor.get(path)).status_code == 401, path
    for path in ("/api/health", "/api/config", "/api/status", "/metrics"):
        assert (await visitor.get(path)).status_code == 200, path


async def test_a_refusal_does_not_wait_for_the_body(atoll: Any) -> None:
    host, port = (await atoll.serve()).removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    # Half a gigabyte is announced, and nothing of it sent.
    writer.write(b"POST /api/files HTTP/1.1\r\nHost: x\r\nContent-Length: 524288000\r\n\r\n")
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
    assert head.startswith(b"HTTP/1.1 401")
    assert b"connection: close" in head.lower()
    writer.close()
    await writer.wait_closed()
