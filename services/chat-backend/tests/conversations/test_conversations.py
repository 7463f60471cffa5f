"""Create, list, rename, delete, and search in titles."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from chat_fixtures import Browser
from sqlalchemy import update

from atoll_chat.conversations.tables import ConversationRow
from atoll_chat.conversations.titles import title_of


async def titles(browser: Browser, query: str) -> list[str]:
    answer = await browser.http.get("/api/conversations", params={"query": query})
    assert answer.status_code == 200
    return sorted(item["title"] for item in answer.json()["items"])


async def test_create_rename_delete(ada: Browser) -> None:
    made = await ada.http.post(
        "/api/conversations", json={"title": "  Tea  and\nscones ", "model": "fake-large"}
    )
    assert made.status_code == 201
    conversation = made.json()
    assert conversation["title"] == "Tea and scones"
    assert conversation["model"] == "fake-large"
    path = f"/api/conversations/{conversation['id']}"
    changed = await ada.http.patch(path, json={"title": "Coffee"})
    assert (changed.status_code, changed.json()["title"]) == (200, "Coffee")
    assert changed.json()["model"] == "fake-large"
    changed = await ada.http.patch(path, json={"model": None})
    assert changed.json()["model"] is None
    assert (await ada.http.get(path)).json() == changed.json()
    assert (await ada.http.delete(path)).status_code == 204
    assert (await ada.http.get(path)).status_code == 404
    assert (await ada.http.delete(path)).status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"title": ""}, 422, "invalid_value"),
        ({"title": " \n\t"}, 422, "invalid_value"),
        ({"title": "x" * 201}, 422, "invalid_value"),
        ({"title": None}, 422, "invalid_value"),
        ({"title": 5}, 422, "invalid_value"),
        ({"title": "a\ud800b"}, 422, "invalid_value"),
        ({"colour": "red"}, 422, "invalid_value"),
        ({"title": "fine", "id": "0" * 32}, 422, "invalid_value"),
        ({"model": ""}, 422, "invalid_value"),
        ({"model": "no-such-model"}, 404, "model_not_found"),
        ({"model": "fake-embed"}, 404, "model_not_found"),
        ({}, 422, "nothing_to_change"),
    ],
)
async def test_a_bad_change_changes_nothing(
    ada: Browser, body: dict[str, Any], status: int, code: str
) -> None:
    conversation = await ada.conversation(title="Before")
    path = f"/api/conversations/{conversation}"
    refused = await ada.http.patch(
        path, content=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    assert (refused.status_code, refused.json()["error"]["code"]) == (status, code)
    assert (await ada.http.get(path)).json()["title"] == "Before"


async def test_the_first_message_gives_the_title(ada: Browser) -> None:
    conversation = await ada.conversation()
    question = "\n  What is the  capital of France, and how long has it been that? \nSecond line"
    await ada.finish((await ada.ask(question, conversation))["run"]["id"])
    await ada.finish((await ada.ask("Another question", conversation))["run"]["id"])
    title = (await ada.http.get(f"/api/conversations/{conversation}")).json()["title"]
    assert title == "What is the capital of France, and how long has it been…"


@pytest.mark.parametrize(
    ("content", "title"),
    [
        ("Hi", "Hi"),
        ("x" * 60, "x" * 60),
        ("x" * 61, "x" * 59 + "…"),
        ("什么是" * 30, ("什么是" * 30)[:59] + "…"),
        ("\n\n\r\nthird line", "third line"),
    ],
)
def test_titles_are_short(content: str, title: str) -> None:
    assert title_of(content) == title
    assert len(title) <= 60


async def test_search_knows_every_alphabet_and_no_wildcards(ada: Browser, grace: Browser) -> None:
    for title in ("Über Käse", "ПРИВЕТ, мир", "100% sure", "1000 reasons", "a_b", "aXb", "ＡＢＣ",
                  "back\\slash", "日本語の質問"):  # fmt: skip
        await ada.conversation(title=title)
    await grace.conversation(title="Grace's 100% secret")
    assert await titles(ada, "über") == ["Über Käse"]
    assert await titles(ada, "KÄSE") == ["Über Käse"]
    assert await titles(ada, "привет") == ["ПРИВЕТ, мир"]
    assert await titles(ada, "100%") == ["100% sure"]
    assert await titles(ada, "a_b") == ["a_b"]
    assert await titles(ada, "abc") == ["ＡＢＣ"]
    assert await titles(ada, "\\") == ["back\\slash"]
    assert await titles(ada, "質問") == ["日本語の質問"]
    assert await titles(ada, "nothing like it") == []


async def test_pages_hold_each_conversation_once(ada: Browser, chat) -> None:
    made = {await ada.conversation(title=f"{i}") for i in range(7)}
    async with chat.backend.database.write() as session:
        # The same instant: nothing but the id tells them apart.
        await session.execute(
            update(ConversationRow).values(updated_at=datetime(2026, 1, 1, tzinfo=UTC))
        )
    seen: list[str] = []
    cursor = None
    pages = 0
    while pages == 0 or cursor:
        query = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        page = (await ada.http.get("/api/conversations", params=query)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        pages += 1
    assert pages == 3
    assert len(seen) == 7
    assert set(seen) == made


async def test_newest_activity_comes_first(ada: Browser) -> None:
    old, new = await ada.conversation(title="old"), await ada.conversation(title="new")
    await ada.finish((await ada.ask("Hello?", old))["run"]["id"])
    listed = (await ada.http.get("/api/conversations")).json()["items"]
    assert [item["id"] for item in listed] == [old, new]


@pytest.mark.parametrize("cursor", ["", "x", "bnVsbA", "WzEsMl0", "WyJ4IiwgMl0"])
async def test_a_made_up_cursor_is_refused(ada: Browser, cursor: str) -> None:
    conversation = await ada.conversation()
    for path in ("/api/conversations", f"/api/conversations/{conversation}/messages"):
        answer = await ada.http.get(path, params={"cursor": cursor})
        assert answer.status_code in ((200,) if cursor == "" else (400, 200)), path
        if answer.status_code == 400:
            assert answer.json()["error"]["code"] == "invalid_cursor"


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x"])
async def test_a_page_has_limits(ada: Browser, limit: str) -> None:
    answer = await ada.http.get("/api/conversations", params={"limit": limit})
    assert answer.status_code == 422
