"""Batches of one model: admission, bounds, failures, cancellation, deadlines."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import pytest
from linear_engine import POISON, Item, LinearEngine, item

from atoll_inference.serving.batch_lane import BatchLane, Seat
from atoll_inference.serving.caller import Caller
from atoll_inference.serving.cancel import Cancel, cancelled, shutting_down
from atoll_inference.serving.device import Device
from atoll_inference.serving.lane import Ended, LaneLimits
from atoll_inference.serving.work import Outcome
from atoll_kit.errors import ApiError, BadRequest, DeadlineExceeded, TooManyRequests, Unavailable

LIMITS = LaneLimits(queue=4, buffer_bytes=65536, slow_client_s=30, stall_s=0.3)
Make = Callable[..., BatchLane]


@pytest.fixture
def ended() -> list[Ended]:
    return []


@pytest.fixture
async def make(ended: list[Ended]) -> AsyncIterator[Make]:
    lanes: list[BatchLane] = []
    device = Device("cpu")

    def lane(engine: LinearEngine, limits: LaneLimits = LIMITS) -> BatchLane:
        made = BatchLane("linear", "test", engine, limits, ended.append, device=device)
        lanes.append(made)
        return made

    yield lane
    for one in lanes:
        one.engine.gate.set()  # type: ignore[attr-defined]
        await one.close(shutting_down(), 0)


def seat(
    lane: BatchLane,
    *,
    user: str | None = None,
    cancel: Cancel | None = None,
    seconds: float = 30,
    bulk: bool = False,
) -> Seat:
    caller = Caller("request", user=user)
    return lane.reserve(caller, cancel or Cancel(), time.monotonic() + seconds, bulk=bulk)


async def ask(lane: BatchLane, given: Item, **options: object) -> Outcome:
    place = seat(lane, **options)  # type: ignore[arg-type]
    try:
        return await place.run(lambda: given)
    finally:
        place.close()


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it did not happen")


async def test_items_share_forward_passes_and_get_their_own_answers(make: Make) -> None:
    engine = LinearEngine()
    lane = make(engine)
    engine.gate.clear()
    items = [item(*range(i, i + 1 + i % 4)) for i in range(12)]
    asked = [asyncio.create_task(ask(lane, one)) for one in items]
    await until(lambda: lane.running == 12)
    engine.gate.set()
    outcomes = await asyncio.gather(*asked)
    for one, outcome in zip(items, outcomes, strict=True):
        assert outcome.result == one.expected
    assert sum(engine.batches) == sum(len(one.vectors) for one in items)
    assert len(engine.batches) < len(items)
    assert max(engine.batches) <= engine.count


async def test_timings_add_up(make: Make) -> None:
    outcome = await ask(make(LinearEngine()), item(1))
    t = outcome.timings
    assert min(t.queue, t.preprocess, t.forward, t.postprocess) >= 0
    assert t.preprocess + t.forward + t.postprocess <= t.total < 30


async def test_a_full_queue_refuses_before_anything_is_decoded(make: Make) -> None:
    engine = LinearEngine(concurrency=2)
    lane = make(engine)
    engine.gate.clear()
    asked = [asyncio.create_task(ask(lane, item(i))) for i in range(6)]
    await until(lambda: lane.waiting == 4)
    with pytest.raises(TooManyRequests) as refusal:
        seat(lane)
    assert refusal.value.code == "queue_full"
    assert int(refusal.value.headers["Retry-After"]) >= 1
    engine.gate.set()
    assert [o.result for o in await asyncio.gather(*asked)] == [item(i).expected for i in range(6)]
    assert lane.waiting == lane.running == 0


async def test_a_poison_input_fails_alone(make: Make) -> None:
    engine = LinearEngine()
    lane = make(engine)
    engine.gate.clear()
    items = [item(POISON if i == 3 else i) for i in range(8)]
    asked = [asyncio.create_task(ask(lane, one)) for one in items]
    await until(lambda: lane.running == 8)
    engine.gate.set()
    ends = await asyncio.gather(*asked, return_exceptions=True)
    for i, end in enumerate(ends):
        if i == 3:
            assert isinstance(end, Unavailable)
            assert end.code == "engine_failed"
        else:
            assert isinstance(end, Outcome)
            assert end.result == items[i].expected
    assert (await ask(lane, item(1))).result == item(1).expected


async def test_out_of_memory_splits_the_batch_and_is_remembered(make: Make) -> None:
    engine = LinearEngine(fits=2)
    lane = make(engine)
    engine.gate.clear()
    items = [item(i) for i in range(8)]
    asked = [asyncio.create_task(ask(lane, one)) for one in items]
    await until(lambda: lane.running == 8)
    engine.gate.set()
    assert [o.result for o in await asyncio.gather(*asked)] == [i.expected for i in items]
    engine.batches.clear()
    wide = item(*range(8))
    assert (await ask(lane, wide)).result == wide.expected
    assert max(engine.batches) <= 2


async def test_what_does_not_fit_alone_is_refused(make: Make) -> None:
    with pytest.raises(Unavailable) as refusal:
        await ask(make(LinearEngine(fits=0)), item(1))
    assert refusal.value.code == "out_of_memory"


async def test_a_refused_input_says_why(make: Make) -> None:
    lane = make(LinearEngine())
    with pytest.raises(BadRequest) as refusal:
        await ask(lane, Item((), refused=True))
    assert "refused" in refusal.value.message
    assert refusal.value.param == "inputs"


async def test_a_batch_request_has_an_end_for_each_input(make: Make) -> None:
    lane = make(LinearEngine())
    place = seat(lane, bulk=True)
    given = [item(1), Item((), refused=True), item(2)]
    ends = await asyncio.gather(
        *(place.run(lambda one=one: one) for one in given),  # type: ignore[misc]
        return_exceptions=True,
    )
    place.close()
    assert isinstance(ends[0], Outcome)
    assert ends[0].result == item(1).expected
    assert isinstance(ends[1], ApiError)
    assert isinstance(ends[2], Outcome)


@pytest.mark.parametrize("stage", ["waiting", "queued", "forward"])
async def test_a_cancelled_request_ends_at_once_at_every_stage(make: Make, stage: str) -> None:
    engine = LinearEngine(concurrency=1 if stage == "waiting" else 4, count=1)
    lane = make(engine)
    engine.gate.clear()
    first = asyncio.create_task(ask(lane, item(1)))
    await until(engine.entered.is_set)
    cancel = Cancel()
    if stage == "forward":
        victim = first
        lane.abort_where(lambda _: True, cancelled())
    else:
        victim = asyncio.create_task(ask(lane, item(2), cancel=cancel))
        await until(lambda: lane.waiting + lane.running == 2)
        await asyncio.sleep(0.05)
        cancel.set(cancelled())
    with pytest.raises(ApiError) as end:
        await asyncio.wait_for(victim, 5)
    assert end.value.code == "cancelled"
    engine.gate.set()
    if stage != "forward":
        assert (await first).result == item(1).expected
    # The lane works on, and the dropped unit was not run.
    assert (await ask(lane, item(3))).result == item(3).expected
    await until(lambda: lane.running == 0)
    assert sum(engine.batches) == 2


async def test_a_deadline_ends_a_request_in_the_queue_and_on_the_device(make: Make) -> None:
    engine = LinearEngine(count=1)
    lane = make(engine)
    engine.gate.clear()
    asked = [asyncio.create_task(ask(lane, item(i), seconds=0.2)) for i in range(3)]
    ends = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(end) for end in ends] == [DeadlineExceeded] * 3
    engine.gate.set()
    assert (await ask(lane, item(5))).result == item(5).expected


async def test_every_way_is_closed(make: Make) -> None:
    engine = LinearEngine(count=1)
    lane = make(engine)
    engine.gate.clear()
    asked = [asyncio.create_task(ask(lane, item(i), seconds=0.1)) for i in range(4)]
    await asyncio.gather(*asked, return_exceptions=True)
    engine.gate.set()
    await ask(lane, item(1))
    await until(lambda: engine.closed_ways == 5)


async def test_a_stuck_forward_pass_is_noticed(make: Make) -> None:
    engine = LinearEngine()
    lane = make(engine)
    assert lane.progressing
    engine.gate.clear()
    asked = asyncio.create_task(ask(lane, item(1)))
    await until(lambda: not lane.progressing)
    engine.gate.set()
    await asked
    assert lane.progressing


async def test_closing_finishes_what_is_inside_and_refuses_the_rest(make: Make) -> None:
    engine = LinearEngine()
    lane = make(engine)
    engine.gate.clear()
    inside = asyncio.create_task(ask(lane, item(1)))
    await until(engine.entered.is_set)
    closing = asyncio.create_task(lane.close(shutting_down(), 30))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        seat(lane)
    engine.gate.set()
    assert (await inside).result == item(1).expected
    assert await closing


async def test_closing_in_mid_batch_answers_everyone(make: Make) -> None:
    engine = LinearEngine(count=1)
    lane = make(engine)
    engine.gate.clear()
    asked = [asyncio.create_task(ask(lane, item(i))) for i in range(4)]
    await until(lambda: lane.running == 4)
    closing = asyncio.create_task(lane.close(shutting_down(), 0.1))
    ends = await asyncio.gather(*asked, return_exceptions=True)
    assert {getattr(end, "code", None) for end in ends} == {"interrupted"}
    engine.gate.set()
    assert await closing


async def test_two_models_share_their_device(make: Make) -> None:
    slow, quick = LinearEngine(count=1), LinearEngine(count=1)
    lanes = make(slow), make(quick)
    many = [asyncio.create_task(ask(lanes[0], item(i), bulk=True)) for i in range(10)]
    one = await ask(lanes[1], item(3))
    assert one.result == item(3).expected
    await asyncio.gather(*many)


async def test_usage_is_told_once_a_request(make: Make, ended: list[Ended]) -> None:
    lane = make(LinearEngine())
    await ask(lane, item(1), user="ada")
    with pytest.raises(BadRequest):
        await ask(lane, Item((), refused=True), user="ada")
    assert [(e.model, e.slot, e.caller.user, e.worked) for e in ended] == [
        ("linear", "test", "ada", True)
    ] * 2


async def test_random_ends_leave_nothing_behind(make: Make) -> None:
    """Cancellations, poison and deadlines at once: everyone is answered, nobody wrongly."""
    engine = LinearEngine(count=5, fits=3)
    lane = make(engine, LaneLimits(queue=500, buffer_bytes=1, slow_client_s=1, stall_s=60))

    async def one(i: int) -> None:
        cancel = Cancel()
        given = item(*([POISON] if i % 17 == 0 else range(i, i + i % 5 + 1)))
        if i % 7 == 0:
            asyncio.get_running_loop().call_later(0.001 * (i % 20), cancel.set, cancelled())
        try:
            outcome = await ask(lane, given, cancel=cancel, bulk=i % 2 == 0)
        except ApiError as error:
            assert (i % 17 == 0 and error.code == "engine_failed") or error.code == "cancelled"
            assert i % 17 == 0 or i % 7 == 0
        else:
            assert outcome.result == given.expected

    await asyncio.gather(*(one(i) for i in range(400)))
    await until(lambda: lane.running == 0 and lane.waiting == 0)
