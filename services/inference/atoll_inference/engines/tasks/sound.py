"""Audio denoising and audio deepfake detection."""

from dataclasses import dataclass

from atoll_inference.media.audio import Audio


@dataclass(frozen=True, slots=True, eq=False)
class DenoiseInput:
    """A recording of any length, rate and number of channels."""

    audio: Audio


@dataclass(frozen=True, slots=True, eq=False)
class DenoiseResult:
    """`audio` has the rate, channels and frames of the input; the model heard `model_rate` Hz."""

    audio: Audio
    model_rate: int


@dataclass(frozen=True, slots=True, eq=False)
class AudioDeepfakeInput:
    """A recording of any length; it is judged in windows."""

    audio: Audio


@dataclass(frozen=True, slots=True)
class WindowScore:
    """`score` in [0, 1] that the window (seconds from the start) is fake."""

    start: float
    end: float
    score: float


@dataclass(frozen=True, slots=True)
class AudioDeepfakeResult:
    """`label` is `real` or `fake`; `score` in [0, 1] that the recording is fake."""

    label: str
    score: float
    scores: dict[str, float]
    windows: tuple[WindowScore, ...]
