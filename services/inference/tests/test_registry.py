"""Loading, unloading and making room, with real engines."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest

from atoll_inference.catalog.discovery import Discovery
from atoll_inference.engines.base import StreamingEngine
from atoll_inference.engines.factory import SERVED, Wishes, build_engine
from atoll_inference.engines.runtime import Runtime
from atoll_inference.serving.cancel import shutting_down
from atoll_inference.serving.lane import LaneLimits
from atoll_inference.serving.registry import Registry
from atoll_kit.errors import NotFound, Unavailable

STARTER = "smollm2-135m-instruct"
Make = Callable[..., Registry]


@pytest.fixture
async def make(own_models: Path) -> AsyncIterator[Make]:
    made: list[Registry] = []

    def registry(budget: int = 0) -> Registry:
        limits = LaneLimits(queue=4, buffer_bytes=65536, slow_client_s=30, stall_s=60)
        runtime = Runtime(device="cpu", threads=1)
        build = partial(build_engine, runtime=runtime, wishes=Wishes(context=256, parallel=1))
        made.append(
            Registry(
                Discovery(own_models, SERVED).scan,
                build,
                limits=limits,
                memory_budget=budget,
                on_end=lambda ended: None,
                remedy=lambda slot: "Run `make models-starter`.",
            )
        )
        return made[-1]

    yield registry
    for one in made:
        await one.shutdown(shutting_down())


def add_second(models: Path) -> None:
    shutil.copytree(models / "chat" / STARTER, models / "chat" / "second", symlinks=True)


async def estimate(registry: Registry) -> int:
    model = await registry.find(STARTER)
    await registry.load(model)
    assert isinstance(model.engine, StreamingEngine)
    needed = model.engine.bytes_estimate()
    await registry.unload(model)
    return needed


async def test_many_waiters_share_one_load(make: Make) -> None:
    registry = make()
    model = await registry.find(STARTER)
    stages: list[list[str]] = [[], [], []]

    def watch(told: list[str]) -> Callable[[float, str], None]:
        return lambda fraction, stage: told.append(stage)

    loads = [asyncio.create_task(registry.load(model, watch(told))) for told in stages]
    await asyncio.gather(*loads)
    assert model.state == "ready"
    for told in stages:
        # A second load would tell each stage twice.
        assert told.count("preparing weights") == 1


async def test_a_waiter_that_gives_up_does_not_end_the_load(make: Make) -> None:
    registry = make()
    model = await registry.find(STARTER)
    first = asyncio.create_task(registry.load(model))
    second = asyncio.create_task(registry.load(model))
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert model.state == "ready"


async def test_unloading_frees_the_budget_and_loading_again_works(make: Make) -> None:
    registry = make()
    model = await registry.find(STARTER)
    for _ in range(3):
        await registry.load(model)
        assert registry.bytes_loaded() > 0
        await registry.unload(model)
        assert (registry.bytes_loaded(), model.state) == (0, "available")


async def test_the_least_recently_used_model_makes_room(make: Make, own_models: Path) -> None:
    needed = await estimate(make())
    add_second(own_models)
    registry = make(budget=int(needed * 1.5))
    async with registry.use(STARTER) as first:
        pass
    async with registry.use("second"):
        assert first.state == "available"


async def test_a_model_in_use_is_never_evicted(make: Make, own_models: Path) -> None:
    needed = await estimate(make())
    add_second(own_models)
    registry = make(budget=int(needed * 1.5))
    async with registry.use(STARTER) as held:
        with pytest.raises(Unavailable) as refused:
            async with registry.use("second"):
                pass
        assert refused.value.code == "memory_budget"
        assert held.state == "ready"
    # The refusal was about the moment, not about the model.
    async with registry.use("second") as second:
        assert second.state == "ready"


async def test_a_model_that_vanished_is_named_and_the_service_goes_on(
    make: Make, own_models: Path
) -> None:
    registry = make()
    model = await registry.find(STARTER)
    shutil.rmtree(own_models / "chat" / STARTER)
    with pytest.raises(Unavailable, match="is gone"):
        await registry.load(model)
    await registry.refresh()
    with pytest.raises(Unavailable) as refused:
        await registry.find(None)
    assert refused.value.code == "model_not_installed"
    assert "make models-starter" in refused.value.message
    with pytest.raises(NotFound):
        await registry.find("nobody")


async def test_a_repaired_file_is_noticed_without_a_restart(
    make: Make, own_models: Path, starter: Path
) -> None:
    path = own_models / "chat" / STARTER / starter.name
    path.unlink()
    path.write_bytes(starter.read_bytes()[:1_000_000])
    registry = make()
    broken = await registry.find(STARTER)
    assert broken.state == "failed"
    assert str(path) in str(broken.problem)
    path.unlink()
    path.symlink_to(starter)
    started = time.monotonic()
    async with registry.use(STARTER) as model:
        assert model.state == "ready"
    assert time.monotonic() - started < 60
