"""What a checkpoint for sound says about its input, and cutting recordings by it."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from atoll_inference.engines.base import LoadFailed
from atoll_inference.media.audio import Audio, mono, resample

PREPROCESSOR = "preprocessor_config.json"

SILENCE = 1e-4
"""A window with a smaller root mean square, 80 dB below full scale, has nothing to judge."""


class SoundInput(BaseModel):
    """The parts of preprocessor_config.json that matter here.

    Attributes:
        sampling_rate: in Hz.
        do_normalize: each window is brought to mean 0 and variance 1.
        window_seconds: length of a window; as it was in training, where the file says so.
        repeat_short: a recording shorter than a window is repeated until it fills one, as the
            fine-tune here does. Otherwise it is heard at its own length.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    sampling_rate: int = Field(default=16_000, ge=1000, le=192_000)
    do_normalize: bool = False
    window_seconds: float = Field(default=4.0, ge=0.1, le=60.0)
    repeat_short: bool = False

    @property
    def window(self) -> int:
        """Samples of a window."""
        return round(self.window_seconds * self.sampling_rate)

    def heard(self, audio: Audio) -> NDArray[np.float32]:
        """The recording in mono at the model's rate, of shape (frames,)."""
        return resample(Audio(mono(audio)[:, None], audio.rate), self.sampling_rate).samples[:, 0]

    def windows(self, samples: NDArray[np.float32]) -> "list[Window]":
        """Windows of the model's rate side by side, the last one aligned to the end.

        Windows of silence are left out.

        Args:
            samples: as of `heard`.
        """
        length = min(self.window, len(samples))
        starts = list(range(0, len(samples) - length + 1, max(1, length)))
        if starts and starts[-1] + length < len(samples):
            starts.append(len(samples) - length)
        return [
            Window(start, start + length)
            for start in starts
            if loudness(samples[start : start + length]) >= SILENCE
        ]

    def values(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the model takes for one window, of shape (frames,)."""
        if self.repeat_short and len(samples) < self.window:
            samples = np.resize(samples, self.window)
        if self.do_normalize:
            centred = samples - samples.mean()
            samples = centred / np.sqrt(np.mean(centred * centred) + 1e-7)
        return np.ascontiguousarray(samples, np.float32)


@dataclass(frozen=True, slots=True)
class Window:
    """Samples of a recording, from `start` to before `end`."""

    start: int
    end: int


def read_sound_input(folder: Path) -> SoundInput:
    """What the folder's preprocessor_config.json says.

    Raises:
        LoadFailed: it is absent, damaged, or for something else than samples.
    """
    path = folder / PREPROCESSOR
    try:
        content = json.loads(path.read_text("utf-8"))
        kind = content.get("feature_extractor_type", "Wav2Vec2FeatureExtractor")
        if kind != "Wav2Vec2FeatureExtractor":
            raise ValueError(f"the feature extractor is {kind}, and the engine hands over samples")
        return SoundInput.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise LoadFailed(f"{path}: {first['loc'][0]}: {first['msg']}.") from error
    except (OSError, ValueError, AttributeError) as error:
        raise LoadFailed(f"{path} cannot be used: {error}. Fetch the checkpoint again.") from error


def loudness(samples: NDArray[np.float32]) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
