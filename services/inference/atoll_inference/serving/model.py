"""One model and its state."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from atoll_inference.catalog.checkpoint import Checkpoint
from atoll_inference.engines.base import Engine
from atoll_inference.serving.lane import Lane
from atoll_inference.serving.memory import Memory

State = Literal["available", "loading", "ready", "failed"]
"""On disk, being loaded, served, or not to be served, with the reason in `problem`."""

OnProgress = Callable[[float, str], None]


@dataclass(slots=True, eq=False)
class Model:
    """One model and its state.

    `refs` counts the requests that hold it; `memory` is what its load took, as measured.
    """

    checkpoint: Checkpoint
    state: State = "available"
    problem: str | None = None
    lane: Lane | None = None
    engine: Engine | None = None
    memory: Memory | None = None
    refs: int = 0
    last_used: float = 0.0
    loading: asyncio.Task[None] | None = None
    watchers: list[OnProgress] = field(default_factory=list)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def id(self) -> str:
        """The name clients use."""
        return self.checkpoint.id
