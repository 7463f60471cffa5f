"""One real question to the default model, for `make run` and for operators."""

import time
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atoll_chat.upstream import Identity, Upstream

if TYPE_CHECKING:
    from atoll_chat.models.service import ModelsService

QUESTION = "What is the capital of France?"
MAX_TOKENS = 32


@dataclass(frozen=True, slots=True)
class SelfTest:
    """What was answered, by which model, in how many seconds."""

    model: str
    answer: str
    seconds: float


async def selftest(upstream: Upstream, models: "ModelsService") -> SelfTest:
    """Ask the default model `QUESTION`. Nothing is stored and no account is involved.

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
    identity = Identity(user_id="selftest", role="admin", max_concurrent=1)
    answer = ""
    async with aclosing(upstream.stream_chat(model.source, body, identity)) as chunks:
        async for chunk in chunks:
            for choice in chunk.get("choices") or []:
                answer += (choice.get("delta") or {}).get("content") or ""
    return SelfTest(model.id, answer.strip(), round(time.monotonic() - started, 3))
