"""The way of requests to one loaded model: what both kinds of lane share."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from atoll_inference.engines.base import Engine
from atoll_inference.serving.caller import Caller
from atoll_kit.errors import ApiError


@dataclass(frozen=True, slots=True)
class LaneLimits:
    """Bounds of every lane.

    Attributes:
        queue: most requests that wait.
        buffer_bytes: most unread text of one answer.
        slow_client_s: how long a reader may keep its buffer full, in seconds.
        stall_s: silence of a running request after which the engine counts as stuck, in seconds.
    """

    queue: int
    buffer_bytes: int
    slow_client_s: float
    stall_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A request that is over, for the books.

    Attributes:
        worked: whether the engine did anything for it.
        input_tokens, output_tokens: read and generated.
        seconds: from arrival to the last sign of work.
    """

    model: str
    slot: str
    caller: Caller
    worked: bool
    input_tokens: int
    output_tokens: int
    seconds: float


OnEnd = Callable[[Ended], None]


class Lane(ABC):
    """Admission, queue and limits of one loaded model. Lives on the event loop."""

    model: str
    engine: Engine

    @property
    @abstractmethod
    def running(self) -> int:
        """Requests on the engine."""

    @property
    @abstractmethod
    def waiting(self) -> int:
        """Requests in the queue."""

    @property
    @abstractmethod
    def progressing(self) -> bool:
        """False when there is work and the engine has been silent for too long."""

    @abstractmethod
    def abort_where(self, matches: Callable[[Caller], bool], error: ApiError) -> int:
        """Abort every request whose caller matches; returns how many."""

    @abstractmethod
    async def close(self, error: ApiError, grace_s: float) -> bool:
        """Refuse new requests with `error`, give those inside `grace_s` seconds, end the rest.

        Returns False when the engine did not let go within 5 further seconds.
        """
