"""A FastAPI application with everything that each Atoll service has."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp

from atoll_kit.context import RequestContextMiddleware
from atoll_kit.errors import ErrorResponse, install_error_handlers
from atoll_kit.linger import LingerMiddleware
from atoll_kit.metrics import install_metrics_route

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
Wrap = Callable[[ASGIApp], ASGIApp]


def create_app(
    title: str, *, version: str, lifespan: Lifespan | None = None, inner: list[Wrap] | None = None
) -> FastAPI:
    """An application with the error shape, `/metrics`, request ids and access lines.

    Args:
        title: name in the OpenAPI document.
        version: release of the service.
        lifespan: start and stop of the service.
        inner: middleware between the request context and the routes, outermost first.
    """
    app = FastAPI(
        title=title,
        version=version,
        lifespan=lifespan,
        # The gateway serves one merged document; a service's own pages would need a CDN.
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        generate_unique_id_function=_operation_id,
        responses={"default": {"model": ErrorResponse, "description": "The one error shape."}},
    )
    install_error_handlers(app)
    install_metrics_route(app)
    # Starlette puts what is added last outermost.
    for wrap in reversed(inner or []):
        app.add_middleware(_Wrapper, wrap=wrap)
    app.add_middleware(LingerMiddleware)
    app.add_middleware(RequestContextMiddleware)
    return app


class _Wrapper:
    """Adapts a function that wraps an ASGI application to Starlette's middleware protocol."""

    def __init__(self, app: ASGIApp, wrap: Wrap) -> None:
        self.wrapped = wrap(app)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.wrapped(scope, receive, send)


def _operation_id(route: APIRoute) -> str:
    return route.name
