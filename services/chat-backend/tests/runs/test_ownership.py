"""Another user's objects are absent, on every route that names one."""

import pytest
from chat_fixtures import Browser
from fake_openai import FakeServer, Gate

ROUTES = [
    ("GET", "/api/conversations/{conversation_id}", None),
    ("PATCH", "/api/conversations/{conversation_id}", {"title": "mine"}),
    ("PATCH", "/api/conversations/{conversation_id}", {"model": "no-such-model"}),
    ("DELETE", "/api/conversations/{conversation_id}", None),
    ("GET", "/api/conversations/{conversation_id}/messages", None),
    ("POST", "/api/conversations/{conversation_id}/messages", {"content": "hi"}),
    ("POST", "/api/conversations/{conversation_id}/messages/{message_id}/regenerate", {}),
    ("GET", "/api/runs/{run_id}", None),
    ("POST", "/api/runs/{run_id}/cancel", None),
    ("GET", "/api/runs/{run_id}/events", None),
]


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
async def test_a_strangers_objects_are_absent(
    ada: Browser, grace: Browser, fake: FakeServer, method: str, path: str, body
) -> None:
    gate = Gate()
    fake.answer("text", gate)
    conversation = await ada.conversation()
    accepted = await ada.ask("Mine.", conversation)
    names = {
        "conversation_id": conversation,
        "message_id": accepted["run"]["message_id"],
        "run_id": accepted["run"]["id"],
    }
    url = path.format(**names)
    answer = await grace.http.request(method, url, json=body)
    absent = await grace.http.request(
        method, path.format(**dict.fromkeys(names, "0" * 32)), json=body
    )
    assert answer.status_code == absent.status_code == 404
    # It cannot be told from one that never was.
    assert {**answer.json()["error"], "request_id": ""} == {
        **absent.json()["error"],
        "request_id": "",
    }
    gate.open()
    assert (await ada.finish(names["run_id"])).name == "done"
    assert len(await ada.messages(conversation)) == 2


async def test_a_strangers_message_is_no_parent(ada: Browser, grace: Browser) -> None:
    accepted = await ada.ask()
    await ada.finish(accepted["run"]["id"])
    refused = await grace.send(await grace.conversation(), parent_id=accepted["run"]["message_id"])
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "message_not_found")


async def test_every_route_with_an_id_is_covered(chat) -> None:
    named = {
        (method.upper(), path)
        for path, methods in chat.app.openapi()["paths"].items()
        if path.startswith(("/api/conversations/", "/api/runs/"))
        for method in methods
    }
    assert named == {(method, path) for method, path, _ in ROUTES}
