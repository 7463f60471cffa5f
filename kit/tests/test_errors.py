"""One error shape, whatever goes wrong."""

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, Field

from atoll_kit.app import create_app
from atoll_kit.errors import NotFound, TooManyRequests


class Echo(BaseModel):
    count: int = Field(ge=1)


@pytest.fixture
def app() -> FastAPI:
    app = create_app("test", version="1")

    @app.post("/echo")
    async def echo(body: Echo) -> Echo:
        return body

    @app.get("/absent")
    async def absent() -> None:
        raise NotFound("No such thing. List them first.", param="id")

    @app.get("/busy")
    async def busy() -> None:
        raise TooManyRequests("Too many. Wait.", retry_after=1.2)

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("a secret detail")

    return app


@pytest.fixture
def client(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "param"),
    [
        ("POST", "/echo", "{", 400, "invalid_json", None),
        ("POST", "/echo", '{"count": 0}', 422, "invalid_value", "count"),
        ("POST", "/echo", "[]", 422, "invalid_value", None),
        ("GET", "/absent", None, 404, "not_found", "id"),
        ("GET", "/nowhere", None, 404, "not_found", None),
        ("DELETE", "/echo", None, 405, "method_not_allowed", None),
        ("GET", "/busy", None, 429, "rate_limited", None),
        ("GET", "/broken", None, 500, "internal_error", None),
    ],
)
async def test_every_failure_has_the_one_shape(
    client: httpx.AsyncClient,
    method: str,
    path: str,
    body: str | None,
    status: int,
    code: str,
    param: str | None,
) -> None:
    headers = {"Content-Type": "application/json", "X-Request-Id": "abc-1"}
    answer = await client.request(method, path, content=body, headers=headers)
    error = answer.json()["error"]
    assert answer.status_code == status
    assert set(error) == {"message", "type", "code", "param", "request_id"}
    assert (error["code"], error["param"], error["request_id"]) == (code, param, "abc-1")
    assert answer.headers["x-request-id"] == "abc-1"
    assert "secret detail" not in answer.text


async def test_retry_after_is_whole_seconds_and_never_too_early(client: httpx.AsyncClient) -> None:
    assert (await client.get("/busy")).headers["retry-after"] == "2"


async def test_a_malformed_request_id_is_replaced(client: httpx.AsyncClient) -> None:
    answer = await client.get("/absent", headers={"X-Request-Id": 'x" injected'})
    assert answer.headers["x-request-id"] == answer.json()["error"]["request_id"]
    assert "injected" not in answer.headers["x-request-id"]


async def test_metrics_count_routes_and_not_paths(client: httpx.AsyncClient) -> None:
    await client.get("/absent")
    await client.get("/nowhere/secret-id")
    text = (await client.get("/metrics")).text
    assert 'http_requests_total{method="GET",route="/absent",status="404"}' in text
    assert "secret-id" not in text
