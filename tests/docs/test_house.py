"""Rules of the house that no linter knows."""

import inspect
import secrets
from collections.abc import Callable, Iterator, Sequence

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIWebSocketRoute


def chat_backend() -> FastAPI:
    from atoll_chat.app import build_app
    from atoll_chat.settings import Settings

    secret = secrets.token_hex(32)
    return build_app(Settings(secret_key=secret, internal_token=secret))


def inference() -> FastAPI:
    from atoll_inference.app import create_app
    from atoll_inference.settings import Settings

    return create_app(Settings(internal_token=secrets.token_hex(32)))


def served(routes: Sequence[object]) -> Iterator[APIRoute | APIWebSocketRoute]:
    for route in routes:
        if isinstance(route, APIRoute | APIWebSocketRoute):
            yield route
        else:  # FastAPI keeps the routers that were included, without a public name for them
            yield from served(getattr(getattr(route, "original_router", None), "routes", ()))


def calls(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for inner in dependant.dependencies:
        yield from calls(inner)


@pytest.mark.parametrize("build", [chat_backend, inference])
def test_no_route_or_dependency_takes_a_worker_thread(
    build: Callable[[], FastAPI],
) -> None:
    # FastAPI runs plain functions on threads: two hops for each of them in every request.
    routes = list(served(build().routes))
    assert len(routes) > 10
    plain = {
        f"{route.path}: {call}"
        for route in routes
        for call in calls(route.dependant)
        if inspect.isfunction(call) and not inspect.iscoroutinefunction(call)
    }
    assert plain == set()
