"""The newest state of a job is what its readers get, however slow they are."""

import pytest

from atoll_chat.jobs import log as logs
from atoll_chat.jobs.log import Event, JobLog, JobReader


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "PAUSE_SECONDS", 0.0)


async def test_a_slow_reader_gets_the_newest() -> None:
    log = JobLog()
    reader = JobReader(log)
    for number in range(1000):
        log.write("progress", {"fraction": number / 1000})
    (event,) = await reader.next(0.01)
    assert (event.id, event.data) == (1000, {"fraction": 0.999})
    assert await reader.next(0.01) == []
    assert not reader.ended


async def test_nothing_follows_the_final_event() -> None:
    log = JobLog(end=41)
    reader, late = JobReader(log), JobReader(log)
    log.write("progress", {})
    log.add(Event(43, "done", {}))
    log.write("progress", {})
    assert [event.name for event in await reader.next(0.01)] == ["done"]
    assert reader.ended
    assert not late.ended
    assert JobReader(log, after=43).ended


async def test_a_closed_log_lets_its_readers_go() -> None:
    log = JobLog()
    reader = JobReader(log)
    log.write("queued", {"position": 1})
    await reader.next(0.01)
    log.close()
    assert await reader.next(60) == []
    assert reader.ended


async def test_what_was_not_read_is_read_after_the_end() -> None:
    log = JobLog()
    reader = JobReader(log)
    log.write("done", {})
    log.close()
    assert not reader.ended
    assert [event.name for event in await reader.next(60)] == ["done"]
    assert reader.ended
