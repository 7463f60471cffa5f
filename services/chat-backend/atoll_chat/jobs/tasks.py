"""What each task works on, and what its result is called."""

from pathlib import PurePath

from atoll_chat.files.schemas import File
from atoll_chat.jobs.schemas import TaskName
from atoll_kit.errors import TooLarge, UnsupportedType

MAX_TEXT = 2 * 1024 * 1024
"""Longest text file that a job reads, in bytes."""

_KINDS: dict[TaskName, str] = {
    "speech_recognition": "audio",
    "emotion_detection": "text",
    "text_summarization": "text",
    "audio_denoising": "audio",
    "audio_deepfake": "audio",
    "face_deepfake": "image",
}
_WORDS: dict[TaskName, str] = {
    "speech_recognition": "transcript",
    "emotion_detection": "emotion",
    "text_summarization": "summary",
    "audio_denoising": "denoised",
    "video_enhancement": "enhanced",
    "audio_deepfake": "deepfake",
    "face_deepfake": "deepfake",
}
_VIDEO = frozenset(
    {
        ".mp4",
        ".m4v",
        ".mov",
        ".webm",
        ".mkv",
        ".avi",
        ".mpg",
        ".mpeg",
        ".ts",
        ".ogv",
        ".wmv",
        ".flv",
    }
)
_IMAGE = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif"})
_ENDINGS = {
    "application/json": ".json",
    "audio/wav": ".wav",
    "image/png": ".png",
    "video/mp4": ".mp4",
}
_LONGEST_STEM = 200


def kind_of(task: TaskName, file: File) -> str:
    """The field in which the request to `task` carries `file`: audio, image, video or text.

    Raises:
        UnsupportedType: neither a picture nor a video, where the task needs to know.
        TooLarge: `text_too_large`.
    """
    kind = _KINDS.get(task) or _picture_or_video(file)
    if kind == "text" and file.size > MAX_TEXT:
        raise TooLarge(
            f"A text may have at most {MAX_TEXT} bytes. Send it in parts.",
            code="text_too_large",
            param="input.file_id",
        )
    return kind


def result_name(task: TaskName, input_name: str, media_type: str, given: str = "") -> str:
    """The name of a result: `holiday.enhanced.mp4` for `holiday.mp4`.

    Args:
        given: what inference calls it, whose ending counts when the type's is not known.
    """
    ending = _ENDINGS.get(media_type) or PurePath(given).suffix.lower()
    if not ending[1:].isascii() or not ending[1:].isalnum() or len(ending) > 9:
        ending = ".bin"
    stem = PurePath(input_name).stem[:_LONGEST_STEM] or "result"
    return f"{stem}.{_WORDS[task]}{ending}"


def _picture_or_video(file: File) -> str:
    kind = file.media_type.partition("/")[0]
    if kind in ("image", "video"):
        return kind
    # A program that uploads often says application/octet-stream.
    ending = PurePath(file.name).suffix.lower()
    if ending in _VIDEO:
        return "video"
    if ending in _IMAGE:
        return "image"
    raise UnsupportedType(
        f"{file.name} is {file.media_type}, and this task takes a picture or a video. Upload the "
        "file with its media type, such as video/mp4.",
        param="input.file_id",
    )
