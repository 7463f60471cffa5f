"""A server that is stopped or killed while it works on a job."""

import asyncio
import signal
from dataclasses import dataclass
from pathlib import Path

from chat_fixtures import DEADLINE, eventually, parsed
from chat_process import ChatProcess
from fake_inference import Done, FakeInference, Gate, Progress
from job_fixtures import Owner


@dataclass
class Person:
    cookie_headers: dict[str, str]


def contents(folder: Path) -> int:
    return len([path for path in (folder / "files").rglob("*") if path.is_file()])


async def test_a_killed_server_takes_its_job_up_once_more(
    tmp_path: Path, inference: FakeInference
) -> None:
    with ChatProcess(tmp_path, inference.url) as server:
        ada = Owner(Person(server.user()), server.url)
        inference.answer(Progress(0.5), Gate())
        job, waiting = await ada.start(), await ada.start()
        last_id = await seen_until_half(ada, job)
        server.end(signal.SIGKILL)
        server.start()
        final = await ada.end(job)
        assert final.data["job"]["status"] == "complete"
        assert final.id > last_id
        # A reader that was there before learns how it ended.
        assert await ada.job_events(job, after=last_id) == [final]
        assert (await ada.end(waiting)).data["job"]["status"] == "complete"
        told = [asked.headers["x-request-id"] for asked in inference.asked]
        assert told == [f"{job}.1", f"{job}.2", f"{waiting}.1"]
        assert contents(tmp_path) == 4
        await ada.close()


async def test_a_job_interrupted_twice_is_given_up(
    tmp_path: Path, inference: FakeInference
) -> None:
    with ChatProcess(tmp_path, inference.url) as server:
        ada = Owner(Person(server.user()), server.url)
        inference.answer(Progress(0.5), Gate())
        inference.answer(Progress(0.5), Gate())
        job = await ada.start()
        for number in (signal.SIGTERM, signal.SIGKILL):
            await seen_until_half(ada, job)
            server.end(number)
            server.start()
        assert await ada.failure(job) == "interrupted"
        assert len(inference.asked) == 2
        assert contents(tmp_path) == 1
        await ada.close()


async def test_sigterm_lets_readers_go_and_keeps_the_job(
    tmp_path: Path, inference: FakeInference
) -> None:
    with ChatProcess(tmp_path, inference.url) as server:
        ada = Owner(Person(server.user()), server.url)
        inference.answer(Progress(0.5), Gate())
        inference.answer(Done(content=b"second time"))
        job, waiting = await ada.start(), await ada.start()
        readers = [asyncio.create_task(ada.job_events(id)) for id in (job, waiting)]
        await seen_until_half(ada, job)
        assert server.end() < 5
        for reader in readers:
            events = await reader
            assert all(event.name in ("queued", "progress") for event in events)
        await eventually(inference.asked[0].closed.is_set)
        server.start()
        result = (await ada.end(job)).data["job"]["result"]
        assert (await ada.content(result["file_id"])).content == b"second time"
        assert (await ada.end(waiting)).data["job"]["status"] == "complete"
        await ada.close()


async def seen_until_half(ada: Owner, job: str) -> int:
    """Follow the job until half of it is done; the id of that event."""
    client = await ada.live()
    async with asyncio.timeout(DEADLINE):
        async with client.stream("GET", f"/api/jobs/{job}/events") as answer:
            async for event in parsed(answer):
                if event.data.get("fraction") == 0.5:
                    return event.id
    raise AssertionError("the job did not come so far")
