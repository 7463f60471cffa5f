"""Speech recognition."""

from dataclasses import dataclass

from atoll_inference.media.audio import Audio


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SpeechInput:
    """A recording of any length.

    Attributes:
        language: ISO 639-1 code, also with a region (`en-US`); None lets a multilingual model find
            out.
        prompt: words or names that are likely to occur; of a long one the last 223 tokens count.
        temperature: 0 (greedy) to 1.
        word_times: whether each word's time is wanted too.
    """

    audio: Audio
    language: str | None = None
    prompt: str | None = None
    temperature: float = 0.0
    word_times: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """One word; times in seconds from the start of the recording."""

    start: float
    end: float
    word: str


@dataclass(frozen=True, slots=True)
class Segment:
    """A phrase; times in seconds from the start of the recording, never overlapping."""

    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True)
class SpeechResult:
    """What was said.

    Attributes:
        text: empty when nobody speaks, as are `segments` and `words`.
        language: as given or found; `und` when a multilingual model was to find it and nobody
            speaks.
        duration: of the recording, in seconds.
        words: in order, when they were asked for.
    """

    text: str
    language: str
    duration: float
    segments: tuple[Segment, ...]
    words: tuple[Word, ...] = ()
