"""Chunks of speech, phrases of tokens, and the guards between them."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tiny_whisper import make_tiny_whisper

from atoll_inference.engines import speech_chunks as chunks_module
from atoll_inference.engines.base import BatchLimits, Progress, Unit
from atoll_inference.engines.speech_chunks import CHUNK_SECONDS, RATE, SpeechChunk, speech_chunks
from atoll_inference.engines.tasks.speech import SpeechInput
from atoll_inference.engines.whisper_steps import FRAMES, Heard, WhisperSteps, Window
from atoll_inference.engines.whisper_tokens import Phrase, WhisperTokens
from atoll_inference.media.audio import Audio, decode_audio
from atoll_inference.media.limits import MediaLimits

SPEECH = Path(__file__).resolve().parents[3] / "tests" / "media" / "speech"


@pytest.fixture(scope="module")
def speech() -> NDArray[np.float32]:
    """Twelve seconds of speech at 16 kHz."""
    names = ("agent-incorrect.wav", "confbridge-lock-extended.wav")
    return np.concatenate(
        [decode_audio(SPEECH / name, MediaLimits(), rate=RATE).samples[:, 0] for name in names]
    )


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> WhisperTokens:
    return WhisperTokens(make_tiny_whisper(tmp_path_factory.mktemp("en")))


def pauses(seconds: float) -> NDArray[np.float32]:
    return np.zeros(round(seconds * RATE), np.float32)


def covered(chunks: list[SpeechChunk], length: int) -> NDArray[np.bool_]:
    """Which tenths of a second are in a chunk; chunks are in order and never overlap."""
    spans = [span for chunk in chunks for span in chunk.spans]
    assert all(0 <= start < end <= length for start, end in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    assert all(0 < chunk.seconds <= CHUNK_SECONDS for chunk in chunks)
    mask = np.zeros(length, bool)
    for start, end in spans:
        mask[start:end] = True
    return mask[:: RATE // 10]


def test_speech_is_found_between_long_pauses(speech: NDArray[np.float32]) -> None:
    recording = np.concatenate([pauses(20), speech, pauses(40), speech, pauses(5)])
    chunks = list(speech_chunks(recording))
    found = covered(chunks, len(recording))
    first, second = 200, 600 + len(speech) * 10 // RATE
    assert not found[: first - 10].any()
    assert not found[first + 10 + len(speech) * 10 // RATE : second - 10].any()
    assert found.sum() > 1.4 * len(speech) * 10 / RATE
    assert len(chunks) == 1
    cut = chunks[0].cut(recording)
    assert len(cut) == pytest.approx(chunks[0].seconds * RATE)


def test_speech_without_a_pause_is_cut_to_fit(speech: NDArray[np.float32]) -> None:
    loud = speech[np.convolve(np.abs(speech), np.ones(800) / 800, "same") > 0.02]
    recording = np.tile(loud, 1 + 100 * RATE // len(loud))
    chunks = list(speech_chunks(recording))
    assert covered(chunks, len(recording)).mean() > 0.9
    assert len(chunks) >= 4


def test_the_end_of_a_block_cuts_no_speech(
    speech: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = np.concatenate([speech, pauses(3)] * 8)
    whole = covered(list(speech_chunks(recording)), len(recording))
    monkeypatch.setattr(chunks_module, "_BLOCK", 31 * RATE)
    pieces = covered(list(speech_chunks(recording)), len(recording))
    assert (whole != pieces).mean() < 0.03


def test_chunks_are_full_and_end_at_pauses(speech: NDArray[np.float32]) -> None:
    recording = np.concatenate([speech, pauses(2)] * 20)
    chunks = list(speech_chunks(recording))
    assert np.mean([chunk.seconds for chunk in chunks[:-1]]) > 0.75 * CHUNK_SECONDS


def test_times_of_a_chunk_become_those_of_the_recording() -> None:
    chunk = SpeechChunk(((10 * RATE, 14 * RATE), (20 * RATE, 22 * RATE), (22 * RATE, 25 * RATE)))
    assert chunk.seconds == 9
    assert chunk.end == 25
    assert [chunk.to_recording(t) for t in (0, 1, 3, 4.5, 6, 8, 9, 50)] == [
        10, 11, 13, 20.5, 22, 24, 25, 25,
    ]  # fmt: skip
    # Close to a seam a beginning belongs to what follows and an end to what was before.
    assert chunk.to_recording(3.7) == 20
    assert chunk.to_recording(3.7, is_end=True) == 13.7
    assert chunk.to_recording(4.2) == 20.2
    assert chunk.to_recording(4.2, is_end=True) == 14
    # Where nothing was left out, there is no seam.
    assert chunk.to_recording(5.9) == 21.9
    assert chunk.to_recording(6.1, is_end=True) == 22.1
    assert chunk.after(1).spans == ((11 * RATE, 14 * RATE), *chunk.spans[1:])
    assert chunk.after(3.8).spans == chunk.spans[1:]
    assert chunk.beyond(3.9) == SpeechChunk(chunk.spans[1:])
    assert chunk.beyond(4.1) == SpeechChunk(chunk.spans[1:])
    assert chunk.beyond(5.0) == SpeechChunk(chunk.spans[2:])
    assert chunk.beyond(8.0) is None


def test_phrases_are_split_at_their_times(tokens: WhisperTokens) -> None:
    def at(seconds: float) -> int:
        return tokens.first_time + round(seconds / 0.02)

    complete = [at(0), 1, 2, at(2), at(2.5), 3, at(4)]
    assert tokens.phrases(complete, 10) == (
        [Phrase(0, 2, (1, 2)), Phrase(2.5, 4, (3,))],
        None,
    )
    # A pair of times at the end: the model heard more and had no room for it.
    assert tokens.phrases([*complete, at(4)], 10) == (tokens.phrases(complete, 10)[0], 4)
    # Text without a time at its end is heard again from the last time.
    broken = [*complete, at(5), 7, 8]
    assert tokens.phrases(broken, 10) == (tokens.phrases(complete, 10)[0], 5)
    # With too little left to hear again, or nothing gained, the text is kept.
    assert tokens.phrases(broken, 5.5)[0][-1] == Phrase(5, 5.5, (7, 8))
    assert tokens.phrases([at(0), 1, 2], 10) == ([Phrase(0, 10, (1, 2))], None)
    assert tokens.phrases([], 10) == ([], None)
    assert tokens.phrases([at(0), at(30)], 10) == ([], None)
    # Times never leave the chunk.
    assert tokens.phrases([at(8), 1, at(29)], 10) == ([Phrase(8, 10, (1,))], None)


def test_a_text_that_goes_round_in_circles_is_noticed(tokens: WhisperTokens) -> None:
    letters = list(range(60))
    assert not tokens.is_repetitive([])
    assert not tokens.is_repetitive(letters)
    assert tokens.is_repetitive(letters[:6] * 20)


class Scripted(WhisperSteps):
    """Answers from a list, to see what becomes of them."""

    def __init__(self, folder: Path, answers: Sequence[Heard], multilingual: bool = False) -> None:
        self._tokens = WhisperTokens(folder)
        self._multilingual = multilingual
        self._answers = list(answers)
        self.windows: list[Window] = []

    @property
    def limits(self) -> BatchLimits:
        return BatchLimits(8, 8)

    @property
    def tokens_of_model(self) -> WhisperTokens:
        return self._tokens

    @property
    def is_multilingual(self) -> bool:
        return self._multilingual

    def extract(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.zeros((80, FRAMES), np.float32)

    def forward(self, units: Sequence[Unit]) -> list[Any]:
        self.windows += [unit.data for unit in units]
        return [self._answers.pop(0) for _ in units]

    def bytes_estimate(self) -> int:
        return 0

    def load(self, progress: Progress) -> None:
        raise NotImplementedError

    def warmup(self) -> None:
        raise NotImplementedError

    def unload(self) -> None:
        raise NotImplementedError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_whisper(tmp_path_factory.mktemp("many"), multilingual=True)


def heard(*phrases: tuple[float, float, str], **more: Any) -> Heard:
    """Phrases of single letters, whose token is their place after `!`."""
    split = [
        Phrase(start, end, tuple(ord(letter) - ord("!") for letter in text))
        for start, end, text in phrases
    ]
    return Heard(phrases=split, **more)


def test_what_looks_silent_and_was_guessed_is_left_out(
    folder: Path, speech: NDArray[np.float32]
) -> None:
    item = SpeechInput(audio=Audio(speech[:, None], RATE))
    end = len(speech) / RATE
    for no_speech, sureness, text in ((0.9, -1.5, ""), (0.9, -0.5, "you"), (0.1, -1.5, "you")):
        answer = heard((0, end, "you"), no_speech=no_speech, log_probability=sureness)
        assert Scripted(folder, [answer]).run(item).text == text


def test_where_the_model_broke_off_or_stopped_it_hears_on(
    folder: Path, speech: NDArray[np.float32]
) -> None:
    recording = np.concatenate([speech, pauses(3), speech[: 5 * RATE]])
    item = SpeechInput(audio=Audio(recording[:, None], RATE))
    length = next(iter(speech_chunks(recording))).seconds
    broke_off = Scripted(folder, [heard((0, 6, "one"), resume=6.0), heard((0, length - 6, "two"))])
    result = broke_off.run(item)
    assert result.text == "one two"
    assert result.segments[1].start == pytest.approx(result.segments[0].end, abs=0.5)
    assert broke_off.windows[1].seconds == pytest.approx(length - 6, abs=0.5)

    stopped = Scripted(folder, [heard((0, 12.5, "one")), heard((0, 4, "two"))])
    result = stopped.run(item)
    assert result.text == "one two"
    assert result.segments[1].start == pytest.approx(len(speech) / RATE + 3, abs=0.6)


@pytest.mark.parametrize(
    ("first", "rest", "language", "windows"),
    [
        ({"de": 0.9, "en": 0.1}, [], "de", 4),
        ({"de": 0.4, "en": 0.35, "fr": 0.25}, [{"en": 0.9, "de": 0.1}] * 3, "en", 5),
    ],
    ids=["sure", "in doubt"],
)
def test_the_language_is_that_of_the_first_chunk_unless_in_doubt(
    folder: Path,
    speech: NDArray[np.float32],
    first: dict[str, float],
    rest: list[dict[str, float]],
    language: str,
    windows: int,
) -> None:
    recording = np.tile(np.concatenate([speech, pauses(1)]), 8)
    chunks = list(speech_chunks(recording))
    assert len(chunks) == 4

    def answer(languages: dict[str, float]) -> Heard:
        found = max(languages, key=languages.__getitem__, default=None)
        return heard((0, 29, "yes"), languages=languages, language=found)

    scripted = [answer(languages) for languages in (first, *rest)]
    engine = Scripted(folder, scripted + [answer({})] * 4, multilingual=True)
    result = engine.run(SpeechInput(audio=Audio(recording[:, None], RATE)))
    assert result.language == language
    assert result.text == "yes yes yes yes"
    assert len(engine.windows) == windows
    asked = 1 + len(rest)
    assert {window.language for window in engine.windows[:asked]} == {None}
    assert {window.language for window in engine.windows[asked:]} == {language}
