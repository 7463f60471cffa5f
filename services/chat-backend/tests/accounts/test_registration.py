"""Who may register, under which names and with which passwords."""

import asyncio
from typing import Any

import pytest

GOOD = "a good long password"


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def test_open_registration_makes_an_account_that_can_sign_in(atoll: Any) -> None:
    made = await atoll.register("Ada", GOOD)
    assert made.status_code == 201
    assert made.json()["status"] == "active"
    user = made.json()["user"]
    assert user["username"] == "Ada"
    assert (user["role"], user["status"], user["must_change_password"]) == ("user", "active", False)
    assert "set-cookie" not in made.headers
    assert (await atoll.login("Ada", GOOD)).json()["user"] == user


async def test_registration_by_approval_waits_for_an_administrator(start: Any) -> None:
    atoll = await start(registration="approval")
    made = await atoll.register("ada", GOOD)
    assert (made.status_code, made.json()["status"]) == (201, "pending")
    assert code(await atoll.login("ada", GOOD)) == (403, "account_pending")
    root = await atoll.admin()
    [waiting] = (await root.client.get("/api/admin/users?status=pending")).json()["items"]
    approve = {"status": "active"}
    await root.client.patch(f"/api/admin/users/{waiting['id']}", json=approve)
    assert (await atoll.login("ada", GOOD)).status_code == 200


async def test_closed_registration(start: Any) -> None:
    atoll = await start(registration="closed")
    assert code(await atoll.register("ada", GOOD)) == (403, "registration_closed")


async def test_the_administrators_choice_wins_and_outlives_a_restart(start: Any) -> None:
    atoll = await start(registration="open")
    root = await atoll.admin()
    settings = "/api/admin/settings"
    assert (await root.client.get(settings)).json() == {"registration": "open"}
    changed = await root.client.patch(settings, json={"registration": "closed"})
    assert changed.json() == {"registration": "closed"}
    assert code(await atoll.register("ada", GOOD)) == (403, "registration_closed")
    await atoll.stop()
    again = await start(registration="open")
    assert (await again.client().get("/api/config")).json()["registration"] == "closed"
    assert code(await again.register("ada", GOOD)) == (403, "registration_closed")


@pytest.mark.parametrize("name", ["a", "ada.l@math-dept_1", "阿达", "Åsa", "x" * 64])
async def test_names_that_are_allowed(name: str, atoll: Any) -> None:
    assert (await atoll.register(name, GOOD)).status_code == 201


@pytest.mark.parametrize("name", ["", " ", "a b", "x" * 65, "a/b", "a\n", "ada ", "<ada>", "a\0b"])
async def test_names_that_are_not(name: str, atoll: Any) -> None:
    assert code(await atoll.register(name, GOOD)) == (422, "invalid_username")


@pytest.mark.parametrize("taken, again", [("Ada", "aDA"), ("ada", "Ａｄａ"), ("straße", "STRASSE")])
async def test_two_spellings_are_one_name(taken: str, again: str, atoll: Any) -> None:
    assert (await atoll.register(taken, GOOD)).status_code == 201
    assert code(await atoll.register(again, GOOD)) == (409, "username_taken")
    assert (await atoll.login(again, GOOD)).json()["user"]["username"] == taken


async def test_one_of_two_who_register_a_name_at_once_gets_it(atoll: Any) -> None:
    answers = await asyncio.gather(*(atoll.register("ada", GOOD) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


@pytest.mark.parametrize(
    "password, why",
    [
        ("", "at least 10"),
        ("ninechars", "at least 10"),
        ("x" * 257, "at most 256"),
        ("ADA.LOVELACE", "differ from the user name"),
    ],
)
async def test_weak_passwords(password: str, why: str, atoll: Any) -> None:
    answer = await atoll.register("ada.lovelace", password)
    assert code(answer) == (422, "weak_password")
    assert why in answer.json()["error"]["message"]


async def test_the_shortest_and_the_longest_password(start: Any) -> None:
    atoll = await start(password_min_length=12)
    assert code(await atoll.register("ada", "x" * 11)) == (422, "weak_password")
    assert (await atoll.register("ada", "é" * 12)).status_code == 201
    assert (await atoll.register("bob", "x" * 256)).status_code == 201
    # Another keyboard sends the same letter as two code points.
    assert (await atoll.login("ada", "e\u0301" * 12)).status_code == 200
    # What follows the 72nd byte counts too, as it would not with bcrypt.
    assert (await atoll.login("bob", "x" * 255)).status_code == 401


@pytest.mark.parametrize(
    "body, expected",
    [
        (b"{", (400, "invalid_json")),
        (b"[]", (422, "invalid_value")),
        (b'{"username": "ada"}', (422, "invalid_value")),
        (b'{"username": 1, "password": "x"}', (422, "invalid_value")),
        (b'{"username": "a", "password": "x", "role": "admin"}', (422, "invalid_value")),
        (b'{"username": "a", "password": "\\ud800 is half a letter"}', (422, "invalid_value")),
    ],
)
async def test_bodies_that_are_no_registration(
    body: bytes, expected: tuple[int, str], atoll: Any
) -> None:
    answer = await atoll.client().post(
        "/api/auth/register", content=body, headers={"Content-Type": "application/json"}
    )
    assert code(answer) == expected


async def test_another_sites_page_cannot_register_or_sign_in(atoll: Any) -> None:
    foreign = {"Origin": "http://elsewhere.test"}
    assert code(await atoll.register("ada", GOOD, headers=foreign)) == (403, "csrf_failed")
    body = {"username": "ada", "password": GOOD}
    answer = await atoll.client().post("/api/auth/login", json=body, headers=foreign)
    assert code(answer) == (403, "csrf_failed")
