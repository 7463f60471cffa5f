"""One real question to the default model, for `make run` and for operators."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import asdict, dataclass
from typing import Any

from atoll_chat.chunks import text_of
from atoll_chat.models.service import ModelsService
from atoll_chat.upstream import Identity, Upstream
from atoll_chat.upstream_errors import Source
from atoll_kit.errors import ApiError

QUESTION = "What is the capital of France?"
MAX_TOKENS = 32
LOADING_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class SelfTest:
    """What was answered, by which model, in how many seconds."""

    model: str
    answer: str
    seconds: float


async def selftest(
    upstream: Upstream, models: ModelsService, *, patience: float = LOADING_SECONDS
) -> SelfTest:
    """Ask the default model `QUESTION`. Nothing is stored and no account is involved.

    Args:
        upstream: where to ask.
        models: which model is the default.
        patience: seconds to wait for a model that is still loading.

    Raises:
        ApiError: there is no model, or it did not answer.
    """
    started = time.monotonic()
    model = await models.resolve(None)
    body = {
        "model": model.id,
        "messages": [{"role": "user", "content": QUESTION}],
        "max_tokens": MAX_TOKENS,
        "temperature": 0,
    }
    while True:
        asked = time.monotonic()
        try:
            answer = await _ask(upstream, model.source, body)
            return SelfTest(model.id, answer.strip(), round(time.monotonic() - asked, 3))
        except ApiError as error:
            if error.code != "model_loading" or asked - started > patience:
                raise
        await asyncio.sleep(0.5)


def selftest_command(
    upstream: Upstream, models: ModelsService
) -> Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]:
    """`selftest` as a command of the control socket; takes nothing, gives a `SelfTest`."""

    async def command(_: dict[str, Any]) -> dict[str, Any]:
        return asdict(await selftest(upstream, models))

    return command


async def _ask(upstream: Upstream, source: Source, body: dict[str, Any]) -> str:
    identity = Identity(user_id="selftest", role="admin", max_concurrent=1)
    async with aclosing(upstream.stream_chat(source, body, identity)) as chunks:
        return "".join([text_of(chunk) async for chunk in chunks])
