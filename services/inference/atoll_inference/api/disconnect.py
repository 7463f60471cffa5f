"""Notices that the client has gone, while its answer is being made."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import Receive

from atoll_inference.serving.cancel import Cancel, client_gone


@asynccontextmanager
async def cancelled_on_disconnect(receive: Receive, cancel: Cancel) -> AsyncIterator[None]:
    """Set `cancel` when the connection closes. The request's body must have been read."""

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        cancel.set(client_gone())

    watcher = asyncio.create_task(watch())
    try:
        yield
    finally:
        watcher.cancel()
