"""What Whisper's tokens mean: prompts, languages, phrases with their times."""

import zlib
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import tokenizers
from faster_whisper.tokenizer import Tokenizer

from atoll_inference.engines.base import InvalidInput, LoadFailed

CONTEXT = 448
"""Tokens of prompt and answer together."""

TICK = 0.02
"""Seconds between two time tokens."""

REPETITIVE = 2.4
"""A text that zlib makes smaller by more than this factor goes round in circles."""

_PROMPT_TOKENS = CONTEXT // 2 - 1
_ADVANCE = 1.0
_SPACELESS = frozenset({"zh", "ja", "th", "lo", "my", "yue"})


@dataclass(frozen=True, slots=True)
class Phrase:
    """Text tokens between two times, in seconds of the chunk."""

    start: float
    end: float
    tokens: tuple[int, ...]


class WhisperTokens:
    """The tokenizer of a checkpoint.

    Attributes:
        start, end, no_speech, no_timestamps: tokens of these meanings.
        first_time: the token for 0 seconds; higher ones count in `TICK`.
    """

    def __init__(self, folder: Path) -> None:
        """Raises: LoadFailed."""
        file = folder / "tokenizer.json"
        try:
            self._tokenizer = tokenizers.Tokenizer.from_file(str(file))
        except Exception as error:  # the library raises nothing narrower
            raise LoadFailed(
                f"{file} cannot be read: {error}. Fetch the checkpoint again."
            ) from error
        self._known = Tokenizer(self._tokenizer, False)
        missing = [
            name
            for name in ("<|startoftranscript|>", "<|notimestamps|>", "<|endoftext|>")
            if self._tokenizer.token_to_id(name) is None
        ]
        if missing or self._known.no_speech is None:
            raise LoadFailed(
                f"{file} is not Whisper's: it has no {', '.join(missing) or 'nospeech'}."
            )
        self.start: int = self._known.sot
        self.end: int = self._known.eot
        self.no_speech: int = self._known.no_speech
        self.no_timestamps: int = self._known.no_timestamps
        self.first_time: int = self._known.timestamp_begin

    def languages(self) -> dict[str, int]:
        """Tokens by ISO 639-1 code."""
        first = self._known.sot + 1
        names = (self._tokenizer.id_to_token(token) or "" for token in range(first, first + 110))
        codes = takewhile(lambda name: name != "<|translate|>", names)
        return {name[2:-2]: first + index for index, name in enumerate(codes)}

    def known(self, language: str | None) -> Tokenizer:
        """faster-whisper's view of the tokenizer; no language for an English-only model."""
        if language is None:
            return self._known
        return Tokenizer(self._tokenizer, True, task="transcribe", language=language)

    def prompt(self, text: str | None) -> tuple[int, ...]:
        """Tokens that stand before the start token and make the words of `text` likely.

        As far as it goes beyond half of the context, the beginning of the text is left out.
        """
        if not text or not text.strip():
            return ()
        tokens = self._known.encode(" " + text.strip())
        if any(token >= self.end for token in tokens):
            raise InvalidInput("`prompt` holds a special token of the model.", "prompt")
        return (self._known.sot_prev, *tokens[-_PROMPT_TOKENS:])

    def text(self, tokens: tuple[int, ...]) -> str:
        """The text of tokens; times and special tokens are left out."""
        return self._known.decode(list(tokens))

    def phrases(self, tokens: list[int], seconds: float) -> tuple[list[Phrase], float | None]:
        """Split the answer for a chunk of `seconds` at its times.

        Returns:
            The phrases, and where in the chunk to go on: when the model broke off within a phrase
            it says up to where it got, and the rest has to be heard again.
        """
        phrases: list[Phrase] = []
        text: list[int] = []
        start = 0.0
        for token in tokens:
            if token < self.end:
                text.append(token)
            elif token >= self.first_time:
                time = min((token - self.first_time) * TICK, seconds)
                if text:
                    phrases.append(Phrase(start, max(start, time), tuple(text)))
                    text = []
                start = max(start, time)
        times = [token >= self.first_time for token in tokens]
        broke_off = bool(phrases) and (bool(text) or times[-2:] == [True, True])
        if broke_off and _ADVANCE <= start <= seconds - _ADVANCE:
            return phrases, start
        if text:
            phrases.append(Phrase(start, seconds, tuple(text)))
        return phrases, None

    def is_repetitive(self, tokens: list[int]) -> bool:
        """Whether the text goes round in circles."""
        text = self.text(tuple(tokens)).strip().encode()
        return bool(text) and len(text) / len(zlib.compress(text)) > REPETITIVE


def joined(texts: list[str], language: str) -> str:
    """One text of several, with spaces where the language has them."""
    return ("" if language in _SPACELESS else " ").join(t for t in texts if t)
