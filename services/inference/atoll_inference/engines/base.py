"""What an engine offers to the serving layer, and the errors it raises.

Today's families stream and schedule themselves (`StreamingEngine`). A family that answers whole
batches will subclass `Engine` with preprocess, forward and postprocess steps and get a lane that
forms the batches; load, warm-up, unload and the estimate stay as they are here.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable

from atoll_inference.engines.chat import ChatEvent, ChatRequest

Progress = Callable[[float, str], None]
"""Called with the fraction done (0 to 1) and the name of the stage."""

Emit = Callable[[ChatEvent], bool]
"""Takes an event from the engine's thread; True asks the engine to stop at once."""


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


class Engine(ABC):
    """One loaded model. Methods block; the caller chooses the thread."""

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
