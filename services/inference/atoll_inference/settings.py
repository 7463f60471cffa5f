"""Settings of the inference service. A field `queue_limit` is the variable `QUEUE_LIMIT`."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import ByteSize, Field, field_validator

from atoll_inference.media.limits import MediaLimits
from atoll_kit.allow_list import AllowList
from atoll_kit.settings import Secret, ServiceSettings

Positive = Annotated[float, Field(gt=0)]
PerModel = Annotated[str, Field(pattern=r"^[^\s,=]+(,[^\s,=]+=[^\s,=]+)*$")]
"""A value for every model, and others for single slots or models: `auto,ocr=cpu`."""


class ModelsSettings(ServiceSettings):
    """Where checkpoints are; also for the commands that run without the service."""

    models_dir: Path = Field(
        default=Path("models"), description="Folder of the checkpoints, one folder for each slot."
    )
    model_catalog: Path | None = Field(
        default=None,
        description="The catalog file; default catalog.toml in MODELS_DIR or in this release.",
    )


class Settings(ModelsSettings):
    """Everything an operator can set, read once at start."""

    internal_token: Secret = Field(
        description="Shared secret of the services; every call but the health probes carries it."
    )
    inference_host: str = Field(default="127.0.0.1", description="Address to listen on.")
    inference_port: int = Field(default=8085, ge=1, le=65535, description="Port to listen on.")
    model_path: Path | None = Field(
        default=None, description="One more checkpoint outside MODELS_DIR: a folder or a GGUF file."
    )
    use_host_model: bool = Field(
        default=True, description="false leaves MODEL_PATH out, as if it were not set."
    )
    data_dir: Path = Field(default=Path("data"), description="Logs go to its subfolder `logs`.")
    log_level: str = Field(default="INFO", description="Lowest level that is logged.")
    device: PerModel = Field(
        default="auto",
        description="Where models run: cpu, cuda:N, or auto (a GPU when the runtime sees one). "
        "More after commas for a slot or a model: `auto,speech_recognition=cpu`.",
    )
    dtype: PerModel = Field(
        default="auto",
        description="Number format of models: fp32, fp16, bf16, int8, or auto (the fastest with "
        "the same answers). More after commas for a slot or a model: `auto,reranker=int8`.",
    )
    threads: int | None = Field(
        default=None,
        ge=1,
        le=1024,
        description="Processor threads of an engine; default what this process may use.",
    )
    preload: str = Field(
        default="default",
        description="Models or slots loaded at start, separated by commas, or `none`. The service "
        "is ready once they are loaded and have answered.",
    )
    memory_budget: ByteSize = Field(
        default=ByteSize(0),
        description="Memory all loaded models may take together by estimate, such as 6GiB; 0 sets "
        "no limit. The one unused for longest is unloaded to make room.",
    )
    chat_context: int | None = Field(
        default=None,
        ge=256,
        le=1_048_576,
        description="Tokens of prompt and answer in one chat request; default what the checkpoint "
        "says, at most 8192.",
    )
    chat_parallel: int = Field(
        default=4, ge=1, le=64, description="Chat requests that a model generates at once."
    )
    queue_limit: int = Field(
        default=64, ge=0, le=10_000, description="Requests that wait for a model; more get 429."
    )
    request_timeout: Positive = Field(
        default=600, description="Longest time for one request, waiting included, in seconds."
    )
    slow_client_seconds: Positive = Field(
        default=30, description="A reader that stops reading for this long is dropped, in seconds."
    )
    stall_seconds: Positive = Field(
        default=60,
        description="Silence of a working engine after which the service is not ready, in seconds.",
    )
    watchdog_seconds: float = Field(
        default=300,
        ge=0,
        description="A service that hangs, or whose engine has stalled, for this long ends itself "
        "and is started anew, in seconds; 0 never.",
    )
    output_buffer_bytes: int = Field(
        default=65_536,
        ge=64,
        description="Unread text kept for one answer, and again by the kernel.",
    )
    max_body_bytes: ByteSize = Field(
        default=ByteSize(8 * 1024 * 1024), description="Largest request body of text routes."
    )
    max_media_bytes: ByteSize = Field(
        default=ByteSize(512 * 1024 * 1024),
        description="Largest body, upload or fetched file of routes that take audio, images or "
        "video.",
    )
    max_json_bytes: ByteSize = Field(
        default=ByteSize(64 * 1024 * 1024),
        description="Largest JSON body of those routes, which holds media as base64 text.",
    )
    max_image_pixels: int = Field(
        default=50_000_000, ge=1, description="Largest picture, or frame of a video, in pixels."
    )
    max_audio_seconds: Positive = Field(
        default=4 * 3600, description="Longest recording, in seconds."
    )
    max_video_seconds: Positive = Field(default=2 * 3600, description="Longest video, in seconds.")
    sync_max_pixels: int = Field(
        default=8_000_000,
        ge=1,
        description="Most pixels that video_enhancement works on while the client waits, all "
        "frames together; more has to be a job.",
    )
    max_batch_inputs: int = Field(
        default=64, ge=1, le=4096, description="Most inputs of one batch request."
    )
    max_rerank_documents: int = Field(
        default=1000, ge=1, description="Most documents of one rerank request."
    )
    max_embedding_texts: int = Field(
        default=2048, ge=1, description="Most texts of one embedding request."
    )
    url_fetch_allowlist: str = Field(
        default="",
        description="Hosts that inputs given as a URL may come from, separated by commas; empty "
        "allows none.",
    )
    media_roots: str = Field(
        default="",
        description="Folders that inputs given as a path may lie in, separated by commas; empty "
        "allows none.",
    )
    max_inflight_body_bytes: ByteSize = Field(
        default=ByteSize(1024 * 1024 * 1024), description="Largest sum of bodies being received."
    )
    chat_backend_url: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="Where usage is reported; unset reports none.",
    )

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
            raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
        return value.upper()

    @field_validator("device")
    @classmethod
    def _known_devices(cls, value: str) -> str:
        return _check_each(value, r"auto|cpu|cuda:\d+", "auto, cpu or cuda:N")

    @field_validator("dtype")
    @classmethod
    def _known_dtypes(cls, value: str) -> str:
        return _check_each(value, "auto|fp32|fp16|bf16|int8", "auto, fp32, fp16, bf16 or int8")

    @field_validator("url_fetch_allowlist")
    @classmethod
    def _readable_hosts(cls, value: str) -> str:
        AllowList.parse(value)
        return value

    @field_validator("media_roots")
    @classmethod
    def _absolute_roots(cls, value: str) -> str:
        for folder in folders(value):
            if not folder.is_absolute() or ".." in folder.parts:
                raise ValueError(f"{str(folder)!r} must be an absolute path without `..`")
        return value

    @property
    def preload_names(self) -> tuple[str, ...]:
        """The names in PRELOAD; empty for `none`."""
        names = [name.strip() for name in self.preload.split(",")]
        return tuple(name for name in names if name and name != "none")

    @property
    def media_limits(self) -> MediaLimits:
        """How large an input of a request may be."""
        return MediaLimits(
            image_pixels=self.max_image_pixels,
            audio_seconds=self.max_audio_seconds,
            video_seconds=self.max_video_seconds,
        )

    @property
    def spool_dir(self) -> Path:
        """Where inputs and results wait while they are worked on; emptied at start."""
        return self.data_dir / "spool"

    @property
    def cache_dir(self) -> Path:
        """Where weights converted for a runtime are kept between starts."""
        return self.data_dir / "cache"


def folders(setting: str) -> tuple[Path, ...]:
    """The paths in a setting that separates them by commas."""
    return tuple(Path(part.strip()) for part in setting.split(",") if part.strip())


def value_for(setting: str, *names: str) -> str:
    """The value of a `PerModel` setting for the first of `names` that it mentions."""
    general, *special = setting.split(",")
    values = dict(entry.split("=", 1) for entry in special)
    return next((values[name] for name in names if name in values), general)


def _check_each(setting: str, pattern: str, allowed: str) -> str:
    for entry in setting.split(","):
        if re.fullmatch(pattern, entry.rpartition("=")[2]) is None:
            raise ValueError(f"{entry!r}: the value must be {allowed}")
    return setting
