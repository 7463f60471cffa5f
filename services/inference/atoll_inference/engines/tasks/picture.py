"""Image and video enhancement, face deepfake detection, text recognition."""

from dataclasses import dataclass, field
from pathlib import Path

from PIL.Image import Image

from atoll_inference.media.limits import MediaLimits


@dataclass(frozen=True, slots=True, eq=False)
class EnhanceImageInput:
    """An upright picture in mode L, LA, RGB or RGBA."""

    image: Image


@dataclass(frozen=True, slots=True, eq=False)
class EnhanceImageResult:
    """`image` has exactly twice the width and height, and the mode of the input."""

    image: Image


@dataclass(frozen=True, slots=True)
class EnhanceVideoInput:
    """A video file, and where to write the enhanced one (mp4; appears only when complete).

    `limits` bound its length and the pixels of a frame.
    """

    source: Path
    target: Path
    limits: MediaLimits = field(default_factory=MediaLimits)


@dataclass(frozen=True, slots=True)
class EnhanceVideoResult:
    """The new file, size of its pictures, count of frames, and length in seconds."""

    path: Path
    width: int
    height: int
    frames: int
    duration: float
    has_audio: bool


@dataclass(frozen=True, slots=True, eq=False)
class FaceDeepfakeInput:
    """An upright picture in mode RGB."""

    image: Image


@dataclass(frozen=True, slots=True)
class FaceScore:
    """`score` in [0, 1] that the face is fake; `box` is x, y, width, height in input pixels."""

    box: tuple[int, int, int, int]
    score: float


@dataclass(frozen=True, slots=True)
class FaceDeepfakeResult:
    """Of the face most likely fake. Without a face, `label` is None and there are no scores."""

    label: str | None
    score: float | None
    scores: dict[str, float] | None
    faces: tuple[FaceScore, ...]


@dataclass(frozen=True, slots=True, eq=False)
class OcrInput:
    """An upright picture in mode RGB."""

    image: Image


@dataclass(frozen=True, slots=True)
class OcrLine:
    """One line of text; `box` has four corners (x, y) in input pixels, clockwise from top left."""

    text: str
    score: float
    box: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class OcrResult:
    """Lines in reading order; none when the picture has no text."""

    lines: tuple[OcrLine, ...]
