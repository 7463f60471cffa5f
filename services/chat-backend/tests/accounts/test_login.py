"""Signing in: what is said, what is not said, and how often one may try."""

import asyncio
import sqlite3
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from atoll_chat.accounts import passwords
from atoll_chat.accounts.tables import LoginFailureRow, UserRow
from atoll_chat.identifiers import now

GOOD = "correct horse battery"


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def without_id(answer: Any) -> dict[str, Any]:
    error: dict[str, Any] = answer.json()["error"]
    return {name: value for name, value in error.items() if name != "request_id"}


async def test_a_right_password_sets_the_cookie(atoll: Any) -> None:
    await atoll.user("ada")
    browser = atoll.client()
    answer = await atoll.login("ADA", client=browser)
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("atoll_session=")
    for attribute in ("HttpOnly", "SameSite=lax", "Path=/", "Max-Age=7776000"):
        assert attribute in cookie
    assert "Secure" not in cookie
    me = await browser.get("/api/auth/me")
    assert me.json() == answer.json()
    assert me.json()["user"]["username"] == "ada"


async def test_the_cookie_is_secure_when_the_gateway_speaks_tls(atoll: Any) -> None:
    await atoll.user("ada")
    body = {"username": "ada", "password": GOOD}
    tls = {"X-Forwarded-Proto": "https"}
    gateway = tls | {"X-Internal-Token": atoll.settings.internal_token}
    answer = await atoll.client().post("/api/auth/login", json=body, headers=gateway)
    assert "; Secure" in answer.headers["set-cookie"]
    # Anybody else's word does not count.
    answer = await atoll.client().post("/api/auth/login", json=body, headers=tls)
    assert "; Secure" not in answer.headers["set-cookie"]


async def test_an_unknown_user_and_a_wrong_password_are_told_the_same(atoll: Any) -> None:
    await atoll.user("ada")
    wrong = await atoll.login("ada", "wrong password")
    unknown = await atoll.login("nobody", "wrong password")
    assert code(wrong) == (401, "invalid_credentials")
    assert (unknown.status_code, without_id(unknown)) == (wrong.status_code, without_id(wrong))
    assert {name for name, _ in unknown.headers.items()} == {
        name for name, _ in wrong.headers.items()
    }


@pytest.mark.real_hashes
async def test_a_hash_is_computed_for_unknown_users_too(
    atoll: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []
    verify = passwords._hasher.verify_and_update

    def watched(password: str, stored: str) -> tuple[bool, str | None]:
        compared.append(stored)
        return verify(password, stored)

    monkeypatch.setattr(passwords._hasher, "verify_and_update", watched)
    await atoll.login("nobody", "wrong password")
    await atoll.login("a name that is no name", "wrong password")
    assert len(compared) == 2
    # The same kind of hash at the same cost as a stored one.
    assert compared[0].split("$")[:4] == passwords._hasher.hash("x").split("$")[:4]


@pytest.mark.parametrize("status", ["pending", "suspended"])
async def test_the_state_of_an_account_is_told_to_its_owner_only(status: str, atoll: Any) -> None:
    await atoll.user("ada", status=status)
    assert code(await atoll.login("ada", "wrong password")) == (401, "invalid_credentials")
    right = await atoll.login("ada")
    assert code(right) == (403, f"account_{status}")
    assert "set-cookie" not in right.headers


@pytest.mark.real_hashes
async def test_a_stolen_database_holds_no_token_key_or_password(atoll: Any) -> None:
    await atoll.register("ada", GOOD)
    browser = atoll.client()
    token = (await atoll.login("ada", client=browser)).cookies["atoll_session"]
    csrf = (await browser.get("/api/auth/me")).json()["csrf_token"]
    made = await browser.post(
        "/api/auth/api-keys", json={"name": "k"}, headers={"X-CSRF-Token": csrf}
    )
    with sqlite3.connect(atoll.settings.database_path) as database:
        dump = "\n".join(database.iterdump())
    database.close()
    assert "$argon2id$v=19$m=65536,t=3,p=4$" in dump
    for secret in (token, made.json()["key"], GOOD):
        assert secret not in dump


async def test_signing_in_again_ends_the_old_session_of_the_browser(atoll: Any) -> None:
    await atoll.user("ada")
    browser = atoll.client()
    first = (await atoll.login("ada", client=browser)).cookies["atoll_session"]
    second = (await atoll.login("ada", client=browser)).cookies["atoll_session"]
    assert first != second
    old = await atoll.client(cookies={"atoll_session": first}).get("/api/auth/me")
    assert old.status_code == 401
    assert (await browser.get("/api/auth/me")).status_code == 200


@pytest.mark.real_hashes
async def test_a_hash_of_an_older_release_is_renewed_at_the_next_sign_in(atoll: Any) -> None:
    async def stored() -> str:
        async with atoll.backend.database.read() as session:
            row = await session.get(UserRow, ada.id)
        return str(row.password_hash)

    ada = await atoll.user("ada")
    assert "m=64," in await stored()
    assert (await atoll.login("ada")).status_code == 200
    assert "m=65536," in await stored()
    assert (await atoll.login("ada")).status_code == 200


async def test_failures_from_one_address_do_not_lock_the_owner_out(start: Any) -> None:
    atoll = await start(login_attempts=3)
    await atoll.user("ada")
    for _ in range(3):
        answer = await atoll.login("ada", "wrong password", address="192.0.2.1")
        assert code(answer) == (401, "invalid_credentials")
    refused = await atoll.login("ada", address="192.0.2.1")
    assert code(refused) == (429, "too_many_attempts")
    assert 0 < int(refused.headers["Retry-After"]) <= 900
    # Names that do not exist are throttled just so.
    for _ in range(3):
        await atoll.login("nobody", address="192.0.2.1")
    assert code(await atoll.login("nobody", address="192.0.2.1")) == (429, "too_many_attempts")
    # Another account from there, and the owner from elsewhere, are not.
    assert code(await atoll.login("bob", address="192.0.2.1")) == (401, "invalid_credentials")
    assert (await atoll.login("ada", address="192.0.2.2")).status_code == 200


async def test_one_customer_of_ipv6_is_one_address(start: Any) -> None:
    atoll = await start(login_attempts=2)
    for last in (1, 2):
        await atoll.login("ada", address=f"2001:db8:0:7::{last}")
    assert (await atoll.login("ada", address="2001:db8:0:7:ffff::3")).status_code == 429
    assert (await atoll.login("ada", address="2001:db8:0:8::1")).status_code == 401


async def test_a_right_password_clears_the_failures(start: Any) -> None:
    atoll = await start(login_attempts=2)
    await atoll.user("ada")
    for _ in range(4):
        assert (await atoll.login("ada", "wrong password")).status_code == 401
        assert (await atoll.login("ada")).status_code == 200


async def test_failures_are_forgotten_after_a_quarter_of_an_hour(start: Any) -> None:
    atoll = await start(login_attempts=1)
    await atoll.user("ada")
    await atoll.login("ada", "wrong password")
    assert (await atoll.login("ada")).status_code == 429
    async with atoll.backend.database.write() as session:
        past = now() - timedelta(minutes=15, seconds=1)
        await session.execute(update(LoginFailureRow).values(created_at=past))
    assert (await atoll.login("ada")).status_code == 200


async def test_failures_outlive_a_restart(start: Any) -> None:
    atoll = await start(login_attempts=1)
    await atoll.login("ada", "wrong password")
    await atoll.stop()
    again = await start(login_attempts=1)
    assert (await again.login("ada", "wrong password")).status_code == 429


async def test_attempts_at_once_count_each(start: Any) -> None:
    atoll = await start(login_attempts=4)
    answers = await asyncio.gather(*(atoll.login("ada", "wrong password") for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [401] * 4 + [429] * 8


async def test_many_addresses_together_are_stopped_but_not_the_owner(start: Any) -> None:
    atoll = await start(login_attempts=1)
    await atoll.user("ada")
    assert (await atoll.login("ada", address="198.51.100.1")).status_code == 200
    at = now()
    async with atoll.backend.database.write() as session:
        account = atoll.backend.accounts._digests.of("login", "ada")
        session.add_all(
            LoginFailureRow(id=str(n), account=account, address=f"192.0.2.{n}", created_at=at)
            for n in range(10)
        )
    assert (await atoll.login("ada", address="203.0.113.1")).status_code == 429
    # From where the owner has signed in before, the owner still can.
    assert (await atoll.login("ada", address="198.51.100.1")).status_code == 200


async def test_the_address_is_believed_from_the_gateway_only(start: Any) -> None:
    atoll = await start(login_attempts=1)
    ada = await atoll.user("ada")
    body = {"username": "ada", "password": "wrong password"}
    for address in ("192.0.2.1", "192.0.2.2"):
        forged = {"X-Real-IP": address, "X-Forwarded-For": address}
        answer = await atoll.client().post("/api/auth/login", json=body, headers=forged)
    assert answer.status_code == 429
    await atoll.login("ada", address="198.51.100.7")
    listed = (await ada.client.get("/api/auth/sessions")).json()["items"]
    assert "198.51.100.7" in {item["address"] for item in listed}


@pytest.mark.real_hashes
async def test_hashing_does_not_hold_up_the_others(atoll: Any) -> None:
    """Ten log-ins at once take seconds; the service answers in the meantime."""
    visitor = atoll.client()
    logins = asyncio.gather(*(atoll.login(f"user{n}", "wrong password") for n in range(10)))
    slowest = 0.0
    while not logins.done():
        started = time.monotonic()
        assert (await visitor.get("/api/health")).status_code == 200
        slowest = max(slowest, time.monotonic() - started)
    assert {answer.status_code for answer in await logins} == {401}
    assert slowest < 1.0


async def test_too_many_hashes_at_once_are_refused(
    start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go = threading.Event()
    verify = passwords._hasher.verify_and_update

    def held_up(password: str, stored: str) -> tuple[bool, str | None]:
        let_go.wait()
        return verify(password, stored)

    monkeypatch.setattr(passwords, "WAITING", 4)
    monkeypatch.setattr(passwords._hasher, "verify_and_update", held_up)
    atoll = await start(login_attempts=8)
    await atoll.user("ada")
    attempts = [asyncio.create_task(atoll.login("ada", "wrong password")) for _ in range(8)]
    try:
        while sum(attempt.done() for attempt in attempts) < 4:
            open_ones = [attempt for attempt in attempts if not attempt.done()]
            await asyncio.wait(open_ones, return_when=asyncio.FIRST_COMPLETED)
    finally:
        let_go.set()
    answers = await asyncio.gather(*attempts)
    busy = [answer for answer in answers if answer.status_code == 503]
    assert len(busy) == 4
    assert {code(answer) for answer in busy} == {(503, "busy")}
    assert all("Retry-After" in answer.headers for answer in busy)
    # Passwords that were not looked at are no failures: four attempts are left.
    again = [await atoll.login("ada", "wrong password") for _ in range(5)]
    assert [answer.status_code for answer in again] == [401] * 4 + [429]
