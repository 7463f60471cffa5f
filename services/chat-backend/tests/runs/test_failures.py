"""A model server that fails: the answer says so and what to do, and keeps its text."""

import pytest
from chat_fixtures import Browser, eventually
from fake_openai import Drop, FakeServer, Gate, Html, NoEnd, Raw, Refuse
from sqlalchemy import text


async def failure(ada: Browser, run: str) -> tuple[str, str, str]:
    last = await ada.finish(run)
    assert last.name == "error"
    message = last.data["message"]
    assert message["status"] == "failed"
    assert message["error"] == last.data["error"]
    return last.data["error"]["code"], last.data["error"]["message"], message["content"]


@pytest.mark.parametrize(
    ("script", "code", "text"),
    [
        (("half an", Drop()), "upstream_unavailable", "half an"),
        (("half an", NoEnd()), "upstream_unavailable", "half an"),
        ((Gate, Drop()), "upstream_unavailable", ""),
        (("half", Raw(b"data: {not json}\n\n")), "upstream_error", "half"),
        (("half", Raw(b"data: [1, 2]\n\n")), "upstream_error", "half"),
        ((Raw(b'data: {"choices": [{"delta": 5}]}\n\n'), "fine", Drop()), "upstream_unavailable",
         "fine"),
        ((Raw(b'data: {"error": {"message": "engine died", "code": "engine_failed"}}\n\n'),),
         "engine_failed", ""),
        ((Html(),), "upstream_error", ""),
        ((Refuse(500, body=b"<html>oops</html>"),), "upstream_unavailable", ""),
        ((Refuse(503, "model_not_installed", "Run make models-starter."),), "model_not_installed",
         ""),
        ((Refuse(400, "context_length_exceeded", "5000 > 2048"),), "context_length_exceeded", ""),
        ((Refuse(401, "not_authenticated", "who?"),), "upstream_credential_refused", ""),
    ],
)  # fmt: skip
async def test_failure_is_told_and_text_kept(
    ada: Browser, fake: FakeServer, script, code: str, text: str
) -> None:
    gate = Gate()
    gate.open()
    fake.answer(*(gate if step is Gate else step for step in script))
    conversation = await ada.conversation()
    run = (await ada.ask("Go.", conversation))["run"]["id"]
    assert (await failure(ada, run))[::2] == (code, text)
    # The next question works.
    assert (await ada.finish((await ada.ask("Again.", conversation))["run"]["id"])).name == "done"


async def test_inference_is_not_there(ada: Browser, fake: FakeServer, chat) -> None:
    await chat.backend.models.chat_models()
    fake.stop()
    code, message, _ = await failure(ada, (await ada.ask())["run"]["id"])
    assert code == "upstream_unavailable"
    assert "try again" in message
    assert fake.url not in message


async def test_too_slow_an_answer_ends(start, fake: FakeServer) -> None:
    chat = await start(inference_url=fake.url, run_timeout=0.5)
    ada = Browser(await chat.user())
    fake.answer("some text", Gate())
    code, _, text = await failure(ada, (await ada.ask())["run"]["id"])
    assert (code, text) == ("deadline_exceeded", "some text")
    await ada.close()


async def test_failed_answers_do_not_break_the_next_prompt(ada: Browser, fake: FakeServer) -> None:
    fake.answer(Refuse(500))
    conversation = await ada.conversation()
    await failure(ada, (await ada.ask("One?", conversation))["run"]["id"])
    await ada.finish((await ada.ask("Two?", conversation))["run"]["id"])
    assert fake.asked[1].body["messages"] == [{"role": "user", "content": "One?\n\nTwo?"}]


async def test_an_end_that_could_not_be_stored_does_not_block(
    ada: Browser, fake: FakeServer, chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a full disk: the readers are told, and the conversation can go on afterwards."""
    conversation = await ada.conversation()
    gate = Gate()
    fake.answer("some text", gate)
    monkeypatch.setattr("atoll_chat.runs.transcript.FLUSH_SECONDS", 0.01)
    run = (await ada.ask("Go.", conversation))["run"]["id"]
    async with chat.backend.database.write() as session:
        # Lets nothing about runs be written until it is dropped.
        await session.execute(
            text(
                "CREATE TRIGGER full BEFORE UPDATE ON runs "
                "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
            )
        )
    gate.open()
    assert (await ada.finish(run)).data["message"]["content"] == "some text"
    await eventually(lambda: not chat.backend.runs._live)
    async with chat.backend.database.write() as session:
        await session.execute(text("DROP TRIGGER full"))
    assert (await ada.finish((await ada.ask("Again.", conversation))["run"]["id"])).name == "done"
    stopped = await ada.http.get(f"/api/runs/{run}")
    assert stopped.json()["error"]["code"] == "interrupted"
