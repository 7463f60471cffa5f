"""Internal routes are closed to whoever does not know the token."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from atoll_kit.internal import InternalTokenMiddleware

TOKEN = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [
        ("/open", None, 200),
        ("/closed", None, 401),
        ("/closed", "", 401),
        ("/closed", TOKEN[:-1], 401),
        ("/closed", "ключ", 401),
        ("/closed", TOKEN, 200),
    ],
)
async def test_the_token_opens_the_door(path: str, token: str | None, status: int) -> None:
    async def hello(_: object) -> PlainTextResponse:
        return PlainTextResponse("hello")

    inner = Starlette(routes=[Route("/open", hello), Route("/closed", hello)])
    app = InternalTokenMiddleware(inner, token=TOKEN, is_open=lambda p: p == "/open")
    headers = {} if token is None else {b"X-Internal-Token": token.encode()}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test"
    ) as client:
        answer = await client.get(path, headers=headers)
    assert answer.status_code == status
