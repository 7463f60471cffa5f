"""Changing a password, of one's own will or because one must."""

from typing import Any

import pytest

NEW = "a password nobody had before"
OLD = "correct horse battery"


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def change(person: Any, new: str = NEW, current: str = OLD) -> Any:
    body = {"current_password": current, "new_password": new}
    return await person.client.post("/api/auth/password", json=body)


async def test_the_session_is_rotated_and_the_others_end(atoll: Any) -> None:
    ada = await atoll.user("ada")
    other = atoll.client()
    await atoll.login("ada", client=other)
    old_token, old_csrf = ada.token, ada.csrf
    changed = await change(ada)
    assert changed.status_code == 200
    assert changed.json()["user"]["username"] == "ada"
    new_token, new_csrf = changed.cookies["atoll_session"], changed.json()["csrf_token"]
    assert new_token != old_token
    assert new_csrf != old_csrf
    for token, status in ((old_token, 401), (new_token, 200)):
        me = await atoll.client(cookies={"atoll_session": token}).get("/api/auth/me")
        assert me.status_code == status
    assert (await other.get("/api/auth/me")).status_code == 401
    assert (await atoll.login("ada", OLD)).status_code == 401
    assert (await atoll.login("ada", NEW)).status_code == 200


async def test_a_wrong_current_password_changes_nothing(atoll: Any) -> None:
    ada = await atoll.user("ada")
    assert code(await change(ada, current="wrong password")) == (400, "wrong_password")
    assert (await ada.client.get("/api/auth/me")).status_code == 200
    assert (await atoll.login("ada", OLD)).status_code == 200


async def test_guessing_the_current_password_is_throttled_like_log_in(start: Any) -> None:
    atoll = await start(login_attempts=2)
    ada = await atoll.user("ada")
    for _ in range(2):
        assert code(await change(ada, current="wrong password")) == (400, "wrong_password")
    assert code(await change(ada)) == (429, "too_many_attempts")


@pytest.mark.parametrize("new", ["short", "x" * 257, OLD, "grace.hopper"])
async def test_the_new_password_obeys_the_rules(new: str, atoll: Any) -> None:
    grace = await atoll.user("Grace.Hopper")
    assert code(await change(grace, new)) == (422, "weak_password")


async def test_who_must_change_the_password_can_do_nothing_else(atoll: Any) -> None:
    ada = await atoll.user("ada", must_change_password=True)
    assert (await ada.client.get("/api/auth/me")).json()["user"]["must_change_password"] is True
    key = {"Authorization": f"Bearer {await ada.key()}"}
    program = atoll.client(headers=key)
    for method, path in (
        ("GET", "/api/auth/sessions"),
        ("POST", "/api/auth/api-keys"),
        ("GET", "/api/conversations"),
        ("POST", "/api/conversations"),
        ("GET", "/v1/models"),
        ("GET", "/api/nothing"),
    ):
        expected = (403, "password_change_required")
        assert code(await ada.client.request(method, path)) == expected, path
        assert code(await program.request(method, path)) == expected, path
    # Not even the status says more than it says to anybody.
    assert (await ada.client.get("/api/status")).json().keys() == {"status"}
    changed = await change(ada)
    assert changed.json()["user"]["must_change_password"] is False
    browser = atoll.client(cookies={"atoll_session": changed.cookies["atoll_session"]})
    assert (await browser.get("/api/conversations")).status_code == 200
    assert (await program.get("/api/conversations")).status_code == 200


async def test_who_must_change_the_password_can_sign_out(atoll: Any) -> None:
    ada = await atoll.user("ada", must_change_password=True)
    assert (await ada.client.post("/api/auth/logout")).status_code == 204
