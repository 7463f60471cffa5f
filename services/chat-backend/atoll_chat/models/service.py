"""Which models there are, and which one a request means."""

import asyncio
import time
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from atoll_chat.models.schemas import CardText, Model, SlotList
from atoll_chat.settings import Settings
from atoll_chat.upstream import Upstream
from atoll_chat.upstream_errors import not_understood
from atoll_kit.errors import ApiError, NotFound, Unavailable
from atoll_kit.logs import get_logger

log = get_logger(__name__)

Shape = TypeVar("Shape", bound=BaseModel)

FRESH_SECONDS = 2.0
CHAT_KINDS = ("chat", "vision_language")
_STATES = ("available", "loading", "ready", "failed")


class ModelsService:
    """The models of inference and the configured upstream.

    The list of inference is asked at most every two seconds. While a fresh one is fetched, or when
    inference does not answer, the last one is used: a chat never waits for a list.
    """

    def __init__(self, settings: Settings, upstream: Upstream) -> None:
        self._upstream_model = settings.llm_model if upstream.has_upstream else None
        self._upstream = upstream
        self._entries: list[dict[str, Any]] | None = None
        self._fetched_at = 0.0
        self._refresh: asyncio.Task[list[dict[str, Any]]] | None = None

    async def chat_models(self) -> list[Model]:
        """The models that can chat, the default one first.

        Raises:
            ApiError: inference never answered, and there is no upstream.
        """
        return self._chat_models(await self._local())

    async def entries(self) -> list[dict[str, Any]]:
        """The models of every kind, in the shape of OpenAI's list.

        Raises:
            ApiError: as `chat_models`.
        """
        local = await self._local()
        if not self._upstream_model:
            return local
        mine: dict[str, Any] = {
            "id": self._upstream_model,
            "object": "model",
            "created": 0,
            "owned_by": "upstream",
            "state": "ready",
            "kind": "chat",
            "default": True,
        }
        others = [
            {**entry, "default": False} if entry.get("kind") in CHAT_KINDS else entry
            for entry in local
            if entry["id"] != self._upstream_model
        ]
        return [mine, *others]

    async def slots(self) -> SlotList:
        """Every slot of inference as it is now, asked each time.

        Raises:
            ApiError: inference cannot be reached.
        """
        told = _shaped(SlotList, await self._upstream.inference_slots())
        for slot in told.slots:
            slot.models.sort(key=lambda model: (not model.default, model.id))
        return told

    async def card(self, model_id: str) -> CardText:
        """The card of a model of inference.

        Raises:
            ApiError: `model_not_found`, `card_not_found`, or inference cannot be reached.
        """
        return _shaped(CardText, await self._upstream.inference_card(model_id))

    async def resolve(self, name: str | None) -> Model:
        """The model meant by `name`; None and `default` mean the default one.

        Raises:
            NotFound: `model_not_found`.
            Unavailable: `model_not_installed`, or `upstream_unavailable` when nothing is known.
        """
        if self._entries is not None and self._age() >= FRESH_SECONDS:
            # What is known is good enough to begin with; the next request sees what changed.
            self._begin_refresh()
            found = self._find(name, self._entries)
            if found:
                return found
        elif self._upstream_model and name in (None, "default", self._upstream_model):
            return _upstream_entry(self._upstream_model)
        found = self._find(name, await self._local())
        if found:
            return found
        if name in (None, "default"):
            raise Unavailable(
                "No chat model is installed. An operator can install the starter model with "
                "`make models-starter`, or set LLM_API_URL and LLM_MODEL.",
                code="model_not_installed",
            )
        raise NotFound(
            f"There is no chat model named {name!r}. GET /v1/models lists those there are.",
            code="model_not_found",
            param="model",
        )

    async def close(self) -> None:
        """End a refresh that is under way."""
        if self._refresh:
            self._refresh.cancel()
            await asyncio.gather(self._refresh, return_exceptions=True)

    def _age(self) -> float:
        return time.monotonic() - self._fetched_at

    async def _local(self) -> list[dict[str, Any]]:
        if self._entries is not None and self._age() < FRESH_SECONDS:
            return self._entries
        try:
            # Shielded: one impatient client must not take the answer from the others.
            return await asyncio.shield(self._begin_refresh())
        except ApiError:
            if self._entries is not None:
                return self._entries
            if self._upstream_model:
                return []
            raise

    def _begin_refresh(self) -> asyncio.Task[list[dict[str, Any]]]:
        if self._refresh is None or self._refresh.done():
            self._refresh = asyncio.create_task(self._fetch())
            self._refresh.add_done_callback(_note)
        return self._refresh

    async def _fetch(self) -> list[dict[str, Any]]:
        entries = await self._upstream.inference_models()
        self._entries, self._fetched_at = entries, time.monotonic()
        return entries

    def _find(self, name: str | None, entries: list[dict[str, Any]]) -> Model | None:
        models = self._chat_models(entries)
        if name in (None, "default"):
            return next((model for model in models if model.default), None)
        return next((model for model in models if model.id == name), None)

    def _chat_models(self, entries: list[dict[str, Any]]) -> list[Model]:
        local = [entry for entry in entries if entry.get("kind") in CHAT_KINDS]
        default = self._upstream_model or _default_id(local)
        models = [
            Model(
                id=entry["id"],
                kind=entry["kind"],
                state=entry["state"] if entry.get("state") in _STATES else "available",
                source="local",
                default=entry["id"] == default,
                context_length=entry.get("context_length"),
            )
            for entry in local
            if entry["id"] != self._upstream_model
        ]
        if self._upstream_model:
            models.append(_upstream_entry(self._upstream_model))
        return sorted(models, key=lambda model: (not model.default, model.id))


def _shaped(shape: type[Shape], content: dict[str, Any]) -> Shape:
    try:
        return shape.model_validate(content)
    except ValidationError:
        raise not_understood("local") from None


def _upstream_entry(id: str) -> Model:
    return Model(id=id, kind="chat", state="ready", source="upstream", default=True)


def _default_id(entries: list[dict[str, Any]]) -> str | None:
    """Inference's default of the chat slot; else of the vision-language one; else the first."""
    for kind in CHAT_KINDS:
        for entry in entries:
            if entry["kind"] == kind and entry.get("default"):
                return str(entry["id"])
    return str(entries[0]["id"]) if entries else None


def _note(task: asyncio.Task[list[dict[str, Any]]]) -> None:
    # Retrieves the exception, so that a refresh nobody waited for does not warn at the end.
    if not task.cancelled() and (error := task.exception()):
        log.warning("models_not_refreshed", error=str(error))
