"""The real inference service and a real model behind the backend."""

import asyncio
import signal
from pathlib import Path

import pytest
from chat_fixtures import Browser
from inference_process import InferenceProcess, why_not

from atoll_chat.models.selftest import selftest

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
LONG = "Write a very long story about a lighthouse keeper and the sea."


async def test_a_real_conversation(start, tmp_path: Path) -> None:
    service = InferenceProcess(tmp_path / "inference")
    chat = await start(inference_url=service.url, internal_token=service.token)
    ada = Browser(await chat.user())
    service.start(chat_backend_url=await chat.serve())
    try:
        tested = await selftest(chat.backend.upstream, chat.backend.models)
        assert "Paris" in tested.answer

        # One answer after the other in one conversation.
        conversation = await ada.conversation()
        final = await ada.finish(
            (await ada.ask("What is the capital of France?", conversation))["run"]["id"]
        )
        message = final.data["message"]
        assert final.name == "done"
        assert "Paris" in message["content"]
        assert message["usage"]["prompt_tokens"] > 5
        assert message["usage"]["completion_tokens"] > 1

        # Stopped in mid-answer.
        run = (await ada.ask(LONG))["run"]["id"]
        async with ada.watch(run) as events:
            async for seen in events:
                if seen.name == "delta":
                    break
            stopped = await ada.http.post(f"/api/runs/{run}/cancel")
        assert stopped.json()["status"] == "stopped"

        # Longer than the context.
        final = await ada.finish((await ada.ask("far " * 3000))["run"]["id"])
        assert final.data["error"]["code"] == "context_length_exceeded"

        # Killed in mid-answer: the text stays, and the next answer works once it is back.
        conversation = await ada.conversation()
        run = (await ada.ask(LONG, conversation))["run"]["id"]
        async with ada.watch(run) as events:
            async for seen in events:
                if seen.name == "delta":
                    service.end(signal.SIGKILL)
        assert seen.name == "error"
        assert seen.data["error"]["code"] == "upstream_unavailable"
        assert seen.data["message"]["content"]
        service.start(chat_backend_url=await chat.serve())
        final = await ada.finish((await ada.ask("And in one word?", conversation))["run"]["id"])
        assert final.name == "done"

        # What it reported for Ada, in its own time.
        async with asyncio.timeout(60):
            while not (used := (await ada.http.get("/api/usage")).json()["items"]):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert used[0]["completion_tokens"] > 0
    finally:
        service.end()
        await ada.close()
