"""Routes about the service itself."""

from typing import Annotated

from fastapi import APIRouter, Depends

from atoll_chat import __version__
from atoll_chat.accounts.dependencies import OptionalUser
from atoll_chat.backend import Backend, backend
from atoll_chat.models.schemas import Model
from atoll_chat.monitoring.probes import database_works, probe_all
from atoll_chat.monitoring.schemas import Config, Health, Status
from atoll_kit.errors import ApiError

router = APIRouter(tags=["monitoring"])

Held = Annotated[Backend, Depends(backend)]


@router.get("/api/health")
async def get_health(held: Held) -> Health:
    """200 while this service can do its work, else 503."""
    await database_works(held)
    return Health(status="ok")


@router.get("/api/config")
async def get_config(held: Held) -> Config:
    """What a page must know before anybody signs in."""
    return Config(
        version=__version__,
        registration=await held.accounts.registration(),
        password_min_length=held.settings.password_min_length,
        max_message_chars=held.settings.max_message_chars,
    )


@router.get("/api/status", response_model_exclude_none=True)
async def get_status(user: OptionalUser, held: Held) -> Status:
    """Whether everything works; with a credential also each service and each model."""
    services = await probe_all(held)
    well = all(service.status == "ok" for service in services)
    found = Status(status="ok" if well else "degraded")
    if user is None:
        return found
    models: list[Model] = []
    try:
        models = await held.models.chat_models()
    except ApiError:
        # Its probe has said so already.
        found = Status(status="degraded")
    return found.model_copy(update={"services": services, "models": models})
