"""A server that is stopped or killed in mid-answer."""

import signal
from dataclasses import dataclass
from pathlib import Path

from chat_fixtures import Browser, eventually
from chat_process import ChatProcess
from fake_openai import FakeServer, Gate


@dataclass
class Person:
    cookie_headers: dict[str, str]


async def interrupted(browser: Browser, conversation: str, run: str, text: str) -> None:
    """What everybody sees after the interruption, however often they look."""
    _, answer = await browser.messages(conversation)
    assert (answer["status"], answer["content"]) == ("failed", text)
    assert answer["error"]["code"] == "interrupted"
    stored = (await browser.http.get(f"/api/runs/{run}")).json()
    assert (stored["status"], stored["error"]["code"]) == ("failed", "interrupted")
    last = await browser.finish(run)
    assert (last.name, last.data["error"]["code"]) == ("error", "interrupted")
    assert last.data["message"]["content"] == text


async def test_sigterm_tells_readers_and_keeps_the_text(tmp_path: Path, fake: FakeServer) -> None:
    with ChatProcess(tmp_path, fake.url) as server:
        browser = Browser(Person(server.user()), server.url)
        fake.answer("some text", Gate())
        conversation = await browser.conversation()
        run = (await browser.ask("Go.", conversation))["run"]["id"]
        seen = []
        async with browser.watch(run) as events:
            async for event in events:
                seen.append(event)
                if event.name == "delta":
                    assert server.end() < 5
        assert [event.name for event in seen] == ["message", "delta", "error"]
        assert seen[-1].data["error"]["code"] == "interrupted"
        assert server.process
        assert server.process.returncode in (0, -signal.SIGTERM)
        await eventually(fake.asked[0].closed.is_set)
        server.start()
        await interrupted(browser, conversation, run, "some text")
        assert (
            await browser.finish((await browser.ask("Again.", conversation))["run"]["id"])
        ).name == "done"
        await browser.close()


async def test_sigkill_leaves_nothing_open(tmp_path: Path, fake: FakeServer) -> None:
    with ChatProcess(tmp_path, fake.url) as server:
        browser = Browser(Person(server.user()), server.url)
        fake.answer("stored text", Gate())
        conversation = await browser.conversation()
        run = (await browser.ask("Go.", conversation))["run"]["id"]

        async def stored() -> str:
            return str((await browser.messages(conversation))[-1]["content"])

        while await stored() != "stored text":
            pass
        last_id = 0
        async with browser.watch(run) as events:
            async for event in events:
                last_id = event.id
                if event.name == "delta":
                    break
        assert server.process
        server.end(signal.SIGKILL)
        server.start()
        await interrupted(browser, conversation, run, "stored text")
        # A reader that had seen more than was stored still learns how it ended.
        for seen in (last_id, last_id + 500):
            (final,) = await browser.events(run, after=seen)
            assert final.name == "error"
            assert final.id > last_id + 500
        await browser.close()
