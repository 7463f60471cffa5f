"""How a sequence-to-sequence checkpoint generates, in numbers that do not depend on the runtime."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from atoll_inference.engines.base import LoadFailed, Progress
from atoll_inference.engines.tokens import TokenIds

_DEFAULT_MAX_LENGTH = 142
"""For checkpoints that do not say, as T5's: transformers would stop after 20 tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """Settings of one generation.

    Attributes:
        min_tokens: fewest tokens of the text, without special ones.
        max_tokens: most tokens of the text, without special ones; 1 or more.
        beams: width of the beam search; 1 is greedy.
        length_penalty: exponent of the length by which the log-probability of a beam is divided.
        early_stopping: whether the search ends with as many finished texts as there are beams.
        no_repeat_ngram: length of token sequences that may occur only once; 0 for none.
        repetition_penalty: divides the likelihood of tokens that occurred; 1 for none.
    """

    min_tokens: int
    max_tokens: int
    beams: int = 1
    length_penalty: float = 1.0
    early_stopping: bool = False
    no_repeat_ngram: int = 0
    repetition_penalty: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationFiles:
    """What a checkpoint's files say about generating summaries.

    Attributes:
        settings: used where a request is silent.
        first_token: forced to be the first one, such as BART's beginning of a sentence, or None.
        prefix: text that T5 wants before its input.
    """

    settings: Generation
    first_token: int | None
    prefix: str


class Generator(Protocol):
    """A loaded sequence-to-sequence model on some runtime."""

    def load(self, progress: Progress) -> None:
        """Bring the weights into memory.

        Raises:
            LoadFailed: the files or the device do not allow it.
        """

    def unload(self) -> None:
        """Free the weights."""

    def generate(self, inputs: Sequence[TokenIds], settings: Generation) -> list[list[int]]:
        """The generated token ids for each input; special tokens may be among them."""


def read_generation(folder: Path) -> GenerationFiles:
    """Settings from config.json, generation_config.json and the task's own, the later stronger.

    Lengths in the files count the token that starts the decoder, a forced first token, and the end.

    Raises:
        LoadFailed: a file is damaged, or its numbers make no sense.
    """
    config = read_json(folder / "config.json")
    tasks = config.get("task_specific_params")
    task = tasks.get("summarization") if isinstance(tasks, Mapping) else None
    said = {
        name: value
        for source in (config, read_json(folder / "generation_config.json"), task or {})
        for name, value in source.items()
        if value is not None
    }
    first = said.get("forced_bos_token_id")
    around = 1 if first is None else 2
    try:
        longest = int(said.get("max_length", _DEFAULT_MAX_LENGTH)) - around - 1
        if "max_new_tokens" in said:
            longest = int(said["max_new_tokens"]) - around
        shortest = int(said.get("min_length", 0)) - around
        settings = Generation(
            min_tokens=max(0, min(shortest, longest)),
            max_tokens=longest,
            beams=int(said.get("num_beams", 1)),
            length_penalty=float(said.get("length_penalty", 1.0)),
            early_stopping=said.get("early_stopping", False) is True,
            no_repeat_ngram=int(said.get("no_repeat_ngram_size", 0)),
            repetition_penalty=float(said.get("repetition_penalty", 1.0)),
        )
    except (TypeError, ValueError) as error:
        raise LoadFailed(f"{folder}: its generation settings cannot be used: {error}.") from error
    if settings.max_tokens < 1 or settings.beams < 1:
        raise LoadFailed(
            f"{folder}: max_length and num_beams of its generation settings leave no room for a "
            "summary. Correct its generation_config.json."
        )
    return GenerationFiles(
        settings=settings,
        first_token=first if isinstance(first, int) else None,
        prefix=str(said.get("prefix", "")),
    )


def shortened(settings: Generation, tokens: int) -> Generation:
    """Settings that do not make a model say more than half of the `tokens` it reads.

    A checkpoint's shortest summary is meant for articles; from a note it would have to invent.
    """
    return replace(settings, min_tokens=min(settings.min_tokens, tokens // 2))


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object; empty when there is no file.

    Raises:
        LoadFailed: the file is damaged.
    """
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise LoadFailed(f"{path} cannot be read: {error}. Fetch the checkpoint again.") from error
    return content if isinstance(content, dict) else {}
