"""Keys for programs."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from atoll_chat.accounts.tables import ApiKeyRow
from atoll_chat.identifiers import now

KEYS = "/api/auth/api-keys"


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def test_a_key_is_shown_once_and_works(atoll: Any) -> None:
    ada = await atoll.user("ada")
    made = await ada.client.post(KEYS, json={"name": " laptop "})
    assert made.status_code == 201
    key = made.json()["key"]
    assert re.fullmatch(r"sk-atoll-[0-9A-Za-z]{43}", key)
    assert made.json()["name"] == "laptop"
    assert made.json()["scopes"] == ["inference", "conversations"]
    assert made.json()["expires_at"] is None
    [listed] = (await ada.client.get(KEYS)).json()["items"]
    assert "key" not in listed
    assert key.startswith(listed["prefix"])
    assert len(listed["prefix"]) < 20
    program = atoll.client(headers={"Authorization": f"Bearer {key}"})
    assert (await program.get("/api/conversations")).status_code == 200
    # Without a cookie there is nothing that another site could abuse.
    assert (await program.post("/api/conversations", json={})).status_code == 201


async def test_a_revoked_key_stops_at_once(atoll: Any) -> None:
    ada = await atoll.user("ada")
    made = (await ada.client.post(KEYS, json={"name": "k"})).json()
    program = atoll.client(headers={"Authorization": f"Bearer {made['key']}"})
    assert (await program.get("/api/conversations")).status_code == 200
    assert (await ada.client.delete(f"{KEYS}/{made['id']}")).status_code == 204
    assert (await program.get("/api/conversations")).status_code == 401
    assert (await ada.client.get(KEYS)).json() == {"items": []}


async def test_another_users_key_does_not_exist(atoll: Any) -> None:
    ada, bob = await atoll.user("ada"), await atoll.user("bob")
    made = (await ada.client.post(KEYS, json={"name": "k"})).json()
    assert code(await bob.client.delete(f"{KEYS}/{made['id']}")) == (404, "not_found")
    assert (await bob.client.get(KEYS)).json() == {"items": []}


async def test_keys_do_not_manage_accounts(atoll: Any) -> None:
    root = await atoll.admin()
    program = await root.key_client("inference", "conversations", "admin")
    for method, path in (
        ("GET", "/api/auth/me"),
        ("POST", "/api/auth/password"),
        ("GET", "/api/auth/sessions"),
        ("DELETE", "/api/auth/sessions"),
        ("GET", KEYS),
        ("POST", KEYS),
    ):
        assert code(await program.request(method, path, json={})) == (403, "session_required")


@pytest.mark.parametrize(
    "scope, allowed, refused",
    [
        ("inference", "/v1/models", "/api/conversations"),
        ("conversations", "/api/conversations", "/v1/models"),
        ("admin", "/api/admin/users", "/api/conversations"),
    ],
)
async def test_scopes(scope: str, allowed: str, refused: str, atoll: Any) -> None:
    root = await atoll.admin()
    program = await root.key_client(scope)
    # There is no model here; what matters is that the door opens.
    assert (await program.get(allowed)).status_code != 403
    assert code(await program.get(refused)) == (403, "insufficient_scope")


@pytest.mark.parametrize(
    "path", ["/v1/chat/completions", "/api/v1/chat/completions", "/api/chat/completions"]
)
async def test_the_names_of_chat_completions_need_one_scope(path: str, atoll: Any) -> None:
    ada = await atoll.user()
    program = await ada.key_client("conversations")
    assert code(await program.post(path, json={})) == (403, "insufficient_scope")


async def test_the_admin_scope_is_for_administrators(atoll: Any) -> None:
    ada = await atoll.user("ada")
    wanted = {"name": "k", "scopes": ["admin"]}
    assert code(await ada.client.post(KEYS, json=wanted)) == (403, "admin_required")
    root = await atoll.admin()
    assert (await root.client.post(KEYS, json=wanted)).status_code == 201


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"name": ""},
        {"name": "  "},
        {"name": "x" * 101},
        {"name": "k", "scopes": []},
        {"name": "k", "scopes": ["everything"]},
        {"name": "k", "expires_in_days": 0},
        {"name": "k", "expires_in_days": 3651},
        {"name": "k", "expires_in_days": "soon"},
    ],
)
async def test_keys_that_cannot_be_made(wanted: dict[str, Any], atoll: Any) -> None:
    ada = await atoll.user("ada")
    assert code(await ada.client.post(KEYS, json=wanted)) == (422, "invalid_value")


async def test_a_key_expires(atoll: Any) -> None:
    ada = await atoll.user("ada")
    made = (await ada.client.post(KEYS, json={"name": "k", "expires_in_days": 30})).json()
    created, expires = (datetime.fromisoformat(made[x]) for x in ("created_at", "expires_at"))
    assert expires - created == timedelta(days=30)


async def test_fifty_keys_are_enough(atoll: Any) -> None:
    ada = await atoll.user("ada")
    for _ in range(50):
        await ada.key()
    assert code(await ada.client.post(KEYS, json={"name": "k"})) == (409, "too_many_keys")
    [first, *_] = (await ada.client.get(KEYS)).json()["items"]
    await ada.client.delete(f"{KEYS}/{first['id']}")
    assert (await ada.client.post(KEYS, json={"name": "k"})).status_code == 201


async def test_the_last_use_is_noted_once_a_minute(atoll: Any) -> None:
    async def last_used() -> datetime | None:
        [listed] = (await ada.client.get(KEYS)).json()["items"]
        at = listed["last_used_at"]
        return datetime.fromisoformat(at) if at else None

    ada = await atoll.user("ada")
    program = await ada.key_client()
    assert await last_used() is None
    await program.get("/api/conversations")
    first = await last_used()
    assert first is not None
    await program.get("/api/conversations")
    assert await last_used() == first
    async with atoll.backend.database.write() as session:
        await session.execute(update(ApiKeyRow).values(last_used_at=now() - timedelta(hours=1)))
    await program.get("/api/conversations")
    later = await last_used()
    assert later is not None
    assert later >= first


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer sk-atoll-", "bearer x", "Bearer sk-atoll-" + "ü" * 43]
)
async def test_headers_that_hold_no_key(header: str, atoll: Any) -> None:
    headers = {"Authorization": header.encode("latin-1")}
    answer = await atoll.client().get("/api/conversations", headers=headers)
    assert code(answer) == (401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
