"""The browsers in which somebody is signed in."""

from datetime import datetime, timedelta
from typing import Any

from atoll_chat.accounts.tables import SessionRow
from atoll_chat.identifiers import now


async def sessions(person: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await person.client.get("/api/auth/sessions")).json()["items"]
    return items


async def test_the_list_tells_one_browser_from_another(atoll: Any) -> None:
    ada = await atoll.user("ada")
    phone = atoll.client(headers={"User-Agent": "a phone"})
    await atoll.login("ada", client=phone, address="192.0.2.9")
    first, second = await sessions(ada)
    assert (first["user_agent"], first["address"]) == ("a phone", "192.0.2.9")
    assert (first["current"], second["current"]) == (False, True)
    # Unused for two weeks it ends, so that is what is shown.
    ends = datetime.fromisoformat(first["expires_at"])
    assert ends - datetime.fromisoformat(first["last_seen_at"]) == timedelta(days=14)


async def test_signing_out_ends_this_session_only(atoll: Any) -> None:
    ada = await atoll.user("ada")
    phone = atoll.client()
    await atoll.login("ada", client=phone)
    answer = await ada.client.post("/api/auth/logout")
    assert answer.status_code == 204
    assert 'atoll_session=""' in answer.headers["set-cookie"]
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert (await phone.get("/api/auth/me")).status_code == 200
    stolen = atoll.client(cookies={"atoll_session": ada.token})
    assert (await stolen.get("/api/auth/me")).status_code == 401


async def test_one_and_all_others_can_be_ended(atoll: Any) -> None:
    ada = await atoll.user("ada")
    browsers = [atoll.client() for _ in range(3)]
    for browser in browsers:
        await atoll.login("ada", client=browser)
    newest = (await sessions(ada))[0]
    assert (await ada.client.delete(f"/api/auth/sessions/{newest['id']}")).status_code == 204
    assert [(await b.get("/api/auth/me")).status_code for b in browsers] == [200, 200, 401]
    assert (await ada.client.delete("/api/auth/sessions")).status_code == 204
    assert [(await b.get("/api/auth/me")).status_code for b in browsers] == [401, 401, 401]
    [left] = await sessions(ada)
    assert left["current"] is True


async def test_another_users_session_does_not_exist(atoll: Any) -> None:
    ada, bob = await atoll.user("ada"), await atoll.user("bob")
    answer = await bob.client.delete(f"/api/auth/sessions/{ada.session_id}")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"
    assert (await ada.client.get("/api/auth/me")).status_code == 200


async def test_a_session_that_ran_out_is_not_listed_nor_kept(atoll: Any) -> None:
    ada = await atoll.user("ada")
    old = await atoll.sign_in(ada)
    await old.change_session(last_seen_at=now() - timedelta(days=15))
    browser = atoll.client()
    await atoll.login("ada", client=browser)
    listed = (await browser.get("/api/auth/sessions")).json()["items"]
    assert old.session_id not in {item["id"] for item in listed}


async def test_use_keeps_a_session_alive_and_is_noted_once_a_minute(atoll: Any) -> None:
    ada = await atoll.user("ada")
    recent = now() - timedelta(seconds=30)
    await ada.change_session(last_seen_at=recent)
    [shown] = await sessions(ada)
    assert datetime.fromisoformat(shown["last_seen_at"]) == recent
    await ada.change_session(last_seen_at=now() - timedelta(days=13))
    await sessions(ada)
    [shown] = await sessions(ada)
    assert now() - datetime.fromisoformat(shown["last_seen_at"]) < timedelta(minutes=1)


async def test_a_refused_request_does_not_count_as_use(atoll: Any) -> None:
    ada = await atoll.user("ada")
    before = now() - timedelta(days=2)
    await ada.change_session(last_seen_at=before)
    forged = atoll.client(cookies={"atoll_session": ada.token})
    assert (await forged.post("/api/auth/logout")).status_code == 403
    async with atoll.backend.database.read() as session:
        row = await session.get(SessionRow, ada.session_id)
    assert row is not None
    assert row.last_seen_at == before


async def test_sessions_outlive_a_restart(start: Any) -> None:
    atoll = await start()
    ada = await atoll.user("ada")
    await atoll.stop()
    again = await start()
    browser = again.client(cookies={"atoll_session": ada.token})
    assert (await browser.get("/api/auth/me")).json()["csrf_token"] == ada.csrf
    await again.stop()
    # With another SECRET_KEY nothing that was handed out is worth anything.
    other = await start(
        secret_key="0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"
    )
    stale = other.client(cookies={"atoll_session": ada.token})
    assert (await stale.get("/api/auth/me")).status_code == 401
