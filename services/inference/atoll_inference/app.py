"""Puts the service together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import cast

from fastapi import FastAPI
from starlette.types import ASGIApp

from atoll_inference import __version__
from atoll_inference.api import (
    chat,
    embeddings,
    health,
    inference,
    internal,
    models,
    ocr,
    overview,
    repository,
    rerank,
    transcriptions,
)
from atoll_inference.api.results import ResultStore
from atoll_inference.api.slots import PATHS, EmptySlots
from atoll_inference.api.sources import Sources
from atoll_inference.api.state import State
from atoll_inference.catalog.checkpoint import Checkpoint
from atoll_inference.catalog.discovery import Discovery
from atoll_inference.catalog.slots import find_catalog, read_catalog
from atoll_inference.engines.base import Dtype, Engine
from atoll_inference.engines.cpus import usable_cpus
from atoll_inference.engines.factory import SERVED, Wishes, build_engine, find_detector
from atoll_inference.engines.runtime import Runtime
from atoll_inference.serving.cancel import shutting_down
from atoll_inference.serving.client import LocalClient
from atoll_inference.serving.lane import Ended, LaneLimits
from atoll_inference.serving.readiness import Preload
from atoll_inference.serving.registry import Registry
from atoll_inference.settings import Settings, value_for
from atoll_inference.usage import UsageItem, UsageReporter, now
from atoll_kit.app import create_app as create_service
from atoll_kit.body import BodyAdmissionMiddleware
from atoll_kit.internal import InternalTokenMiddleware
from atoll_kit.logs import get_logger
from atoll_kit.watchdog import watchdog

log = get_logger(__name__)

OPEN_PATHS = frozenset({"/v2/health/live", "/v2/health/ready"})
"""What a probe may ask without the internal token."""

MEDIA_PATHS = frozenset(PATHS) - {"/v1/embeddings", "/v1/rerank", "/v2/rerank", "/rerank"}
"""Routes whose body may hold a recording, a picture or a video."""


def create_app(settings: Settings) -> FastAPI:
    """The service as an ASGI application. Models are loaded after it has started.

    Raises:
        BadCatalog: the model catalog cannot be read.
    """
    catalog = read_catalog(find_catalog(settings.models_dir, settings.model_catalog))
    reporter: list[UsageReporter] = []

    def on_end(ended: Ended) -> None:
        if reporter and (item := _usage_item(ended)) is not None:
            reporter[0].add(item)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        model_path = settings.model_path if settings.use_host_model else None
        discovery = Discovery(settings.models_dir, SERVED, model_path)
        registry = Registry(
            discovery.scan,
            partial(_build, settings, discovery),
            limits=LaneLimits(
                queue=settings.queue_limit,
                buffer_bytes=settings.output_buffer_bytes,
                slow_client_s=settings.slow_client_seconds,
                stall_s=settings.stall_seconds,
            ),
            memory_budget=settings.memory_budget,
            on_end=on_end,
            remedy=partial(catalog.remedy, has_engine=True),
        )
        client = LocalClient(registry)
        preload = Preload(registry, settings.preload_names)
        results = ResultStore(settings.spool_dir)
        await asyncio.to_thread(results.open)
        sources = Sources(settings)
        app.state.service = State(
            settings=settings,
            catalog=catalog,
            served=frozenset(slot for slot, _ in SERVED),
            registry=registry,
            client=client,
            preload=preload,
            sources=sources,
            results=results,
        )
        app.state.end_generations = lambda: client.close(shutting_down())
        tasks = [asyncio.create_task(preload.run())]
        if settings.chat_backend_url:
            reporter.append(UsageReporter(settings.chat_backend_url, settings.internal_token))
            tasks.append(asyncio.create_task(reporter[0].run()))
        try:
            async with watchdog(settings.watchdog_seconds, lambda: preload.stalled() is None):
                yield
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task
            app.state.clean_shutdown = await registry.shutdown(shutting_down())
            if reporter:
                await reporter[0].flush()

    def guard(app: ASGIApp) -> ASGIApp:
        return InternalTokenMiddleware(
            app, token=settings.internal_token, is_open=OPEN_PATHS.__contains__
        )

    def admit(app: ASGIApp) -> ASGIApp:
        return BodyAdmissionMiddleware(
            app,
            max_bytes=lambda path: (
                settings.max_media_bytes if path in MEDIA_PATHS else settings.max_body_bytes
            ),
            inflight_bytes=settings.max_inflight_body_bytes,
        )

    app = create_service(
        "Atoll inference",
        version=__version__,
        lifespan=lifespan,
        inner=[guard, partial(EmptySlots, catalog=catalog), admit],
    )
    modules = (
        chat, embeddings, rerank, transcriptions, ocr, inference, models, overview, health,
        repository, internal,
    )  # fmt: skip
    for module in modules:
        app.include_router(module.router)
    return app


def _build(settings: Settings, discovery: Discovery, checkpoint: Checkpoint) -> Engine:
    names = (checkpoint.id, checkpoint.slot)
    runtime = Runtime(
        device=value_for(settings.device, *names),
        dtype=cast(Dtype, value_for(settings.dtype, *names)),
        threads=settings.threads or usable_cpus(),
        cache_dir=settings.cache_dir,
    )
    wishes = Wishes(
        context=settings.chat_context,
        parallel=settings.chat_parallel,
        detector=partial(find_detector, discovery),
    )
    return build_engine(checkpoint, runtime, wishes)


def _usage_item(ended: Ended) -> UsageItem | None:
    caller = ended.caller
    if caller.user is None or not ended.worked:
        return None
    return UsageItem(
        request_id=caller.request_id,
        user=caller.user,
        key=caller.key,
        model=ended.model,
        kind=ended.slot,
        prompt_tokens=ended.input_tokens,
        completion_tokens=ended.output_tokens,
        seconds=round(ended.seconds, 3),
        created_at=now(),
    )
