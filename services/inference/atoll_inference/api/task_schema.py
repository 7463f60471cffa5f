"""Requests and results of the tasks under `/inference/`, as clients send and read them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class MediaObject(BaseModel):
    """A file by one of four ways."""

    model_config = ConfigDict(extra="forbid")

    data: str | None = Field(default=None, description="A data URI or base64 text.")
    url: str | None = Field(
        default=None, max_length=4096, description="Fetched when URL_FETCH_ALLOWLIST has its host."
    )
    path: str | None = Field(
        default=None, max_length=4096, description="Read when it lies in one of MEDIA_ROOTS."
    )
    file_id: str | None = Field(
        default=None, max_length=64, description="A file of yours, uploaded to /api/files."
    )

    @model_validator(mode="after")
    def _one(self) -> "MediaObject":
        given = [name for name in ("data", "url", "path", "file_id") if getattr(self, name)]
        if len(given) != 1:
            raise ValueError("give exactly one of data, url, path and file_id")
        return self


Media = Annotated[str, Field(min_length=1)] | MediaObject
"""A data URI or base64 text, or an object that says where the file is."""

ModelName = Annotated[
    str, Field(max_length=200, description="A model id or alias; absent is the slot's default.")
]


class TaskRequest(BaseModel):
    """What every task takes beside its input."""

    model_config = ConfigDict(extra="forbid")

    model: ModelName | None = None


class SpeechRequest(TaskRequest):
    """A recording to write down."""

    audio: Media | None = None
    inputs: list[Media] | None = Field(default=None, description="Several recordings.")
    language: str | None = Field(
        default=None,
        pattern=r"^[a-zA-Z]{2,3}$",
        description="ISO 639 code; absent lets a multilingual model find out.",
    )
    prompt: str | None = Field(default=None, max_length=2000, description="Words likely to occur.")
    temperature: float = Field(default=0.0, ge=0, le=1)


class EmotionRequest(TaskRequest):
    """A text to judge."""

    text: str | None = None
    inputs: list[str] | None = Field(default=None, description="Several texts.")


class SummaryRequest(TaskRequest):
    """A text to shorten."""

    text: str | None = None
    inputs: list[str] | None = Field(default=None, description="Several texts.")
    max_tokens: int | None = Field(
        default=None, ge=1, le=4096, description="Longest summary, in the model's tokens."
    )
    min_tokens: int | None = Field(default=None, ge=0, le=4096, description="Shortest summary.")


class SoundRequest(TaskRequest):
    """A recording to clean or to judge."""

    audio: Media | None = None
    inputs: list[Media] | None = Field(default=None, description="Several recordings.")


class EnhanceRequest(TaskRequest):
    """A picture or a video to enlarge."""

    image: Media | None = None
    video: Media | None = None
    inputs: list[Media] | None = Field(default=None, description="Several pictures.")


class FaceRequest(TaskRequest):
    """A picture with faces to judge."""

    image: Media | None = None
    inputs: list[Media] | None = Field(default=None, description="Several pictures.")


class SegmentOut(BaseModel):
    """A phrase; times in seconds."""

    start: float
    end: float
    text: str


class SpeechOut(BaseModel):
    """What was said; empty when nobody speaks."""

    text: str
    language: str
    duration: float = Field(description="Length of the recording in seconds.")
    segments: list[SegmentOut]


class EmotionOut(BaseModel):
    """How the text sounds."""

    label: str
    scores: dict[str, float] = Field(description="By the checkpoint's labels.")
    tokens: int = Field(description="Tokens read.")


class SummaryOut(BaseModel):
    """The short form."""

    summary: str
    input_tokens: int
    summary_tokens: int
    chunks: int = Field(description="Pieces that a long text was cut into.")


class DenoiseOut(BaseModel):
    """The cleaned recording."""

    audio: str = Field(description="A 16-bit PCM WAV file in base64.")
    sample_rate: int = Field(description="The same as of the input, in Hz.")
    model_sample_rate: int = Field(description="What the model heard; higher tones are lost.")
    duration: float = Field(description="In seconds.")


class FileOut(BaseModel):
    """A result kept as a file, for jobs."""

    id: str
    media_type: str
    bytes: int
    name: str


class EnhanceOut(BaseModel):
    """The enlarged picture or video."""

    image: str | None = Field(default=None, description="A PNG file in base64.")
    video: str | None = Field(default=None, description="An MP4 file in base64.")
    file: FileOut | None = None
    width: int
    height: int
    frames: int | None = None
    duration: float | None = None


class WindowOut(BaseModel):
    """A piece of the recording; times in seconds."""

    start: float
    end: float
    score: float


class AudioDeepfakeOut(BaseModel):
    """Whether the recording is synthetic."""

    label: Literal["real", "fake"]
    score: float = Field(description="How likely it is fake, 0 to 1.")
    scores: dict[str, float]
    windows: list[WindowOut]


class FaceOut(BaseModel):
    """One face; `box` is x, y, width, height in pixels of the upright picture."""

    box: tuple[int, int, int, int]
    score: float


class FaceDeepfakeOut(BaseModel):
    """Whether a face is synthetic. Without a face there is no label and no score."""

    label: Literal["real", "fake"] | None
    score: float | None = Field(description="Of the face most likely fake, 0 to 1.")
    scores: dict[str, float] | None
    faces: list[FaceOut]


class TimingsOut(BaseModel):
    """Where the time went, in seconds."""

    queue: float
    preprocess: float
    forward: float
    postprocess: float
    total: float


class Answer(BaseModel):
    """Answer to a single input."""

    task: str
    model: str
    result: Any
    timings: TimingsOut


class BatchAnswer(BaseModel):
    """Answer to `inputs`: in order, each with `result` and `timings` or with its own `error`."""

    task: str
    model: str
    results: list[dict[str, Any]]
