"""What administrators do, and how there comes to be one."""

import asyncio
import stat
from typing import Any

import pytest

ADMIN_PASSWORD = "first administrator"
FILE = "first-admin-password"


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def patch(admin: Any, person: Any, **change: Any) -> Any:
    return await admin.client.patch(f"/api/admin/users/{person.id}", json=change)


async def test_users_are_listed_page_by_page(atoll: Any) -> None:
    root = await atoll.admin()
    for number in range(5):
        await atoll.user(f"user{number}", status="pending" if number % 2 else "active")
    names: list[str] = []
    cursor = None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await root.client.get("/api/admin/users", params=query)).json()
        names += [item["username"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert names == ["user4", "user3", "user2", "user1", "user0", "root", "admin"]
    waiting = (await root.client.get("/api/admin/users?status=pending")).json()
    assert [item["username"] for item in waiting["items"]] == ["user3", "user1"]
    assert "password_hash" not in waiting["items"][0]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "status=gone", "cursor=x", "cursor=W10"])
async def test_questions_for_users_that_make_no_sense(query: str, atoll: Any) -> None:
    root = await atoll.admin()
    assert (await root.client.get(f"/api/admin/users?{query}")).status_code in (400, 422)


async def test_the_last_sign_in_is_shown(atoll: Any) -> None:
    root = await atoll.admin()
    await atoll.user("ada")
    [ada, *_] = (await root.client.get("/api/admin/users")).json()["items"]
    assert ada["last_login_at"] is None
    await atoll.login("ada")
    [ada, *_] = (await root.client.get("/api/admin/users")).json()["items"]
    assert ada["last_login_at"] is not None


async def test_users_have_no_business_here(atoll: Any) -> None:
    ada = await atoll.user("ada")
    for method, path in (
        ("GET", "/api/admin/users"),
        ("PATCH", f"/api/admin/users/{ada.id}"),
        ("GET", "/api/admin/settings"),
        ("PATCH", "/api/admin/settings"),
        ("GET", "/api/admin/nothing"),
    ):
        answer = await ada.client.request(method, path, json={"role": "admin"})
        assert code(answer) == (403, "admin_required")


async def test_suspension_ends_and_restores_access_at_once(atoll: Any) -> None:
    root, ada = await atoll.admin(), await atoll.user("ada")
    program = await ada.key_client()
    changed = await patch(root, ada, status="suspended")
    assert changed.json()["status"] == "suspended"
    for client in (ada.client, program):
        assert code(await client.get("/api/conversations")) == (403, "account_suspended")
    assert (await patch(root, ada, status="active")).status_code == 200
    for client in (ada.client, program):
        assert (await client.get("/api/conversations")).status_code == 200


async def test_a_role_changes_at_once(atoll: Any) -> None:
    root, ada = await atoll.admin(), await atoll.user("ada")
    assert (await patch(root, ada, role="admin")).json()["role"] == "admin"
    assert (await ada.client.get("/api/admin/users")).status_code == 200
    await patch(root, ada, role="user")
    assert code(await ada.client.get("/api/admin/users")) == (403, "admin_required")


async def test_the_last_administrator_stays(atoll: Any) -> None:
    root = await atoll.admin()
    listed = (await root.client.get("/api/admin/users")).json()["items"]
    [first] = [item for item in listed if item["username"] == "admin"]
    path = f"/api/admin/users/{first['id']}"
    assert (await root.client.patch(path, json={"status": "suspended"})).status_code == 200
    # A suspended administrator does not count.
    for change in ({"role": "user"}, {"status": "suspended"}, {"status": "pending"}):
        assert code(await patch(root, root, **change)) == (409, "last_admin")
    assert (await root.client.patch(path, json={"status": "active"})).status_code == 200
    assert code(await patch(root, root, status="suspended")) == (409, "own_account")
    assert (await patch(root, root, role="user")).status_code == 200


async def test_two_administrators_cannot_demote_each_other_at_once(atoll: Any) -> None:
    one, two = await atoll.admin("one"), await atoll.admin("two")
    listed = (await one.client.get("/api/admin/users")).json()["items"]
    [first] = [item for item in listed if item["username"] == "admin"]
    await one.client.patch(f"/api/admin/users/{first['id']}", json={"role": "user"})
    answers = await asyncio.gather(patch(one, two, role="user"), patch(two, one, role="user"))
    assert sorted(answer.status_code for answer in answers)[0] == 200
    assert sorted(answer.status_code for answer in answers)[1] in (403, 409)


async def test_changes_that_make_no_sense(atoll: Any) -> None:
    root, ada = await atoll.admin(), await atoll.user("ada")
    for change in ({"status": "gone"}, {"role": "god"}, {"username": "eve"}):
        assert code(await patch(root, ada, **change)) == (422, "invalid_value")
    assert (await patch(root, ada)).json()["status"] == "active"
    missing = await root.client.patch("/api/admin/users/nobody", json={"role": "user"})
    assert code(missing) == (404, "not_found")
    settings = await root.client.patch("/api/admin/settings", json={"registration": "maybe"})
    assert code(settings) == (422, "invalid_value")


async def test_whoever_loses_access_is_announced(atoll: Any) -> None:
    heard: list[tuple[str, str]] = []

    async def broken(kind: str, identifier: str) -> None:
        raise RuntimeError("inference is not there")

    async def hook(kind: str, identifier: str) -> None:
        heard.append((kind, identifier))

    atoll.backend.accounts.on_revoked(broken)
    atoll.backend.accounts.on_revoked(hook)
    root, ada = await atoll.admin(), await atoll.user("ada")
    key = (await ada.client.post("/api/auth/api-keys", json={"name": "k"})).json()["id"]
    await ada.client.delete(f"/api/auth/api-keys/{key}")
    await patch(root, ada, role="admin")
    assert heard == [("key", key)]
    assert (await patch(root, ada, status="suspended")).status_code == 200
    assert heard == [("key", key), ("user", ada.id)]


async def test_an_open_connection_learns_that_access_is_gone(atoll: Any) -> None:
    from atoll_chat.accounts.principal import Principal
    from atoll_kit.errors import ApiError

    accounts = atoll.backend.accounts
    root, ada = await atoll.admin(), await atoll.user("ada")
    principal = Principal(ada.id, "ada", "user", False, session_id=ada.session_id)
    assert await accounts.recheck(principal, "/ws/chat") == principal
    await patch(root, ada, role="admin")
    assert (await accounts.recheck(principal, "/ws/chat")).role == "admin"
    await patch(root, ada, status="suspended")
    with pytest.raises(ApiError) as refused:
        await accounts.recheck(principal, "/ws/chat")
    assert refused.value.code == "account_suspended"
    await patch(root, ada, status="active")
    await ada.client.post("/api/auth/logout")
    with pytest.raises(ApiError) as refused:
        await accounts.recheck(principal, "/ws/chat")
    assert refused.value.status == 401


async def test_the_first_administrator_gets_a_generated_password(start: Any) -> None:
    atoll = await start(fresh=True, admin_password=None, admin_username="chief")
    file = atoll.settings.data_dir / FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    password = file.read_text().strip()
    assert len(password) >= 20
    browser = atoll.client()
    signed_in = (await atoll.login("chief", password, client=browser)).json()
    assert signed_in["user"]["role"] == "admin"
    assert signed_in["user"]["must_change_password"] is True
    refused = await browser.get("/api/admin/users")
    assert code(refused) == (403, "password_change_required")
    assert file.exists()
    changed = await browser.post(
        "/api/auth/password",
        json={"current_password": password, "new_password": "a password of my own"},
        headers={"X-CSRF-Token": signed_in["csrf_token"]},
    )
    assert changed.status_code == 200
    assert not file.exists()
    assert (await browser.get("/api/admin/users")).status_code == 200


async def test_the_generated_password_is_in_no_log(
    start: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    atoll = await start(fresh=True, admin_password=None)
    password = (atoll.settings.data_dir / FILE).read_text().strip()
    await atoll.login("admin", password)
    logged = capsys.readouterr()
    assert FILE in logged.out
    assert password not in logged.out + logged.err


async def test_the_password_of_the_environment_must_be_changed_too(start: Any) -> None:
    atoll = await start(fresh=True)
    assert not (atoll.settings.data_dir / FILE).exists()
    signed_in = (await atoll.login("admin", ADMIN_PASSWORD)).json()
    assert signed_in["user"]["must_change_password"] is True


async def test_a_restart_makes_no_second_administrator(start: Any) -> None:
    atoll = await start(fresh=True, admin_password=None)
    password = (atoll.settings.data_dir / FILE).read_text()
    await atoll.stop()
    again = await start(admin_username="another", admin_password="another password")
    assert (again.settings.data_dir / FILE).read_text() == password
    assert (await again.login("another", "another password")).status_code == 401


async def test_a_weak_password_of_the_environment_stops_the_start(start: Any) -> None:
    with pytest.raises(ValueError, match=r"ADMIN_PASSWORD.*at least 10"):
        await start(fresh=True, admin_password="admin")
