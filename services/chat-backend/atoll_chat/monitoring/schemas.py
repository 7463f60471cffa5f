"""Shapes of what is said about the service itself."""

from typing import Literal

from pydantic import BaseModel, Field

from atoll_chat.models.schemas import Model
from atoll_chat.settings import Registration


class Config(BaseModel):
    """What a page must know before anybody signs in."""

    version: str
    registration: Registration
    password_min_length: int
    max_message_chars: int


class Health(BaseModel):
    """The service can read its database and is its only writer."""

    status: Literal["ok"]


class ServiceStatus(BaseModel):
    """One part of the installation, as a probe found it just now."""

    name: str
    status: Literal["ok", "down"]
    detail: str


class Status(BaseModel):
    """Whether everything works. The parts are told only to those who sent a credential."""

    status: Literal["ok", "degraded"]
    services: list[ServiceStatus] | None = Field(default=None)
    models: list[Model] | None = Field(default=None)
