"""How large an input may be."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaLimits:
    """Checked before and while decoding, so that a small file cannot become a large array.

    Attributes:
        image_pixels: most pixels of a picture, or of one frame of a video.
        audio_seconds: longest recording.
        video_seconds: longest video.
    """

    image_pixels: int = 50_000_000
    audio_seconds: float = 4 * 3600.0
    video_seconds: float = 2 * 3600.0
