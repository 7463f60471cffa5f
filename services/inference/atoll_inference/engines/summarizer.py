"""Summaries of texts of any length, by a sequence-to-sequence checkpoint (BART, Pegasus, T5).

A text that the model cannot read at once is cut into chunks, each is summarised, and the joined
summaries are summarised in turn until they fit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from atoll_inference.engines.base import (
    BatchEngine,
    BatchLimits,
    EngineError,
    InvalidInput,
    LoadFailed,
    Progress,
    Steps,
    Unit,
)
from atoll_inference.engines.generation import (
    Generation,
    Generator,
    read_generation,
    read_json,
    shortened,
)
from atoll_inference.engines.letter_case import restore
from atoll_inference.engines.runtime import Runtime
from atoll_inference.engines.seq2seq_ctranslate2 import FAMILIES, CTranslate2Generator
from atoll_inference.engines.seq2seq_transformers import TransformersGenerator
from atoll_inference.engines.summary_chunks import chunks, sentence_borders
from atoll_inference.engines.tasks.text import SummaryInput, SummaryResult
from atoll_inference.engines.tokens import TextTokenizer, TokenIds
from atoll_inference.engines.torch_runtime import prepare, release, torch_device, torch_dtype
from atoll_inference.engines.weights import stored_parameters

CPU_LIMITS = BatchLimits(count=4, size=4096)
GPU_LIMITS = BatchLimits(count=32, size=32768)
"""Size in tokens read. A batch cannot be stopped on its way, so that of a CPU is small."""

ACTIVATION_BYTES = 256 * 1024 * 1024
"""Rough size of what a batch keeps of its inputs for every beam, for the estimate."""

DEFAULT_LENGTH = 1024
"""Most tokens read at once where neither model nor tokenizer has a limit."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    """What `forward` takes: a piece of text, and how to summarise it."""

    tokens: TokenIds
    settings: Generation


class SummarizerEngine(BatchEngine):
    """Texts to summaries.

    Args:
        folder: the checkpoint.
        bytes_each: of one stored number, in memory.
    """

    def __init__(
        self, folder: Path, runtime: Runtime, generator: Generator, *, bytes_each: int
    ) -> None:
        self.folder = folder
        self.runtime = runtime
        self._device = torch_device(runtime)
        self.device = str(self._device)
        self._generator = generator
        self._bytes = stored_parameters(folder) * bytes_each + ACTIVATION_BYTES
        self._files = read_generation(folder)
        self._tokenizer: TextTokenizer | None = None
        self._prefix: tuple[int, ...] = ()
        self._special: frozenset[int] = frozenset()
        self.max_length = self.longest_summary = 0

    @property
    def limits(self) -> BatchLimits:
        """Bounds of one forward pass, in tokens read."""
        return CPU_LIMITS if self._device.type == "cpu" else GPU_LIMITS

    @property
    def tokenizer(self) -> TextTokenizer:
        """The tokenizer of the loaded checkpoint.

        Raises:
            EngineError: nothing is loaded.
        """
        if self._tokenizer is None:
            raise EngineError(f"{self.folder} is not loaded.")
        return self._tokenizer

    def bytes_estimate(self) -> int:
        """Weights in the format they run in, and the state of a batch."""
        return self._bytes

    def load(self, progress: Progress) -> None:
        """Read tokenizer and weights; see `Engine.load`."""
        prepare(self.runtime)
        progress(0.0, "reading the tokenizer")
        tokenizer = TextTokenizer(self.folder)
        config = read_json(self.folder / "config.json")
        self.max_length = min(tokenizer.max_length, _positions(config, "encoder"))
        self.longest_summary = _positions(config, "decoder") - 3
        prefix = self._files.prefix.strip()
        self._prefix = tokenizer.read(prefix, "prefix") if prefix else ()
        self._special = frozenset(tokenizer.transformers.all_special_ids)
        if self._room(tokenizer) < 8:
            raise LoadFailed(
                f"{self.folder} reads {self.max_length} tokens at once, too few to summarise."
            )
        self._generator.load(progress)
        self._tokenizer = tokenizer
        progress(0.9, "weights in memory")

    def warmup(self) -> None:
        """Summarise one sentence."""
        try:
            self.run(SummaryInput(text="One short sentence is enough.", max_tokens=4))
        except EngineError as error:
            raise LoadFailed(f"{self.folder} loads and does not answer: {error}") from error

    def unload(self) -> None:
        """Free weights and tokenizer."""
        self._generator.unload()
        self._tokenizer = None
        release(self._device)

    def release(self) -> None:
        """Give cached memory back to the device."""
        release(self._device)

    def tokens(self, result: SummaryResult) -> tuple[int, int]:
        """Tokens of the text, and of its summary."""
        return result.input_tokens, result.summary_tokens

    def forward(self, units: Sequence[Unit]) -> list[Any]:
        """Token ids of a summary for each chunk, without special ones."""
        # The runtimes take one group of settings a batch.
        groups: dict[Generation, list[int]] = {}
        for index, unit in enumerate(units):
            groups.setdefault(unit.data.settings, []).append(index)
        outputs: list[Any] = [None] * len(units)
        for settings, group in groups.items():
            generated = self._generator.generate([units[i].data.tokens for i in group], settings)
            for index, ids in zip(group, generated, strict=True):
                outputs[index] = [token for token in ids if token not in self._special]
        return outputs

    def steps(self, item: SummaryInput, progress: Progress) -> Steps:
        """One round for a text that fits, else rounds of one unit for each chunk.

        Rounds before the last use the checkpoint's lengths. Whatever the model says, a round's
        text is at most three quarters as long as that of the round before, so they do end.

        Raises:
            InvalidInput: an empty text, or lengths that the model cannot keep.
        """
        tokenizer = self.tokenizer
        final = self._settings(item)
        room = self._room(tokenizer)
        text = item.text
        ids, offsets = self._read(text)
        total, pieces = len(ids), 0
        while True:
            ranges = chunks(len(ids), sentence_borders(text, offsets), room)
            pieces = pieces or len(ranges)
            if len(ranges) == 1:
                progress(0.9, "summarizing")
                settings = final if item.min_tokens is not None else shortened(final, len(ids))
                (summary,) = yield [self._unit(ids, settings)]
                break
            progress(0.9 * (1 - len(ids) / (total + 1)), f"summarizing {len(ranges)} parts")
            parts = [ids[start:end] for start, end in ranges]
            outputs = yield [
                self._unit(part, shortened(self._files.settings, len(part))) for part in parts
            ]
            kept = [out[: len(p) // 2 + 1] for out, p in zip(outputs, parts, strict=True)]
            text = " ".join(filter(None, (tokenizer.text(part) for part in kept)))
            if not text:
                return _result("", total, 0, pieces)
            longest = len(ids) * 3 // 4
            ids, offsets = self._read(text)
            ids, offsets = ids[:longest], offsets[:longest]
        written = tokenizer.text(summary)
        if tokenizer.lower_cases:
            written = restore(written, item.text)
        return _result(written, total, len(summary), pieces)

    def _read(self, text: str) -> tuple[tuple[int, ...], list[tuple[int, int]]]:
        """Token ids and offsets of the text as they are behind the prefix."""
        self.tokenizer.check(text, "text", "text")
        prefix, skip = self._files.prefix, len(self._prefix)
        ids, offsets = self.tokenizer.read_with_offsets(prefix + text, "text", "text")
        return ids[skip:], [(a - len(prefix), b - len(prefix)) for a, b in offsets[skip:]]

    def _settings(self, item: SummaryInput) -> Generation:
        own = self._files.settings
        longest = own.max_tokens if item.max_tokens is None else item.max_tokens
        shortest = item.min_tokens
        if not 1 <= longest <= self.longest_summary:
            raise InvalidInput(
                f"max_tokens is {longest}; this model writes 1 to {self.longest_summary}.",
                "max_tokens",
            )
        if shortest is not None and not 0 <= shortest <= longest:
            raise InvalidInput(
                f"min_tokens is {shortest}, and has to be between 0 and max_tokens, {longest}.",
                "min_tokens",
            )
        if shortest is None:
            shortest = min(own.min_tokens, longest)
        return replace(own, min_tokens=shortest, max_tokens=longest)

    def _room(self, tokenizer: TextTokenizer) -> int:
        return self.max_length - tokenizer.special_tokens - len(self._prefix)

    def _unit(self, ids: Sequence[int], settings: Generation) -> Unit:
        tokens = self.tokenizer.single((*self._prefix, *ids))
        return Unit(_Chunk(tokens, settings), len(tokens.ids))


def build_summarizer(folder: Path, runtime: Runtime) -> SummarizerEngine:
    """The engine on the runtime that is fastest with the same answers.

    On a CPU this is CTranslate2 for the families it converts, in float32, or int8 when DTYPE says
    so; DTYPE fp32, bf16 or fp16 chooses transformers.

    Raises:
        LoadFailed: int8 is wanted where there is none.
    """
    family = read_json(folder / "config.json").get("model_type")
    first = read_generation(folder).first_token
    converted = torch_device(runtime).type == "cpu" and family in FAMILIES
    if runtime.dtype == "int8" and not converted:
        raise LoadFailed(
            f"{folder} cannot run in int8: that takes a CPU and one of the families "
            f"{', '.join(sorted(FAMILIES))}. Set DTYPE to auto."
        )
    if converted and runtime.dtype in {"auto", "int8"}:
        int8 = runtime.dtype == "int8"
        generator: Generator = CTranslate2Generator(
            folder, runtime, compute_type="int8" if int8 else "float32", first_token=first
        )
        return SummarizerEngine(folder, runtime, generator, bytes_each=1 if int8 else 4)
    return SummarizerEngine(
        folder,
        runtime,
        TransformersGenerator(folder, runtime, first_token=first),
        bytes_each=torch_dtype(runtime).itemsize,
    )


def _positions(config: dict[str, Any], side: str) -> int:
    """Positions of the encoder or the decoder; `DEFAULT_LENGTH` for relative ones."""
    for name in (f"max_{side}_position_embeddings", "max_position_embeddings", "n_positions"):
        if isinstance(config.get(name), int):
            return int(config[name])
    return DEFAULT_LENGTH


def _result(summary: str, read: int, written: int, pieces: int) -> SummaryResult:
    return SummaryResult(summary=summary, input_tokens=read, summary_tokens=written, chunks=pieces)
