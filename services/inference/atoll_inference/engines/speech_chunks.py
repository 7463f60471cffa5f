"""Finds the speech in a recording and packs it into chunks that fit Whisper's window.

Voice activity is judged by the Silero network that faster-whisper brings along, on the CPU and on
a few minutes at a time, so that memory does not grow with the recording.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from faster_whisper.vad import VadOptions, get_speech_timestamps
from numpy.typing import NDArray

RATE = 16_000
"""Samples a second that both networks want."""

CHUNK_SECONDS = 29.0
"""Longest chunk. The second that is left of the window is silent, and lets Whisper end its last
phrase instead of leaving it open."""

_CHUNK = int(CHUNK_SECONDS * RATE)
_FULL = 3 * _CHUNK // 4
_ROOM = 4 * RATE // 10
_NEAR = 5 * RATE // 10
_LEEWAY = 2 * RATE // 10
_BLOCK = 300 * RATE
_EDGE = RATE
_OPTIONS = VadOptions(
    max_speech_duration_s=(_CHUNK - 2 * _ROOM) / RATE, min_silence_duration_ms=160, speech_pad_ms=0
)


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """Neighbouring stretches of speech; the silence between them is left out.

    Attributes:
        spans: beginnings and ends in samples of the recording, in order, not overlapping,
            together at most `CHUNK_SECONDS` long.
    """

    spans: tuple[tuple[int, int], ...]

    @property
    def seconds(self) -> float:
        """Its length, without the silence."""
        return sum(end - start for start, end in self.spans) / RATE

    @property
    def end(self) -> float:
        """Where it ends in the recording, in seconds."""
        return self.spans[-1][1] / RATE

    def cut(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Its samples, put together."""
        return np.concatenate([samples[start:end] for start, end in self.spans])

    def after(self, seconds: float) -> "SpeechChunk":
        """What is left of it after its first `seconds`, which are fewer than it has."""
        place = round(self.to_recording(seconds) * RATE)
        return SpeechChunk(tuple((max(s, place), e) for s, e in self.spans if e > place))

    def beyond(self, seconds: float) -> "SpeechChunk | None":
        """The stretches that begin after its first `seconds`; None when there is none."""
        place = round(self.to_recording(seconds, is_end=True) * RATE)
        spans = tuple(span for span in self.spans if span[0] >= place - _LEEWAY)
        return SpeechChunk(spans) if spans and spans != self.spans else None

    def to_recording(self, seconds: float, *, is_end: bool = False) -> float:
        """The time in the recording of a time in the chunk.

        Times that the model gives are off by some tenths of a second. Around a seam that would be
        off by the whole pause that was left out, so there a beginning goes to the speech after the
        pause, and an end to the speech before it.
        """
        position = max(0, round(seconds * RATE))
        for (_, before), (start, end), (after, _) in zip(
            (self.spans[0], *self.spans), self.spans, (*self.spans[1:], (0, 0)), strict=False
        ):
            length = end - start
            if is_end and before < start and position < min(_NEAR, length // 2):
                return before / RATE
            if position < length:
                is_late = position >= max(length - _NEAR, length // 2)
                return (
                    after if not is_end and after > end and is_late else start + position
                ) / RATE
            position -= length
        return self.end


def speech_chunks(samples: NDArray[np.float32]) -> Iterator[SpeechChunk]:
    """The speech of a recording, in order; nothing for one without speech.

    A chunk ends at the longest pause of its last quarter, which is most likely between sentences.

    Args:
        samples: mono at `RATE`, of any length; read piece by piece.
    """
    waiting: list[_Stretch] = []
    for stretch in _with_room(_speech(samples), len(samples)):
        while waiting and sum(s.length for s in waiting) + stretch.length > _CHUNK:
            cut = _best_cut([*waiting, stretch])
            yield SpeechChunk(tuple((s.start, s.end) for s in waiting[:cut]))
            waiting = waiting[cut:]
        waiting.append(stretch)
    if waiting:
        yield SpeechChunk(tuple((s.start, s.end) for s in waiting))


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Speech with some room around it; `pause` is the silence before it, all in samples."""

    start: int
    end: int
    pause: int

    @property
    def length(self) -> int:
        return self.end - self.start


def _best_cut(stretches: list[_Stretch]) -> int:
    """How many of the stretches, the last of which does not fit, make a chunk; 1 or more."""
    lengths = list(accumulate(s.length for s in stretches))
    last = len(stretches) - 1
    late = [i for i in range(1, last) if lengths[i - 1] >= _FULL]
    return max([last, *late], key=lambda index: stretches[index].pause)


def _with_room(spans: Iterator[tuple[int, int]], length: int) -> Iterator[_Stretch]:
    """Let every stretch begin earlier and end later, up to the middle of the pause between two."""
    done = 0
    pause = length
    before = next(spans, None)
    while before is not None:
        after = next(spans, None)
        silence = (length if after is None else after[0]) - before[1]
        stop = before[1] + min(_ROOM, silence if after is None else silence // 2)
        yield _Stretch(max(done, before[0] - _ROOM), stop, pause)
        done, pause, before = stop, silence, after


def _speech(samples: NDArray[np.float32]) -> Iterator[tuple[int, int]]:
    """Beginnings and ends of speech, as the network hears it block by block."""
    begin = done = 0
    while begin < len(samples):
        stop = min(begin + _BLOCK, len(samples))
        found = get_speech_timestamps(np.ascontiguousarray(samples[begin:stop]), _OPTIONS)
        spans = [(begin + span["start"], begin + span["end"]) for span in found]
        following = stop
        if stop < len(samples):
            # A stretch that runs into the end of the block is judged again from its beginning.
            following = stop - _EDGE // 2
            if spans and spans[-1][1] > stop - _EDGE and spans[-1][0] > begin + _EDGE:
                following = spans.pop()[0] - _EDGE // 2
        for start, end in spans:
            if end > done:
                yield max(start, done), min(end, max(start, done) + _CHUNK - 2 * _ROOM)
                done = end
        begin = following
