"""The way of a recording through Whisper, whatever runtime computes it.

Speech is found first and packed into chunks, so that silence is never written down and chunks of
all recordings share batches. Guards hold for every chunk: one that looks silent and was guessed at
is left out, one that repeats itself is decoded again with repetition forbidden, and speech after
the place where the model broke off or stopped is heard again from there. The first two judge by
the thresholds of OpenAI's own program.
"""

import json
from abc import abstractmethod
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from faster_whisper.vad import get_vad_model
from numpy.typing import NDArray

from atoll_inference.engines.base import BatchEngine, InvalidInput, Progress, Steps, Unit
from atoll_inference.engines.speech_chunks import RATE, SpeechChunk, speech_chunks
from atoll_inference.engines.tasks.speech import Segment, SpeechInput, SpeechResult, Word
from atoll_inference.engines.whisper_tokens import Phrase, WhisperTokens, joined
from atoll_inference.media.audio import Audio, mono, resample

UNKNOWN = "und"
"""The language of a recording in which nobody speaks (ISO 639-2, undetermined)."""

WINDOW = 30 * RATE
"""Samples that one forward pass hears."""

FRAMES = 3000
"""Frames of features in a window."""

ROUND = 16
"""Chunks of a recording that are prepared at once: 1 MB each at 80 mel bands."""

_NO_SPEECH = 0.6
_GUESSED = -1.0
_SURE = 0.5
_ASKED = 4
"""Chunks that are asked for the language when the first is not sure of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One chunk of speech as `forward` takes it.

    Attributes:
        features: float32, (mel bands, 3000), the chunk and silence behind it.
        seconds: of speech in it.
        language: a code; None lets a multilingual model find out, and is all that an English-only
            model knows.
        prompt: tokens before the start token.
        temperature: 0 chooses the likeliest token at each step.
        word_times: whether words are aligned.
    """

    features: NDArray[np.float32]
    seconds: float
    language: str | None
    prompt: tuple[int, ...]
    temperature: float
    word_times: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """The answer for a window; times in seconds of the chunk.

    Attributes:
        resume: where the model broke off.
        languages: probabilities by code, when the language had to be found out.
        log_probability: mean over the tokens.
        no_speech: probability that nobody speaks.
    """

    phrases: list[Phrase]
    resume: float | None = None
    language: str | None = None
    languages: dict[str, float] = field(default_factory=dict)
    log_probability: float = 0.0
    no_speech: float = 0.0
    words: list[Word] = field(default_factory=list)

    @property
    def is_silent(self) -> bool:
        """Whether the text is a guess at silence or noise."""
        return self.no_speech > _NO_SPEECH and self.log_probability < _GUESSED


Answer = tuple[SpeechChunk, Heard]


@dataclass(frozen=True, slots=True)
class _Way:
    """What stays the same for all chunks of an item."""

    samples: NDArray[np.float32]
    item: SpeechInput
    prompt: tuple[int, ...]


class WhisperSteps(BatchEngine):
    """What the engines of this family share. A unit is one `Window`, its output a `Heard`."""

    concurrency = 8

    @property
    @abstractmethod
    def tokens_of_model(self) -> WhisperTokens:
        """The loaded checkpoint's tokenizer."""

    @property
    @abstractmethod
    def is_multilingual(self) -> bool:
        """Whether the loaded model knows other languages than English."""

    @abstractmethod
    def extract(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Features of exactly `WINDOW` samples."""

    def steps(self, item: SpeechInput, progress: Progress) -> Steps:
        """Yields rounds of units until the recording ends.

        Raises:
            InvalidInput: the model does not know the language, or the prompt holds special tokens.
        """
        language = self._language(item.language)
        samples = _speech_samples(item.audio)
        progress(0.0, "finding speech")
        way = _Way(samples, item, self.tokens_of_model.prompt(item.prompt))
        chunks = speech_chunks(samples)
        heard: list[Answer] = []
        waiting: list[SpeechChunk] = []
        if self.is_multilingual and language is None:
            language, answers = yield from self._find_language(way, chunks)
            heard = [(c, a) for c, a in answers if a.language == language]
            waiting = [c for c, a in answers if a.language != language] + _rests(heard)
        while waiting := [*waiting, *islice(chunks, max(0, ROUND - len(waiting)))]:
            progress(min(1.0, waiting[-1].spans[0][0] / len(samples)), "transcribing")
            outputs = yield [self._unit(way, chunk, language) for chunk in waiting]
            answers = list(zip(waiting, outputs, strict=True))
            heard += answers
            waiting = _rests(answers)
        if not heard:
            yield []  # every way has a round, also that of a silent recording
        return self._result(item.audio, language, heard)

    def _find_language(
        self, way: _Way, chunks: Iterator[SpeechChunk]
    ) -> Generator[Sequence[Unit], list[Any], tuple[str | None, list[Answer]]]:
        """Hear the first chunk in the language it seems to be in, and some more when in doubt."""
        answers: list[Answer] = []
        for count in (1, _ASKED - 1):
            asked = list(islice(chunks, count))
            if not asked:
                break
            outputs = yield [self._unit(way, chunk, None) for chunk in asked]
            answers += zip(asked, outputs, strict=True)
            if max(answers[0][1].languages.values()) >= _SURE:
                break
        total: Counter[str] = Counter()
        for _, answer in answers:
            total.update(answer.languages)
        return (max(total, key=total.__getitem__) if total else None), answers

    def _unit(self, way: _Way, chunk: SpeechChunk, language: str | None) -> Unit:
        return Unit(
            Window(
                features=self.extract(_padded(chunk.cut(way.samples))),
                seconds=chunk.seconds,
                language=language,
                prompt=way.prompt,
                temperature=way.item.temperature,
                word_times=way.item.word_times,
            )
        )

    def _language(self, wanted: str | None) -> str | None:
        if not self.is_multilingual:
            if wanted is None or _base_code(wanted) == "en":
                return None
            raise InvalidInput(
                f"`language`: this model knows English alone, not {wanted!r}. Use a multilingual "
                "Whisper model, or leave the language out.",
                "language",
            )
        if wanted is None:
            return None
        code = _base_code(wanted)
        if code not in (known := self.tokens_of_model.languages()):
            raise InvalidInput(
                f"`language`: {wanted!r} is none of this model's languages. Give one of "
                f"{', '.join(sorted(known))}, or leave it out.",
                "language",
            )
        return code

    def _result(self, audio: Audio, language: str | None, heard: Sequence[Answer]) -> SpeechResult:
        if not self.is_multilingual:
            language = "en"
        duration = round(audio.seconds, 3)
        segments: list[Segment] = []
        words: list[Word] = []
        at = word_at = 0.0
        for chunk, answer in sorted(heard, key=lambda pair: pair[0].spans[0]):
            if answer.is_silent:
                continue
            for phrase in answer.phrases:
                text = self.tokens_of_model.text(phrase.tokens).strip()
                if text:
                    start, end = _placed(chunk, phrase.start, phrase.end, at, duration)
                    segments.append(Segment(start, end, text))
                    at = end
            for word in answer.words:
                start, end = _placed(chunk, word.start, word.end, word_at, duration)
                words.append(Word(start, end, word.word))
                word_at = end
        text = joined([segment.text for segment in segments], language or UNKNOWN)
        return SpeechResult(text, language or UNKNOWN, duration, tuple(segments), tuple(words))


def grouped(windows: Sequence[Window]) -> list[list[int]]:
    """Indices of windows that one call of a decoder can take together.

    Their prompts have the same length, so that nothing is padded, and they are sampled alike.
    Words are aligned for one language at a time, so a window whose language is yet to be found
    stands alone when its words are wanted.
    """
    groups: dict[tuple[Any, ...], list[int]] = {}
    for index, window in enumerate(windows):
        key: tuple[Any, ...] = (len(window.prompt), window.temperature, window.language is None)
        if window.word_times:
            key = (*key, window.language, index if window.language is None else None)
        groups.setdefault(key, []).append(index)
    return list(groups.values())


def window_bytes(folder: Path, bytes_per_number: int) -> int:
    """Memory that a forward pass takes for each window, at most.

    The largest array is the encoder's attention: every frame to every frame, for each head. Heads
    have 64 numbers in every Whisper, so their count tells the rest.
    """
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        heads = config.get("encoder_attention_heads") or 1 + max(
            head for _, head in config["alignment_heads"]
        )
    except (OSError, ValueError, KeyError, TypeError):
        heads = 20
    positions = FRAMES // 2
    return bytes_per_number * positions * heads * (positions + 14 * 64)


def hear_silence(engine: WhisperSteps) -> None:
    """One forward pass over silence, and one of the voice detector: what a warm-up needs."""
    get_vad_model()
    features = engine.extract(np.zeros(WINDOW, np.float32))
    language = "en" if engine.is_multilingual else None
    window = Window(
        features=features,
        seconds=1.0,
        language=language,
        prompt=(),
        temperature=0.0,
        word_times=False,
    )
    engine.forward([Unit(window)])


def _speech_samples(audio: Audio) -> NDArray[np.float32]:
    single = audio if audio.channels == 1 else Audio(mono(audio)[:, None], audio.rate)
    return mono(resample(single, RATE))


def _padded(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The window that begins with `samples`. The network was trained on silence behind speech."""
    return np.pad(samples[:WINDOW], (0, max(0, WINDOW - len(samples))))


def _base_code(language: str) -> str:
    """`en` of `en-US`."""
    return language.strip().lower().replace("_", "-").split("-")[0]


def _rests(answers: Sequence[Answer]) -> list[SpeechChunk]:
    """What has to be heard again: where the model broke off, and speech after its last phrase."""
    rests = []
    for chunk, answer in answers:
        if answer.resume is not None:
            rests.append(chunk.after(answer.resume))
        elif answer.phrases and (rest := chunk.beyond(answer.phrases[-1].end)) is not None:
            rests.append(rest)
    return rests


def _placed(
    chunk: SpeechChunk, start: float, end: float, not_before: float, duration: float
) -> tuple[float, float]:
    """Times in the recording, in order and within it, to a hundredth of a second."""
    begin = chunk.to_recording(start)
    stop = chunk.to_recording(end, is_end=True)
    begin = min(max(round(begin, 2), not_before), duration)
    return begin, min(max(round(stop, 2), begin), duration)
