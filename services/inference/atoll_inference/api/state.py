"""What the routes share, and who is calling.

Both dependencies are `async`: FastAPI takes a plain function to a worker thread and back.
"""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from atoll_inference.api.results import ResultStore
from atoll_inference.api.sources import Sources
from atoll_inference.catalog.slots import Catalog
from atoll_inference.serving.caller import Caller
from atoll_inference.serving.client import Client
from atoll_inference.serving.readiness import Preload
from atoll_inference.serving.registry import Registry
from atoll_inference.settings import Settings
from atoll_kit.errors import BadRequest
from atoll_kit.request_id import request_id


@dataclass(frozen=True, slots=True)
class State:
    """The running service.

    Attributes:
        served: the slots that this release has an engine for.
    """

    settings: Settings
    catalog: Catalog
    served: frozenset[str]
    registry: Registry
    client: Client
    preload: Preload
    sources: Sources
    results: ResultStore


async def state_of(request: Request) -> State:
    """The service that this request reached."""
    return cast(State, request.app.state.service)


async def caller_of(request: Request) -> Caller:
    """The identity in the headers; only the other services can set them."""
    headers = request.headers
    limit = headers.get("x-atoll-max-concurrent")
    if limit is not None and not limit.isdecimal():
        raise BadRequest("X-Atoll-Max-Concurrent is not a whole number.", code="invalid_header")
    return Caller(
        request_id=request_id(),
        user=headers.get("x-atoll-user") or None,
        key=headers.get("x-atoll-key") or None,
        max_concurrent=int(limit) if limit is not None else None,
    )


Service = Annotated[State, Depends(state_of)]
Who = Annotated[Caller, Depends(caller_of)]
