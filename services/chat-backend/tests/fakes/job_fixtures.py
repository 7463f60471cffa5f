"""Fixtures of the job tests: a backend before a fake inference, and people who start jobs."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from chat_fixtures import DEADLINE, Browser, Seen, parsed
from fake_inference import FakeInference


class Owner(Browser):
    """Somebody who uploads files and starts jobs on them."""

    async def upload(
        self, content: bytes = b"input", name: str = "holiday.mp4", kind: str = "video/mp4"
    ) -> str:
        """The id of a stored file."""
        answer = await self.http.post("/api/files", files={"file": (name, content, kind)})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def post(self, file: str, task: str = "video_enhancement", **more: Any) -> httpx.Response:
        """POST a job."""
        body = {"task": task, "input": {"file_id": file}, **more}
        return await self.http.post("/api/jobs", json=body)

    async def start(self, file: str | None = None, *given: Any, **more: Any) -> str:
        """The id of a job that must be accepted."""
        answer = await self.post(file or await self.upload(), *given, **more)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["job"]["id"])

    async def job(self, id: str) -> dict[str, Any]:
        """The job as it is stored."""
        answer = await self.http.get(f"/api/jobs/{id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def until(self, id: str, status: str) -> dict[str, Any]:
        """The job once it has this status."""
        async with asyncio.timeout(DEADLINE):
            while (found := await self.job(id))["status"] != status:
                assert found["status"] in ("queued", "running"), found
                await asyncio.sleep(0.01)
        return found

    async def job_events(self, id: str, after: int | None = None) -> list[Seen]:
        """All events until the stream ends, which they do within the deadline."""
        headers = {} if after is None else {"Last-Event-ID": str(after)}
        client = await self.live()
        async with asyncio.timeout(DEADLINE):
            async with client.stream("GET", f"/api/jobs/{id}/events", headers=headers) as answer:
                assert answer.status_code == 200, await answer.aread()
                return [event async for event in parsed(answer)]

    async def end(self, id: str) -> Seen:
        """The final event of a job, which is the only one of its kind."""
        events = await self.job_events(id)
        finals = [event.name for event in events if event.name in ("done", "error")]
        assert finals == [events[-1].name], events
        return events[-1]

    async def failure(self, id: str) -> str:
        """The code with which a job failed, as all say it."""
        final = await self.end(id)
        assert final.name == "error", final
        stored = await self.job(id)
        assert final.data["job"] == stored
        assert stored["status"] == "failed"
        assert stored["result"] is None
        assert final.data["error"] == stored["error"]
        assert stored["error"]["message"]
        return str(stored["error"]["code"])

    async def files(self) -> list[dict[str, Any]]:
        """Every stored file, the newest first."""
        return list((await self.http.get("/api/files")).json()["items"])

    async def content(self, file: str) -> httpx.Response:
        """The bytes of a file."""
        return await self.http.get(f"/api/files/{file}/content")


def on_disk(atoll: Any) -> list[Path]:
    """Every content in the store, the unfinished ones included."""
    return [path for path in atoll.settings.files_dir.rglob("*") if path.is_file()]


@pytest.fixture
def inference() -> Iterator[FakeInference]:
    """An inference service that does as it is told."""
    server = FakeInference().start()
    yield server
    server.stop()


@pytest.fixture
async def atoll(start: Any, inference: FakeInference) -> Any:
    """A running backend in front of the fake inference."""
    return await start(inference_url=inference.url)


@pytest.fixture
async def ada(atoll: Any) -> AsyncIterator[Owner]:
    """Ada, signed in."""
    owner = Owner(await atoll.user("ada"))
    yield owner
    await owner.close()


@pytest.fixture
async def grace(atoll: Any) -> AsyncIterator[Owner]:
    """Grace, signed in; a stranger to Ada."""
    owner = Owner(await atoll.user("grace"))
    yield owner
    await owner.close()
