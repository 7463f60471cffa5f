"""Routes of models."""

from typing import Annotated

from fastapi import APIRouter, Depends

from atoll_chat.accounts.dependencies import CurrentUser
from atoll_chat.backend import Backend, backend
from atoll_chat.models.schemas import CardText, ModelList, SlotList

router = APIRouter(tags=["models"])

Held = Annotated[Backend, Depends(backend)]


@router.get("/api/models")
async def list_models(user: CurrentUser, held: Held) -> ModelList:
    """The models that can answer in a conversation, the default one first."""
    return ModelList(items=await held.models.chat_models())


@router.get("/api/models/{model_id:path}/card")
async def get_card(model_id: str, user: CurrentUser, held: Held) -> CardText:
    """The card of a model of this server: what it was made from, and how well it does."""
    return await held.models.card(model_id)


@router.get("/api/slots")
async def list_slots(user: CurrentUser, held: Held) -> SlotList:
    """Every slot with its checkpoints, their state and memory, and how to fill an empty one."""
    return await held.models.slots()
