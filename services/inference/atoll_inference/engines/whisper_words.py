"""Times of words from the attention between text and sound, as faster-whisper reads it."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import WhisperModel, merge_punctuations

from atoll_inference.engines.tasks.speech import Word

FRAMES_PER_SECOND = 100
"""Of the features."""

_TOKENS_PER_SECOND = 50
_BEFORE = "\"'“¿([{-"
_AFTER = "\"'.。,，!！?？:：”)]}、"

Align = Callable[..., Sequence[Any]]
"""Called with (encoded, start tokens, text tokens of each window, frames of each window,
median_filter_width=…); gives objects with `alignments` (pairs of text and time index) and
`text_token_probs`, in order: `ctranslate2.models.Whisper.align`, or the same computed elsewhere."""


def align_words(
    align: Align,
    tokenizer: Tokenizer,
    encoded: Any,
    texts: Sequence[Sequence[int]],
    seconds: Sequence[float],
) -> list[list[Word]]:
    """The words of each window with their times in seconds of the chunk.

    Args:
        tokenizer: for the language that all windows are in.
        encoded: the encoder's output for the windows.
        texts: text tokens of each window, without times.
        seconds: of speech in each window.
    """
    if not any(texts):
        return [[] for _ in texts]
    model = SimpleNamespace(
        model=SimpleNamespace(align=align), tokens_per_second=_TOKENS_PER_SECOND
    )
    frames = [max(2, round(length * FRAMES_PER_SECOND)) for length in seconds]
    found = WhisperModel.find_alignment(
        model, tokenizer, [list(text) for text in texts], encoded, frames
    )
    words = []
    for alignment, length in zip(found, seconds, strict=True):
        merge_punctuations(alignment, _BEFORE, _AFTER)
        words.append(
            [
                Word(min(float(w["start"]), length), min(float(w["end"]), length), text)
                for w in alignment
                if (text := w["word"].strip())
            ]
        )
    return words
