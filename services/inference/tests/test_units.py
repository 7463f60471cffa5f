"""Which units share a forward pass."""

import asyncio

import pytest

from atoll_inference.engines.base import BatchLimits, Unit
from atoll_inference.serving.units import SINGLES_IN_A_ROW, Group, UnitQueue

LIMITS = BatchLimits(count=4, size=400)


@pytest.fixture
async def queue() -> UnitQueue:
    return UnitQueue()


def group(*sizes: int) -> Group:
    return Group([Unit(None, size) for size in sizes], asyncio.get_running_loop().create_future())


def put(queue: UnitQueue, *sizes: int, bulk: bool = False) -> Group:
    made = group(*sizes)
    queue.put(made, bulk=bulk, now=0.0)
    return made


def sizes(queue: UnitQueue, limits: BatchLimits = LIMITS) -> list[int]:
    return [waiting.unit.size for waiting in queue.take(limits)]


async def test_a_batch_is_bounded_by_count(queue: UnitQueue) -> None:
    put(queue, 1, 1, 1, 1, 1)
    assert sizes(queue) == [1, 1, 1, 1]
    assert sizes(queue) == [1]
    assert sizes(queue) == []


async def test_a_batch_is_bounded_by_its_padded_size(queue: UnitQueue) -> None:
    put(queue, 190)
    put(queue, 110)
    put(queue, 200)
    put(queue, 180)
    assert sizes(queue) == [190, 200]
    assert sizes(queue) == [110, 180]


async def test_a_unit_over_the_bound_runs_alone(queue: UnitQueue) -> None:
    put(queue, 500)
    put(queue, 5)
    assert sizes(queue) == [500]
    assert sizes(queue) == [5]


async def test_the_longest_waiting_is_always_taken(queue: UnitQueue) -> None:
    put(queue, 300)
    for _ in range(20):
        put(queue, 10)
    assert sizes(queue) == [300]


async def test_similar_sizes_share_a_batch(queue: UnitQueue) -> None:
    roomy = BatchLimits(count=40, size=4000)
    for size in (990, 7, 980, 9, 985, 8):
        put(queue, size)
    assert [waiting.unit.size for waiting in queue.take(roomy)] == [980, 985, 990]
    assert [waiting.unit.size for waiting in queue.take(roomy)] == [7, 8, 9]


async def test_short_ones_share_a_batch_whatever_the_difference(queue: UnitQueue) -> None:
    for size in (7, 80, 30):
        put(queue, size)
    assert sizes(queue) == [7, 30, 80]


async def test_singles_go_before_bulk_and_do_not_starve_it(queue: UnitQueue) -> None:
    bulk = put(queue, *([50] * 4), bulk=True)
    one = BatchLimits(count=1, size=400)
    order = []
    for _ in range(2 * (SINGLES_IN_A_ROW + 1)):
        put(queue, 50)
        order.append("bulk" if queue.take(one)[0].group is bulk else "single")
    assert order == (["single"] * SINGLES_IN_A_ROW + ["bulk"]) * 2


async def test_bulk_fills_what_singles_leave_free(queue: UnitQueue) -> None:
    put(queue, 10)
    put(queue, 10, 10, 10, 10, bulk=True)
    assert len(sizes(queue)) == 4


async def test_what_nobody_waits_for_is_not_run(queue: UnitQueue) -> None:
    gone = put(queue, 10, 10)
    put(queue, 20)
    gone.dropped = True
    assert sizes(queue) == [20]


async def test_a_group_can_be_taken_out(queue: UnitQueue) -> None:
    gone = put(queue, 10, 10)
    put(queue, 20)
    queue.forget(gone)
    assert len(queue) == 1


async def test_nothing_is_lost(queue: UnitQueue) -> None:
    groups = [put(queue, *range(1, 1 + n), bulk=n % 3 == 0) for n in range(1, 30)]
    seen: set[tuple[int, int]] = set()
    while batch := queue.take(LIMITS):
        for waiting in batch:
            key = (id(waiting.group), waiting.index)
            assert key not in seen
            seen.add(key)
    assert len(seen) == sum(len(g.units) for g in groups)
    assert len(queue) == 0
