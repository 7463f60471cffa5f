"""Chooses the engine of a checkpoint."""

from atoll_inference.catalog.checkpoint import Checkpoint
from atoll_inference.engines.base import LoadFailed, StreamingEngine

SERVED: frozenset[tuple[str, str]] = frozenset({("chat", "gguf")})
"""Pairs of slot and format that this release has an engine for."""

DEFAULT_CONTEXT = 8192
"""Most tokens for one request when neither the operator nor the checkpoint says otherwise."""


def build_engine(
    checkpoint: Checkpoint, *, context: int | None, parallel: int, threads: int, device: str
) -> StreamingEngine:
    """The engine for `checkpoint`, not loaded.

    Args:
        context: tokens of one request as the operator wants it; capped by the model's own limit.

    Raises:
        LoadFailed: no engine takes this checkpoint.
    """
    if (checkpoint.slot, checkpoint.format) not in SERVED or checkpoint.weights is None:
        raise LoadFailed(f"No engine for {checkpoint.format} files in the slot {checkpoint.slot}.")
    # The runtime is imported when the first model of its kind is wanted, not before.
    from atoll_inference.engines.llama_cpp import LlamaCppEngine

    wanted = context or checkpoint.defaults.context_length or DEFAULT_CONTEXT
    return LlamaCppEngine(
        checkpoint.weights,
        file_bytes=checkpoint.bytes,
        context_length=min(wanted, checkpoint.context_length or wanted),
        slots=parallel,
        cache_bytes_per_token=checkpoint.cache_bytes_per_token,
        threads=threads,
        device=device,
    )
