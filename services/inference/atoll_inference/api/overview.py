"""Every slot with its checkpoints and its remedy, and their cards: what the models page shows."""

import asyncio
from pathlib import Path

from fastapi import APIRouter
from pydantic import BaseModel, Field

from atoll_inference.api.models import ModelCard, card
from atoll_inference.api.state import Service, State
from atoll_inference.catalog.families import INTERNAL_SLOTS
from atoll_inference.catalog.slots import Way
from atoll_inference.serving.model import Model
from atoll_kit.errors import NotFound

router = APIRouter(prefix="/internal", include_in_schema=False)

CARD_NAME = "README.md"
"""The card of a checkpoint, a file beside its weights as model hubs have it."""

MAX_CARD = 256 * 1024
"""Bytes of a card that are shown."""


class SlotModel(ModelCard):
    """One checkpoint, with what its files say of it."""

    format: str
    architecture: str | None
    dtype: str | None
    parameters: int | None
    licence: str | None = Field(description="As recorded when it was fetched.")
    starter: bool = Field(description="Whether it came as a starter.")
    has_card: bool


class SlotEntry(BaseModel):
    """One purpose, and what fills it."""

    slot: str
    title: str
    served: bool = Field(description="Whether this release has an engine for it.")
    internal: bool = Field(description="Whether only other slots use it, and no request can.")
    remedy: str = Field(description="How to fill it, as sentences.")
    ways: list[Way] = Field(description="The same for a page in any language.")
    note: str | None = Field(
        description="Markdown that the release carries about an empty slot: why none comes along."
    )
    models: list[SlotModel]


class SlotList(BaseModel):
    """All slots, and the memory that they share."""

    slots: list[SlotEntry]
    bytes_loaded: int = Field(description="Estimated bytes of all loaded models.")
    memory_budget: int | None = Field(description="MEMORY_BUDGET in bytes; None without one.")


class CardText(BaseModel):
    """The card of one model."""

    model: str
    text: str = Field(description="Markdown, as it stands beside the weights.")
    truncated: bool


@router.get("/slots")
async def list_slots(service: Service) -> SlotList:
    """Every slot of the catalog, filled or not."""
    await service.registry.refresh()
    models = service.registry.models + service.registry.helpers
    by_slot = {
        slot: [m for m in models if m.checkpoint.slot == slot] for slot in service.catalog.slots
    }
    empty = [slot for slot, filling in by_slot.items() if not filling]
    carded, notes = await asyncio.to_thread(
        lambda: (
            {m.id for m in models if _card_of(m, service.catalog.starters).is_file()},
            {slot: _note(service.catalog.starters / slot / CARD_NAME) for slot in empty},
        )
    )
    return SlotList(
        slots=[
            _entry(slot, filling, carded, notes.get(slot), service)
            for slot, filling in by_slot.items()
        ],
        bytes_loaded=service.registry.bytes_loaded(),
        memory_budget=service.settings.memory_budget or None,
    )


@router.get("/models/{model:path}/card")
async def read_card(model: str, service: Service) -> CardText:
    """The card of a model, by id or alias."""
    helpers = {helper.id: helper for helper in service.registry.helpers}
    found = helpers.get(model) or await service.registry.find(model)
    try:
        content = await asyncio.to_thread(
            lambda: _beginning(_card_of(found, service.catalog.starters))
        )
    except OSError:
        raise NotFound(
            f"{found.id} has no card. Put a {CARD_NAME} beside its weights to give it one.",
            code="card_not_found",
        ) from None
    text = content[:MAX_CARD].decode("utf-8", errors="replace")
    return CardText(model=found.id, text=text, truncated=len(content) > MAX_CARD)


def _entry(
    slot: str, models: list[Model], carded: set[str], note: str | None, service: State
) -> SlotEntry:
    internal = slot in INTERNAL_SLOTS
    served = internal or slot in service.served
    return SlotEntry(
        slot=slot,
        title=service.catalog.slots[slot].title,
        served=served,
        internal=internal,
        remedy=service.catalog.remedy(slot, has_engine=served),
        ways=list(service.catalog.ways(slot, has_engine=served)),
        note=note,
        models=[_model(model, service, has_card=model.id in carded) for model in models],
    )


def _model(model: Model, service: State, *, has_card: bool) -> SlotModel:
    found = model.checkpoint
    return SlotModel(
        **card(model, service.registry).model_dump(),
        format=found.format,
        architecture=found.architecture,
        dtype=found.dtype,
        parameters=found.parameters,
        licence=found.licence,
        starter=found.is_starter,
        has_card=has_card,
    )


def _card_of(model: Model, starters: Path) -> Path:
    """Where its card is read: beside the weights, else what the release says of a starter."""
    found = model.checkpoint
    # A single weights file stands for a folder when MODEL_PATH names it.
    own = (found.path.parent if found.path.is_file() else found.path) / CARD_NAME
    if found.is_starter and not own.is_file():
        return starters / found.slot / found.id / CARD_NAME
    return own


def _note(path: Path) -> str | None:
    try:
        return _beginning(path)[:MAX_CARD].decode("utf-8", errors="replace")
    except OSError:
        return None


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_CARD + 1)
