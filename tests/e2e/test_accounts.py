"""Accounts through the gateway: registration, the forced change, states, sessions, keys."""

import stat
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from .conftest import NewPerson
from .person import Person
from .stack import ADMIN, ADMIN_PASSWORD, CAPITAL, Stack


def post(stack: Stack, path: str, body: object, **headers: str) -> httpx.Response:
    return httpx.post(f"{stack.url}{path}", json=body, headers=headers, timeout=60)


def code(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["code"])


def test_a_wrong_password_and_an_unknown_user_look_the_same(stack: Stack, admin: Person) -> None:
    wrong = post(stack, "/api/auth/login", {"username": ADMIN, "password": "wrong"})
    unknown = post(stack, "/api/auth/login", {"username": "nobody", "password": "wrong"})
    assert wrong.status_code == unknown.status_code == 401
    assert code(wrong) == code(unknown) == "invalid_credentials"
    assert wrong.json()["error"]["message"] == unknown.json()["error"]["message"]


def test_registration_modes(stack: Stack, admin: Person) -> None:
    settings = "/api/admin/settings"
    try:
        assert admin.http.patch(settings, json={"registration": "closed"}).status_code == 200
        body = {"username": "latecomer", "password": "a good long password"}
        assert code(post(stack, "/api/auth/register", body)) == "registration_closed"
        assert admin.http.patch(settings, json={"registration": "approval"}).status_code == 200
        waiting = post(stack, "/api/auth/register", body)
        assert (waiting.status_code, waiting.json()["status"]) == (201, "pending")
        refused = post(stack, "/api/auth/login", body)
        assert (refused.status_code, code(refused)) == (403, "account_pending")
        pending = admin.http.get("/api/admin/users", params={"status": "pending"}).json()["items"]
        user = next(item for item in pending if item["username"] == "latecomer")
        admitted = admin.http.patch(f"/api/admin/users/{user['id']}", json={"status": "active"})
        assert admitted.status_code == 200
        Person(stack, "latecomer", "a good long password").sign_in()
    finally:
        admin.http.patch(settings, json={"registration": "open"})


def test_suspension_closes_every_path_at_once(
    stack: Stack, admin: Person, person: NewPerson
) -> None:
    user = person()
    key = {"Authorization": f"Bearer {user.api_key()}"}
    conversation = user.conversation()
    assert httpx.get(f"{stack.url}/v1/models", headers=key, timeout=30).status_code == 200
    path = f"/api/admin/users/{user.user['id']}"
    assert admin.http.patch(path, json={"status": "suspended"}).status_code == 200
    for answer in (
        user.http.get("/api/auth/me"),
        user.http.get(f"/api/conversations/{conversation}"),
        httpx.get(f"{stack.url}/v1/models", headers=key, timeout=30),
        httpx.post(f"{stack.url}/v1/embeddings", headers=key, json={}, timeout=30),
        httpx.post(f"{stack.url}/v1/chat/completions", headers=key, json={}, timeout=30),
    ):
        assert answer.status_code in (401, 403), answer.text
        assert code(answer) in ("account_suspended", "not_authenticated")


def test_unsafe_requests_need_the_csrf_token(person: NewPerson) -> None:
    user = person()
    token = user.http.headers.pop("X-CSRF-Token")
    assert code(user.http.post("/api/conversations", json={})) == "csrf_failed"
    user.http.headers["X-CSRF-Token"] = token
    foreign = user.http.post(
        "/api/conversations", json={}, headers={"Origin": "http://evil.example"}
    )
    assert (foreign.status_code, code(foreign)) == (403, "csrf_failed")
    assert user.http.post("/api/conversations", json={}).status_code == 201


def test_sessions_are_listed_and_revoked(stack: Stack, person: NewPerson) -> None:
    here = person()
    there = Person(stack, here.username, here.password).sign_in()
    sessions = here.http.get("/api/auth/sessions").json()["items"]
    assert sorted(s["current"] for s in sessions) == [False, True]
    other = next(s["id"] for s in sessions if not s["current"])
    assert here.http.delete(f"/api/auth/sessions/{other}").status_code == 204
    assert there.http.get("/api/auth/me").status_code == 401
    assert here.http.post("/api/auth/logout").status_code == 204
    assert here.http.get("/api/auth/me").status_code == 401


def test_api_keys_are_scoped_and_revocable(stack: Stack, person: NewPerson) -> None:
    user = person()
    secret = user.api_key(scopes=["inference"])
    head = {"Authorization": f"Bearer {secret}"}
    assert httpx.get(f"{stack.url}/v1/models", headers=head, timeout=30).status_code == 200
    narrow = httpx.get(f"{stack.url}/api/conversations", headers=head, timeout=30)
    assert narrow.status_code == 403
    listed = user.http.get("/api/auth/api-keys").json()["items"][0]
    assert "key" not in listed
    assert secret.startswith(listed["prefix"])
    assert user.http.delete(f"/api/auth/api-keys/{listed['id']}").status_code == 204
    assert httpx.get(f"{stack.url}/v1/models", headers=head, timeout=30).status_code == 401


def test_a_key_cannot_manage_the_account(stack: Stack, person: NewPerson) -> None:
    head = {"Authorization": f"Bearer {person().api_key()}"}
    answer = httpx.post(
        f"{stack.url}/api/auth/api-keys", json={"name": "more"}, headers=head, timeout=30
    )
    assert (answer.status_code, code(answer)) == (403, "session_required")


def test_the_first_admin_must_change_the_password_everywhere(tmp_path: Path) -> None:
    with Stack(tmp_path / "data", ADMIN_PASSWORD="") as stack:
        file = stack.data_dir / "first-admin-password"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        password = file.read_text().strip()
        log = stack.log.read_text()
        assert "first-admin-password" in log
        assert password not in log
        assert password not in (stack.data_dir / "logs" / "chat-backend.log").read_text()
        admin = Person(stack, ADMIN, password).sign_in()
        assert admin.user["must_change_password"]
        for method, path in (
            ("GET", "/api/conversations"),
            ("POST", "/api/auth/api-keys"),
            ("GET", "/v1/models"),
            ("POST", "/v1/chat/completions"),
            ("POST", "/v1/embeddings"),
            ("POST", "/v2/repository/index"),
            ("GET", "/api/admin/users"),
        ):
            answer = admin.http.request(method, path, json={})
            assert (answer.status_code, code(answer)) == (403, "password_change_required"), path
        admin.change_password("a much better password")
        assert admin.http.get("/api/conversations").status_code == 200
        assert not file.exists()

        # A lost password: the command speaks to the running server.
        command = [str(Path(sys.executable).parent / "atoll-stack"), "cli", "chat"]
        done = subprocess.run(
            [*command, "set_admin", "--username", ADMIN, "--password-stdin"],
            input="a password from the console",
            text=True,
            capture_output=True,
            env=stack.environment,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert admin.http.get("/api/conversations").status_code == 401
        again = Person(stack, ADMIN, "a password from the console").sign_in()
        assert again.user["must_change_password"]


def test_log_in_is_throttled_per_account_and_address(stack: Stack, person: NewPerson) -> None:
    user = person()
    wrong = {"username": user.username, "password": "not the password"}
    answers = [post(stack, "/api/auth/login", wrong) for _ in range(15)]
    assert answers[0].status_code == 401
    last = answers[-1]
    assert (last.status_code, code(last)) == (429, "too_many_attempts")
    assert int(last.headers["Retry-After"]) > 0
    # Others are not locked out by it.
    Person(stack, ADMIN, ADMIN_PASSWORD).sign_in()


@pytest.mark.parametrize("name", ["X-Atoll-User", "X-Atoll-Role", "X-Internal-Token"])
def test_identity_headers_from_outside_mean_nothing(stack: Stack, name: str) -> None:
    answer = post(stack, "/v1/embeddings", {}, **{name: "admin"})
    assert answer.status_code == 401


def test_the_first_question_of_a_new_user_is_answered(person: NewPerson) -> None:
    user = person()
    conversation = user.conversation()
    _, answer = user.say(conversation, CAPITAL)
    assert "Paris" in user.finished(conversation, answer)["content"]
