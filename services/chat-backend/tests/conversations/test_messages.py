"""The tree of messages: what may follow what, and in which order it is read."""

import pytest
from chat_fixtures import Browser
from fake_openai import FakeServer


async def exchange(ada: Browser, conversation: str, content: str, **body) -> tuple[str, str]:
    """Ids of a question and its finished answer."""
    accepted = await ada.ask(content, conversation, **body)
    await ada.finish(accepted["run"]["id"])
    return accepted["message"]["id"], accepted["run"]["message_id"]


@pytest.mark.parametrize(
    ("content", "code"),
    [("", "empty_message"), (" \n\t\u3000", "empty_message"), ("x" * 51, "message_too_long")],
)
async def test_bad_content_is_not_stored(start, fake: FakeServer, content: str, code: str) -> None:
    chat = await start(inference_url=fake.url, max_message_chars=50)
    ada = Browser(await chat.user())
    conversation = await ada.conversation()
    refused = await ada.send(conversation, content)
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, code)
    assert refused.json()["error"]["param"] == "content"
    assert await ada.messages(conversation) == []
    assert (await ada.send(conversation, "x" * 50)).status_code == 202
    await ada.close()


async def test_unknown_fields_are_not_ignored(ada: Browser) -> None:
    refused = await ada.send(await ada.conversation(), attachments=["x"])
    assert (refused.status_code, refused.json()["error"]["param"]) == (422, "attachments")


async def test_branches_have_their_own_prompt(ada: Browser, fake: FakeServer) -> None:
    conversation = await ada.conversation()
    fake.always("answer")
    first, answer = await exchange(ada, conversation, "first")
    await exchange(ada, conversation, "second")
    side, _ = await exchange(ada, conversation, "other second", parent_id=answer)
    await exchange(ada, conversation, "third")
    await exchange(ada, conversation, "new root", parent_id=None)
    prompts = [[turn["content"] for turn in asked.body["messages"]] for asked in fake.asked]
    assert prompts == [
        ["first"],
        ["first", "answer", "second"],
        ["first", "answer", "other second"],
        ["first", "answer", "other second", "answer", "third"],
        ["new root"],
    ]
    by_id = {message["id"]: message for message in await ada.messages(conversation)}
    assert by_id[side]["parent_id"] == answer
    assert by_id[first]["parent_id"] is None


async def test_a_parent_must_fit(ada: Browser) -> None:
    conversation, other = await ada.conversation(), await ada.conversation()
    question, answer = await exchange(ada, conversation, "first")
    for parent, status, code in (
        (question, 422, "invalid_parent"),
        ("0" * 32, 404, "message_not_found"),
        ("newest", 404, "message_not_found"),
    ):
        refused = await ada.send(conversation, "Hi.", parent_id=parent)
        assert (refused.status_code, refused.json()["error"]["code"]) == (status, code)
    refused = await ada.send(other, "Hi.", parent_id=answer)
    assert (refused.status_code, refused.json()["error"]["param"]) == (404, "parent_id")
    assert await ada.messages(other) == []
    assert len(await ada.messages(conversation)) == 2


async def test_pages_lead_from_the_newest_to_the_oldest(ada: Browser) -> None:
    conversation = await ada.conversation()
    made = [id for i in range(5) for id in await exchange(ada, conversation, f"{i}")]
    path = f"/api/conversations/{conversation}/messages"
    pages = [(await ada.http.get(path, params={"limit": 4})).json()]
    while cursor := pages[-1]["next_cursor"]:
        query = {"limit": 4, "cursor": cursor}
        pages.append((await ada.http.get(path, params=query)).json())
    assert [len(page["items"]) for page in pages] == [4, 4, 2]
    assert [item["id"] for page in reversed(pages) for item in page["items"]] == made
