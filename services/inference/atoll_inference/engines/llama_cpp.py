"""GGUF chat models on llama.cpp, through the `xllamacpp` wheel.

The wheel carries llama.cpp's own server core: continuous batching over `slots` sequences, prompt
cache, chat templates, JSON schemas. It is called as a library. The core insists on an HTTP
listener of its own, which would be a second, unguarded door to the model: it is put on a Unix
socket in a private folder behind a random key, and the socket is unlinked once it stands, so that
nothing can connect to it.
"""

import secrets
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xllamacpp

from atoll_inference.engines.base import (
    ContextExceeded,
    Emit,
    EngineError,
    InvalidInput,
    LoadFailed,
    Progress,
    StreamingEngine,
)
from atoll_inference.engines.chat import (
    ChatMessage,
    ChatRequest,
    Delta,
    Finished,
    FinishReason,
    Prefill,
)
from atoll_inference.engines.read_ahead import parts_of, read_ahead

PROMPT_CACHE_MIB = 256
"""Most memory for prompts kept beside the live slots, in MiB."""

PROMPT_BATCH = 512
"""Tokens of a prompt read in one step. While a step runs the other streams wait, so it is short."""

COMPUTE_BYTES = 128 * 1024 * 1024
"""Rough size of llama.cpp's compute buffers at this batch size, for the estimate."""


class LlamaCppEngine(StreamingEngine):
    """One GGUF file.

    Args:
        path: the GGUF file; the first part when it is split.
        file_bytes: size of all parts together, in bytes.
        context_length: tokens for one request, prompt and answer together.
        slots: requests generated at once; the cache holds `slots * context_length` tokens.
        cache_bytes_per_token: size of keys and values of one token, in bytes.
        threads: processor threads.
        device: `cpu`, `auto` or `cuda:N`.
    """

    def __init__(
        self,
        path: Path,
        *,
        file_bytes: int,
        context_length: int,
        slots: int,
        cache_bytes_per_token: int,
        threads: int,
        device: str = "auto",
    ) -> None:
        self.path = path
        self.device = device
        self.threads = threads
        self._file_bytes = file_bytes
        self._cache_bytes = cache_bytes_per_token * context_length * slots
        self._context_length = context_length
        self._slots = slots
        self._server: Any = None

    @property
    def slots(self) -> int:
        """How many streams share the batch at once."""
        return self._slots

    @property
    def context_length(self) -> int:
        """Tokens that one request may use."""
        return self._context_length

    @property
    def listening_address(self) -> str | None:
        """Where llama.cpp's own listener was put; None when not loaded."""
        return str(self._server.listening_address) if self._server else None

    def bytes_estimate(self) -> int:
        """Weights, token cache, prompt cache and compute buffers, in bytes."""
        return self._file_bytes + self._cache_bytes + PROMPT_CACHE_MIB * 1024 * 1024 + COMPUTE_BYTES

    def load(self, progress: Progress) -> None:
        """Open the file and start the scheduler thread."""
        # The binding keeps the interpreter's lock while it loads, and the whole service waits for
        # it. So the disk is waited for here, where others go on.
        read_ahead(parts_of(self.path), lambda share: progress(0.8 * share, "reading weights"))
        progress(0.8, "preparing weights")
        private = Path(tempfile.mkdtemp(prefix="atoll-llama-"))
        try:
            self._server = xllamacpp.Server(self._parameters(private / "llama.sock"))
        except Exception as error:
            raise LoadFailed(
                f"llama.cpp could not load {self.path}: {error}. Fetch the file again, or use "
                "another quantisation."
            ) from error
        finally:
            # A bound socket without a name still serves those that are connected: nobody.
            shutil.rmtree(private, ignore_errors=True)
        progress(0.9, "weights in memory")

    def warmup(self) -> None:
        """Generate one token."""
        tokens: list[str] = []
        request = ChatRequest(messages=(ChatMessage("user", "Hello"),), max_tokens=1)

        def emit(event: object) -> bool:
            if isinstance(event, (Delta, Finished)):
                tokens.append("")
            return False

        try:
            self.stream(request, emit)
        except EngineError as error:
            raise LoadFailed(f"{self.path} loads and does not answer: {error}") from error
        if not tokens:
            raise LoadFailed(f"{self.path} loads and gives no token. Use another checkpoint.")

    def unload(self) -> None:
        """Stop the scheduler and free the weights."""
        self._server = None

    def stream(self, request: ChatRequest, emit: Emit) -> None:
        """Generate one answer; see `StreamingEngine.stream`."""
        server = self._server
        if server is None:
            raise EngineError(f"{self.path} is not loaded.")
        reader = _ChunkReader(emit, self._context_length, request)
        try:
            server.handle_chat_completions(_body(request), reader)
        except ValueError as error:
            # llama.cpp refuses schemas and conversations its template does not allow this way.
            raise _refusal(str(error), request) from error
        except RuntimeError as error:
            raise EngineError(f"llama.cpp failed: {error}") from error
        if reader.failure is not None:
            raise reader.failure

    def _parameters(self, socket: Path) -> Any:
        params = xllamacpp.CommonParams()
        params.model.path = str(self.path)
        params.n_ctx = self._context_length * self._slots
        params.n_parallel = self._slots
        params.n_batch = PROMPT_BATCH
        params.fit_params = False  # would shrink the context in silence when memory is short
        params.warmup = False  # `warmup` goes through the whole path instead
        params.cache_ram_mib = PROMPT_CACHE_MIB
        params.reasoning_format = xllamacpp.common_reasoning_format.COMMON_REASONING_FORMAT_NONE
        for cpu in (params.cpuparams, params.cpuparams_batch):
            cpu.n_threads = self.threads
            cpu.poll = 0  # spinning threads would starve this service's own event loop
        self._choose_device(params)
        params.hostnames = [str(socket)]
        params.api_keys = [secrets.token_hex(32)]
        params.n_threads_http = 1
        params.ui = False
        params.endpoint_slots = False
        params.endpoint_props = False
        params.endpoint_metrics = False
        params.verbosity = 0
        return params

    def _choose_device(self, params: Any) -> None:
        if self.device == "cpu":
            params.n_gpu_layers = 0
            return
        gpus = [
            device
            for device in xllamacpp.get_device_info()
            if device["type"] == xllamacpp.ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_GPU
        ]
        if self.device == "auto":
            params.n_gpu_layers = -1 if gpus else 0
            return
        index = int(self.device.removeprefix("cuda:"))
        if index >= len(gpus):
            raise LoadFailed(
                f"DEVICE is {self.device} and this build of llama.cpp sees {len(gpus)} GPUs. "
                "Install the CUDA build of xllamacpp, or set DEVICE=cpu."
            )
        params.n_gpu_layers = -1
        params.main_gpu = index


class _ChunkReader:
    """Turns llama.cpp's chunks into events. Called on the thread that runs the request."""

    def __init__(self, emit: Emit, context_length: int, request: ChatRequest) -> None:
        self.failure: EngineError | None = None
        self._emit = emit
        self._request = request
        self._context_length = context_length
        self._reason: FinishReason = "stop"

    def __call__(self, chunk: Mapping[str, Any]) -> bool:
        # The runtime swallows an exception raised here, so it is kept for `stream` to raise.
        try:
            return self._read(chunk)
        except Exception as error:
            self.failure = EngineError(f"{type(error).__name__}: {error}")
            return True

    def _read(self, chunk: Mapping[str, Any]) -> bool:
        choices = chunk.get("choices")
        if choices:
            choice = choices[0]
            text = choice["delta"].get("content")
            if text:
                return self._emit(Delta(text))
            if choice["finish_reason"]:
                self._reason = "length" if choice["finish_reason"] == "length" else "stop"
            elif (progress := chunk.get("prompt_progress")) is not None:
                return self._emit(Prefill(progress["total"], progress["processed"]))
            return False
        if (usage := chunk.get("usage")) is not None:
            return self._emit(
                Finished(
                    self._reason,
                    usage["prompt_tokens"],
                    usage["completion_tokens"],
                    usage.get("prompt_tokens_details", {}).get("cached_tokens", 0),
                )
            )
        if (error := chunk.get("error")) is not None:
            self.failure = self._from_error(error)
            return True
        return False

    def _from_error(self, error: Mapping[str, Any]) -> EngineError:
        if error.get("type") == "exceed_context_size_error":
            return ContextExceeded(
                int(error.get("n_prompt_tokens", 0)),
                int(error.get("n_ctx", self._context_length)),
            )
        message = str(error.get("message", error))
        if error.get("code") == 400:
            return _refusal(message, self._request)
        return EngineError(f"llama.cpp failed: {message}")


def _body(request: ChatRequest) -> dict[str, Any]:
    body: dict[str, Any] = {
        "messages": [{"role": m.role, "content": m.content} for m in request.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        "return_progress": True,
        "cache_prompt": True,
    }
    optional = {
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stop": list(request.stop) or None,
        "seed": request.seed,
        "frequency_penalty": request.frequency_penalty,
        "presence_penalty": request.presence_penalty,
    }
    body.update({name: value for name, value in optional.items() if value is not None})
    if request.json_schema is not None:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": request.json_schema},
        }
    return body


def _refusal(message: str, request: ChatRequest) -> InvalidInput:
    detail = message.rsplit("failed: ", 1)[-1]
    if request.json_schema is not None:
        return InvalidInput(
            f"`response_format`: this schema cannot be used to constrain the answer: {detail}",
            param="response_format",
        )
    return InvalidInput(f"The model refused the messages: {detail}", "messages")
