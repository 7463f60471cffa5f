"""Emotion detection and summarization."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EmotionInput:
    """A text of any length; a long one is judged in windows."""

    text: str


@dataclass(frozen=True, slots=True)
class EmotionResult:
    """`scores` by the checkpoint's labels, each in [0, 1]; `label` has the highest.

    They sum to 1, unless the checkpoint says that a text may have several labels. `tokens` and
    `windows` say how much was read, and in how many windows.
    """

    label: str
    scores: dict[str, float]
    tokens: int
    windows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryInput:
    """A text of any length. Lengths are in tokens of the summary; None is the checkpoint's own.

    A long text is summarised in chunks, and the joined summaries again, until they fit the model;
    the lengths are those of the last summary. Without `min_tokens` a text is never made longer: the
    checkpoint's own minimum then ends at half of the text.
    """

    text: str
    max_tokens: int | None = None
    min_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class SummaryResult:
    """`chunks` is how many pieces the text was cut into; 1 when it fitted whole."""

    summary: str
    input_tokens: int
    summary_tokens: int
    chunks: int
