"""A conversation as the page drives it: streamed, stopped, resumed, stored once."""

import httpx

from .conftest import NewPerson
from .stack import CAPITAL, STORY, Stack


def test_an_answer_streams_and_is_stored(person: NewPerson) -> None:
    user = person()
    conversation = user.conversation()
    run, answer = user.say(conversation, CAPITAL)
    events = list(user.events(run))
    identifiers = [identifier for identifier, _, _ in events]
    names = [name for _, name, _ in events]
    text = "".join(data["text"] for _, name, data in events if name == "delta")
    assert identifiers == sorted(set(identifiers))
    assert names.count("delta") > 1
    assert names[-1] == "done"
    assert names.count("done") == 1
    assert "Paris" in text
    stored = user.messages(conversation)
    assert [m["role"] for m in stored] == ["user", "assistant"]
    assert stored[1]["id"] == answer
    assert stored[1]["content"] == text == events[-1][2]["message"]["content"]
    assert stored[1]["status"] == "complete"
    assert user.http.get(f"/api/conversations/{conversation}").json()["title"] == CAPITAL


def test_a_reload_in_mid_answer_continues_the_same_answer(person: NewPerson) -> None:
    user = person()
    conversation = user.conversation()
    run, answer = user.say(conversation, STORY)
    first, last = "", 0
    for identifier, name, data in user.events(run):
        last = identifier
        first += data.get("text", "") if name == "delta" else ""
        if len(first) > 200:
            break
    # The page is gone and comes back: it resumes after the last event it saw.
    rest = "".join(d["text"] for _, name, d in user.events(run, last) if name == "delta")
    stored = user.finished(conversation, answer)
    assert stored["content"] == first + rest
    assert stored["status"] == "complete"
    assert [m["id"] for m in user.messages(conversation) if m["role"] == "assistant"] == [answer]
    # A reader who comes late gets the same text.
    late = "".join(d["text"] for _, name, d in user.events(run) if name == "delta")
    assert late in ("", stored["content"])


def test_stop_keeps_the_text_so_far(person: NewPerson) -> None:
    user = person()
    conversation = user.conversation()
    run, answer = user.say(conversation, STORY)
    events = user.events(run)
    while next(events)[1] != "delta":
        pass
    assert user.http.post(f"/api/runs/{run}/cancel").status_code == 200
    stored = user.finished(conversation, answer, 10)
    assert stored["status"] == "stopped"
    assert 0 < len(stored["content"]) < 5000
    assert [name for _, name, _ in events][-1] == "done"
    # The conversation goes on after a stop.
    run, answer = user.say(conversation, CAPITAL)
    assert user.finished(conversation, answer)["status"] == "complete"


def test_regenerate_adds_a_sibling(person: NewPerson) -> None:
    user = person()
    conversation = user.conversation()
    _, answer = user.say(conversation, CAPITAL)
    user.finished(conversation, answer)
    again = user.http.post(f"/api/conversations/{conversation}/messages/{answer}/regenerate")
    assert again.status_code == 202, again.text
    sibling = user.finished(conversation, again.json()["run"]["message_id"])
    original = user.message(conversation, answer)
    assert sibling["id"] != answer
    assert sibling["parent_id"] == original["parent_id"]
    assert len(user.messages(conversation)) == 3


def test_the_model_remembers_the_turns_before(person: NewPerson) -> None:
    user = person()
    conversation = user.conversation()
    _, first = user.say(conversation, CAPITAL)
    one = user.finished(conversation, first)
    _, second = user.say(conversation, "Repeat your last answer.")
    two = user.finished(conversation, second)
    assert two["usage"]["prompt_tokens"] > one["usage"]["prompt_tokens"] + 8


def test_lists_search_rename_delete(person: NewPerson) -> None:
    user = person()
    ids = [user.conversation() for _ in range(5)]
    for number, identifier in enumerate(ids):
        title = f"Notes on Élan {number} 100%"
        patched = user.http.patch(f"/api/conversations/{identifier}", json={"title": title})
        assert patched.status_code == 200
    seen, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = user.http.get("/api/conversations", params=query).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(ids)
    found = user.http.get("/api/conversations", params={"query": "éLAN 3"}).json()["items"]
    assert [item["id"] for item in found] == [ids[3]]
    assert user.http.get("/api/conversations", params={"query": "1%0"}).json()["items"] == []
    assert user.http.delete(f"/api/conversations/{ids[0]}").status_code == 204
    assert user.http.get(f"/api/conversations/{ids[0]}").status_code == 404


def test_a_prompt_beyond_the_context_says_so(person: NewPerson) -> None:
    user = person()
    conversation = user.conversation()
    _, answer = user.say(conversation, "word " * 9000)
    stored = user.finished(conversation, answer)
    assert stored["status"] == "failed"
    assert stored["error"]["code"] == "context_length_exceeded"
    assert stored["error"]["message"]


def test_a_second_user_gets_404_for_every_object_of_the_first(
    person: NewPerson, stack: Stack
) -> None:
    owner, other = person(), person()
    conversation = owner.conversation()
    run, answer = owner.say(conversation, CAPITAL)
    owner.finished(conversation, answer)
    file = owner.http.post("/api/files", files={"file": ("notes.txt", b"private")}).json()["id"]
    key = owner.http.get("/api/auth/api-keys").json()["items"]
    owner.api_key()
    key = owner.http.get("/api/auth/api-keys").json()["items"][0]["id"]
    session = owner.http.get("/api/auth/sessions").json()["items"][0]["id"]
    base = f"/api/conversations/{conversation}"
    routes: list[tuple[str, str, object]] = [
        ("GET", base, None),
        ("PATCH", base, {"title": "mine"}),
        ("DELETE", base, None),
        ("GET", f"{base}/messages", None),
        ("POST", f"{base}/messages", {"content": "hello"}),
        ("POST", f"{base}/messages/{answer}/regenerate", {}),
        ("GET", f"/api/runs/{run}", None),
        ("GET", f"/api/runs/{run}/events", None),
        ("POST", f"/api/runs/{run}/cancel", None),
        ("GET", f"/api/files/{file}", None),
        ("GET", f"/api/files/{file}/content", None),
        ("DELETE", f"/api/files/{file}", None),
        ("DELETE", f"/api/auth/api-keys/{key}", None),
        ("DELETE", f"/api/auth/sessions/{session}", None),
    ]
    bearer = {"Authorization": f"Bearer {other.api_key()}"}
    for method, path, body in routes:
        by_cookie = other.http.request(method, path, json=body)
        assert by_cookie.status_code == 404, (method, path, by_cookie.text)
        if not path.startswith("/api/auth"):
            by_key = httpx.request(method, stack.url + path, json=body, headers=bearer, timeout=30)
            assert by_key.status_code == 404, (method, path, by_key.text)
    assert owner.http.get(base).status_code == 200
    assert owner.http.get(f"/api/files/{file}/content").content == b"private"
