"""Routes of models."""

from typing import Annotated

from fastapi import APIRouter, Depends

from atoll_chat.accounts.dependencies import CurrentUser
from atoll_chat.backend import Backend, backend
from atoll_chat.models.schemas import ModelList

router = APIRouter(tags=["models"])


@router.get("/api/models")
async def list_models(user: CurrentUser, held: Annotated[Backend, Depends(backend)]) -> ModelList:
    """The models that can answer in a conversation, the default one first."""
    return ModelList(items=await held.models.chat_models())
