"""What an engine offers to the serving layer, and the errors it raises.

Two kinds: a `StreamingEngine` has a runtime that schedules by itself and gives its answer piece by
piece; a `BatchEngine` answers whole batches that the serving layer forms for it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from atoll_inference.engines.chat import ChatEvent, ChatRequest

Progress = Callable[[float, str], None]
"""Called with the fraction done (0 to 1) and the name of the stage. While a request is worked on,
it raises `Stopped` when nobody wants the answer any more."""

Emit = Callable[[ChatEvent], bool]
"""Takes an event from the engine's thread; True asks the engine to stop at once."""

Dtype = Literal["auto", "fp32", "fp16", "bf16", "int8"]


class EngineError(Exception):
    """Base of what an engine raises; the message is fit for a client."""


class InvalidInput(EngineError):
    """The request is well-formed, and this model cannot take it."""

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class ContextExceeded(EngineError):
    """The prompt has more tokens than one request may use."""

    def __init__(self, prompt_tokens: int, context_length: int) -> None:
        super().__init__(
            f"The prompt has {prompt_tokens} tokens and this model takes at most "
            f"{context_length} a request. Shorten the conversation."
        )
        self.prompt_tokens = prompt_tokens
        self.context_length = context_length


class LoadFailed(EngineError):
    """The checkpoint cannot be served; the message names the file and the remedy."""


class OutOfMemory(EngineError):
    """The device has no room for this batch; a smaller one may fit."""


class Stopped(EngineError):
    """The request was cancelled or its time ran out, and the engine noticed on the way."""


class Engine(ABC):
    """One loaded model. Methods block; the caller chooses the thread."""

    device = "cpu"
    """Where it runs: `cpu` or `cuda:N`. Engines of one device take turns on it."""

    @abstractmethod
    def bytes_estimate(self) -> int:
        """Bytes of memory that `load` will take, weights and caches together."""

    @abstractmethod
    def load(self, progress: Progress) -> None:
        """Bring the weights into memory.

        Raises:
            LoadFailed: the files or the device do not allow it.
        """

    @abstractmethod
    def warmup(self) -> None:
        """Produce one real answer, so that the first user does not pay for set-up.

        Raises:
            LoadFailed: the model loads and does not answer.
        """

    @abstractmethod
    def unload(self) -> None:
        """Free everything `load` took. Nothing may be running. Harmless when not loaded."""


class StreamingEngine(Engine):
    """A family whose runtime batches by itself and gives its answer piece by piece."""

    @property
    @abstractmethod
    def slots(self) -> int:
        """How many streams share the batch at once, 1 or more."""

    @property
    @abstractmethod
    def context_length(self) -> int:
        """Tokens that prompt and answer of one request may use together."""

    @abstractmethod
    def stream(self, request: ChatRequest, emit: Emit) -> None:
        """Generate, calling `emit` for each event, until the end or until `emit` returns True.

        Thread-safe: up to `slots` calls may run at once, each on a thread of its own.

        Raises:
            ContextExceeded, InvalidInput: the request; nothing was emitted.
            EngineError: the runtime failed.
        """


@dataclass(frozen=True, slots=True)
class Unit:
    """The smallest thing a forward pass takes: a window, a tile, a chunk, one text.

    Attributes:
        data: what `forward` reads; only the engine knows its shape.
        size: its length in the engine's measure (tokens, pixels, samples), 1 or more. Units of a
            batch are padded to the longest, so a batch costs its count times its largest size.
    """

    data: Any
    size: int = 1


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """Bounds of one forward pass.

    Attributes:
        count: most units.
        size: largest product of count and size; a single unit above it still runs, alone.
    """

    count: int
    size: int


Steps = Generator[Sequence[Unit], list[Any], Any]
"""The way of one item: yields units, is sent their outputs in order, and returns the result."""


class BatchEngine(Engine):
    """A family that answers batches of units.

    An item (one request's input) becomes units, they go through `forward` together with those of
    other items, and their outputs become the item's result. A family with a single round writes
    `preprocess` and `postprocess`; one with more, such as summaries of summaries, writes `steps`.
    Both run on a worker thread, never on the thread of `forward`.
    """

    concurrency = 32
    """Items that may be worked on at once; bounds the memory that decoded inputs take."""

    @property
    @abstractmethod
    def limits(self) -> BatchLimits:
        """Bounds of one forward pass."""

    @abstractmethod
    def forward(self, units: Sequence[Unit]) -> list[Any]:
        """One output for each unit, in order. An output does not depend on the other units.

        Called by one thread at a time.

        Raises:
            OutOfMemory: the batch does not fit; smaller ones may.
        """

    def preprocess(self, item: Any) -> Sequence[Unit]:
        """The units of an item.

        Raises:
            InvalidInput: this model cannot take the item.
        """
        raise NotImplementedError

    def postprocess(self, item: Any, outputs: list[Any]) -> Any:
        """The result of an item from the outputs of its units."""
        raise NotImplementedError

    def steps(self, item: Any, progress: Progress) -> Steps:
        """The whole way of an item. Closing the generator early must free what it holds."""
        outputs = yield self.preprocess(item)
        return self.postprocess(item, outputs)

    def tokens(self, result: Any) -> tuple[int, int]:
        """Tokens read and tokens generated for a result, where the family counts any."""
        return int(getattr(result, "tokens", 0)), 0

    def release(self) -> None:
        """Give cached memory back to the device, after it ran out."""

    def run(self, item: Any, progress: Progress = lambda fraction, stage: None) -> Any:
        """The result of one item, without any serving: for a Python prompt and as the reference."""
        return self.run_batch([item], progress)[0]

    def run_batch(
        self, items: Iterable[Any], progress: Progress = lambda fraction, stage: None
    ) -> list[Any]:
        """Results of several items whose units share forward passes within `limits`."""
        ways = [self.steps(item, progress) for item in items]
        results: list[Any] = [None] * len(ways)
        outputs: dict[int, list[Any] | None] = dict.fromkeys(range(len(ways)))
        try:
            while outputs:
                waiting: list[tuple[int, Sequence[Unit]]] = []
                for index, received in outputs.items():
                    try:
                        # A generator begins with None, like `next`.
                        waiting.append((index, ways[index].send(received)))  # type: ignore[arg-type]
                    except StopIteration as end:
                        results[index] = end.value
                made = iter(self._forward_all([u for _, units in waiting for u in units]))
                outputs = {index: [next(made) for _ in units] for index, units in waiting}
            return results
        finally:
            for way in ways:
                way.close()

    def _forward_all(self, units: Sequence[Unit]) -> list[Any]:
        outputs: list[Any] = [None] * len(units)
        order = sorted(range(len(units)), key=lambda index: units[index].size)
        while order:
            batch: list[int] = []
            while order and fits(self.limits, len(batch) + 1, units[order[0]].size):
                batch.append(order.pop(0))
            batch = batch or [order.pop(0)]
            for index, output in zip(batch, self.forward([units[i] for i in batch]), strict=True):
                outputs[index] = output
        return outputs


def fits(limits: BatchLimits, count: int, largest: int) -> bool:
    """Whether `count` units, the largest of size `largest`, may share a forward pass."""
    return count <= limits.count and count * largest <= limits.size
