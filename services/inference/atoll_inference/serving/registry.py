"""The owner of models: what is loaded, what may be, and what has to go to make room.

A model is loaded by one task however many wait for it. While anyone uses it, it is never unloaded
to make room.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from atoll_inference.catalog.checkpoint import Checkpoint
from atoll_inference.catalog.families import INTERNAL_SLOTS, SLOTS
from atoll_inference.engines.base import BatchEngine, Engine, EngineError, StreamingEngine
from atoll_inference.serving.batch_lane import BatchLane
from atoll_inference.serving.device import Device
from atoll_inference.serving.lane import Lane, LaneLimits, OnEnd
from atoll_inference.serving.memory import give_back_freed, measure
from atoll_inference.serving.model import Model, OnProgress
from atoll_inference.serving.stream_lane import StreamLane
from atoll_kit.errors import ApiError, BadRequest, NotFound, Unavailable
from atoll_kit.logs import get_logger

log = get_logger(__name__)

Scan = Callable[[], Sequence[Checkpoint]]
Build = Callable[[Checkpoint], Engine]
Remedy = Callable[[str], str]

LOAD_WAIT_S = 60.0
"""A request that finds its model loading waits this long before it is told to come back."""

UNLOAD_GRACE_S = 30.0
"""Requests inside a model that is being unloaded may finish within this time."""

ALIASES = {
    "default": "chat",
    "whisper-1": "speech_recognition",
    "text-embedding-ada-002": "text_embedding",
    "text-embedding-3-small": "text_embedding",
    "text-embedding-3-large": "text_embedding",
}
"""Names that OpenAI clients send, and the slot whose default model they mean."""


class Registry:
    """Models by name.

    Args:
        scan: looks at the models folder; blocking.
        build: makes the engine of a checkpoint, not loaded yet.
        limits: of every lane.
        memory_budget: bytes that all loaded models may take together by their estimates; 0 sets
            no limit.
        on_end: told of every request that ended.
        remedy: how to fill a slot, for the message when it is empty.
    """

    def __init__(
        self,
        scan: Scan,
        build: Build,
        *,
        limits: LaneLimits,
        memory_budget: int,
        on_end: OnEnd,
        remedy: Remedy,
    ) -> None:
        self._scan = scan
        self._build = build
        self._limits = limits
        self._budget = memory_budget
        self._on_end = on_end
        self._remedy = remedy
        self._models: dict[str, Model] = {}
        self._helpers: list[Model] = []
        self._devices: dict[str, Device] = {}
        self._room = asyncio.Lock()
        self._refreshing = asyncio.Lock()

    @property
    def models(self) -> list[Model]:
        """Every known model, in the order of the last scan."""
        return list(self._models.values())

    @property
    def helpers(self) -> list[Model]:
        """Checkpoints of internal slots at the last scan; the engines that need them load them."""
        return list(self._helpers)

    def default(self, slot: str = "chat") -> Model | None:
        """The model of `slot` for requests that name none: the first that can be served."""
        found = [m for m in self._models.values() if m.checkpoint.slot == slot]
        usable = [m for m in found if m.lane or (m.problem is None and m.state != "failed")]
        return next(iter(usable or found), None)

    async def refresh(self) -> None:
        """Look at the models folder again. A failed model whose files changed may be tried anew."""
        async with self._refreshing:
            scanned = await asyncio.to_thread(self._scan)
        found = {c.id: c for c in scanned if c.slot not in INTERNAL_SLOTS}
        self._helpers = [
            Model(c, "failed" if c.problem else "available", c.problem)
            for c in scanned
            if c.slot in INTERNAL_SLOTS
        ]
        kept = {
            m.id: m
            for m in self._models.values()
            if m.id not in found and m.state in ("ready", "loading")
        }
        fresh: dict[str, Model] = {}
        for name, checkpoint in found.items():
            model = self._models.get(name) or Model(checkpoint)
            changed = checkpoint.fingerprint != model.checkpoint.fingerprint
            if model.state in ("available", "failed") and (changed or name not in self._models):
                model.checkpoint = checkpoint
                model.problem = checkpoint.problem
                model.state = "failed" if checkpoint.problem else "available"
            fresh[name] = model
        self._models = {**fresh, **kept}

    async def find(self, name: str | None, slot: str | None = None) -> Model:
        """The model of that name, alias or slot; None is the default of `slot`.

        Args:
            slot: what the model has to be for; None takes any, and chat when `name` is None.

        Raises:
            NotFound: `model_not_found`.
            BadRequest: `wrong_model`, it is for another purpose.
            Unavailable: `model_not_installed`, the slot has no model at all.
        """
        model = self.peek(name, slot)
        if model is None or model.state != "ready":
            await self.refresh()
            model = self.peek(name, slot)
        if model is not None:
            if slot is not None and model.checkpoint.slot != slot:
                raise BadRequest(
                    f"{model.id} is for {model.checkpoint.slot}, and this request needs a model "
                    f"for {slot}. Leave `model` out to get the default one.",
                    code="wrong_model",
                    param="model",
                )
            return model
        empty = _slot_of(name, slot)
        if empty is not None:
            raise Unavailable(
                f"No model for {empty} is installed. {self._remedy(empty)}",
                code="model_not_installed",
            )
        raise NotFound(
            f"There is no model {name!r}. GET /v1/models lists the models of this service.",
            code="model_not_found",
            param="model",
        )

    def peek(self, name: str | None, slot: str | None = None) -> Model | None:
        """The model as it was at the last scan, without looking at the disk."""
        if name is not None and name in self._models:
            return self._models[name]
        meant = _slot_of(name, slot)
        return None if meant is None else self.default(meant)

    @asynccontextmanager
    async def use(self, name: str | None, slot: str | None = None) -> AsyncIterator[Model]:
        """Hold a model that is ready; it is loaded first when it is not.

        Raises:
            NotFound: `model_not_found`.
            BadRequest: `wrong_model`.
            Unavailable: `model_not_installed`, `model_loading` (with Retry-After) or
                `model_failed` with the reason.
        """
        model = await self.find(name, slot)
        model.refs += 1
        try:
            if model.state != "ready":
                if model.state == "failed":
                    raise Unavailable(
                        f"{model.id} cannot be served: {model.problem}", code="model_failed"
                    )
                await self._await_load(model)
            if model.lane is None:  # unloaded again while this request waited for its turn
                raise _loading(model)
            yield model
        finally:
            model.refs -= 1
            model.last_used = time.monotonic()

    async def _await_load(self, model: Model) -> None:
        try:
            async with asyncio.timeout(LOAD_WAIT_S):
                await self.load(model)
        except TimeoutError:
            raise _loading(model) from None

    async def load(self, model: Model, on_progress: OnProgress | None = None) -> None:
        """Load `model`; returns when it is ready. All callers share one load.

        Raises:
            Unavailable: `model_failed` with the reason, or `memory_budget`.
        """
        if on_progress is not None:
            model.watchers.append(on_progress)
        try:
            if model.loading is None:
                if model.state == "ready":
                    return
                model.loading = asyncio.create_task(self._load(model))
            # A waiter that goes away must not end the load of the others.
            await asyncio.shield(model.loading)
        finally:
            if on_progress is not None:
                model.watchers.remove(on_progress)

    async def _load(self, model: Model) -> None:
        try:
            async with model.lock:
                await self._load_locked(model)
        finally:
            model.loading = None

    async def _load_locked(self, model: Model) -> None:
        loop = asyncio.get_running_loop()

        def progress(fraction: float, stage: str) -> None:
            loop.call_soon_threadsafe(_tell, list(model.watchers), fraction, stage)

        model.state, model.problem = "loading", None
        started = time.monotonic()
        log.info("model_loading", model=model.id)
        engine: Engine | None = None
        before = measure()
        try:
            engine = await asyncio.to_thread(self._prepare, model)
            # One load at a time, so that two loads cannot both count on the same free bytes.
            async with self._room:
                await self._make_room(engine.bytes_estimate(), model)
                before = await asyncio.to_thread(measure)
                await asyncio.to_thread(engine.load, progress)
                model.engine = engine
            progress(0.95, "warming up")
            await asyncio.to_thread(engine.warmup)
        except (EngineError, ApiError, OSError) as error:
            model.engine = None
            if engine is not None:
                await asyncio.to_thread(engine.unload)
                del engine
                await asyncio.to_thread(give_back_freed)
            # Too little memory now says nothing about the model: it stays available.
            temporary = isinstance(error, ApiError)
            model.state = "available" if temporary else "failed"
            model.problem = None if temporary else str(error)
            log.error("model_failed", model=model.id, error=str(error))
            if isinstance(error, ApiError):
                raise
            raise Unavailable(
                f"{model.id} cannot be served: {error}", code="model_failed"
            ) from error
        except BaseException as error:
            model.state, model.engine, model.problem = "failed", None, repr(error)
            log.error("model_failed", model=model.id, exc_info=error)
            raise
        model.lane = self._lane(model, engine)
        model.memory = await asyncio.to_thread(lambda: measure() - before)
        model.state = "ready"
        model.last_used = time.monotonic()
        progress(1.0, "ready")
        log.info(
            "model_ready",
            model=model.id,
            seconds=round(time.monotonic() - started, 2),
            host_mib=_mib(model.memory.host),
            device_mib=_mib(model.memory.device),
        )

    def _lane(self, model: Model, engine: Engine) -> Lane:
        slot = model.checkpoint.slot
        if isinstance(engine, StreamingEngine):
            return StreamLane(model.id, slot, engine, self._limits, self._on_end)
        assert isinstance(engine, BatchEngine)
        device = self._devices.setdefault(engine.device, Device(engine.device))
        return BatchLane(model.id, slot, engine, self._limits, self._on_end, device=device)

    def _prepare(self, model: Model) -> Engine:
        """Look at the files once more, so that damage since the last scan is named; blocking."""
        current = next((c for c in self._scan() if c.id == model.id), None)
        if current is None:
            raise EngineError(f"{model.checkpoint.path} is gone. Put it back, or fetch it again.")
        model.checkpoint = current
        if current.problem is not None:
            raise EngineError(current.problem)
        return self._build(current)

    async def _make_room(self, needed: int, model: Model) -> None:
        if not self._budget:
            return
        while needed > (free := self._budget - self.bytes_loaded()):
            idle = [m for m in self._models.values() if m.state == "ready" and not m.refs]
            if not idle or needed > self._budget:
                raise Unavailable(
                    f"{model.id} needs about {_mib(needed)} MiB, and {_mib(max(0, free))} of the "
                    f"{_mib(self._budget)} MiB in MEMORY_BUDGET are free. Unload a model, or raise "
                    "the budget.",
                    code="memory_budget",
                    retry_after=None if needed > self._budget else 10,
                )
            victim = min(idle, key=lambda m: m.last_used)
            log.info("model_evicted", model=victim.id, wanted_by=model.id)
            await self.unload(victim)

    def bytes_loaded(self) -> int:
        """Estimated bytes of every loaded model together."""
        return sum(m.engine.bytes_estimate() for m in self._models.values() if m.engine)

    async def unload(self, model: Model) -> None:
        """Let running requests finish, then free the model. Harmless when it is not loaded."""
        async with model.lock:
            lane, engine = model.lane, model.engine
            if lane is None or engine is None:
                return
            going = Unavailable(
                f"{model.id} is being unloaded. Try again in a moment.",
                code="model_loading",
                retry_after=5,
            )
            # From here on a request finds the model not ready and waits for a load, which waits
            # for this lock.
            model.state, model.lane = "available", None
            if not await lane.close(going, UNLOAD_GRACE_S):
                model.state, model.lane = "failed", None
                model.problem = "the engine is stuck; restart the inference service"
                log.error("engine_stuck", model=model.id)
                return
            before = await asyncio.to_thread(measure)
            await asyncio.to_thread(engine.unload)
            model.engine = model.memory = None
            del engine, lane
            await asyncio.to_thread(give_back_freed)
            after = await asyncio.to_thread(measure)
            log.info(
                "model_unloaded",
                model=model.id,
                host_mib_before=_mib(before.host),
                host_mib_after=_mib(after.host),
                device_mib_before=_mib(before.device),
                device_mib_after=_mib(after.device),
            )

    async def shutdown(self, error: ApiError) -> bool:
        """End every request with `error` and unload everything; False when an engine is stuck."""
        tasks = [m.loading for m in self._models.values() if m.loading]
        for task in tasks:
            with suppress(Exception, asyncio.CancelledError):
                async with asyncio.timeout(3):
                    await asyncio.shield(task)
        clean = True
        for model in self._models.values():
            if model.lane is not None and model.engine is not None:
                if await model.lane.close(error, 0):
                    await asyncio.to_thread(model.engine.unload)
                else:
                    clean = False
        return clean


def _slot_of(name: str | None, slot: str | None) -> str | None:
    """The slot whose default is meant; None when `name` names a model."""
    if name is None:
        return slot or "chat"
    if name == "default" and slot is not None:
        return slot
    return name if name in SLOTS else ALIASES.get(name)


def _tell(watchers: Sequence[OnProgress], fraction: float, stage: str) -> None:
    for watcher in watchers:
        watcher(fraction, stage)


def _loading(model: Model) -> Unavailable:
    return Unavailable(
        f"{model.id} is still loading. Try again in a moment.",
        code="model_loading",
        retry_after=5,
    )


def _mib(count: int) -> int:
    return round(count / 1024 / 1024)
