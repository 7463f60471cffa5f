"""Settings of the inference service. A field `queue_limit` is the variable `QUEUE_LIMIT`."""

from pathlib import Path
from typing import Annotated

from pydantic import ByteSize, Field, field_validator

from atoll_kit.settings import Secret, ServiceSettings

Positive = Annotated[float, Field(gt=0)]


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
    data_dir: Path = Field(default=Path("data"), description="Logs go to its subfolder `logs`.")
    log_level: str = Field(default="INFO", description="Lowest level that is logged.")
    device: str = Field(
        default="auto",
        pattern=r"^(auto|cpu|cuda:\d+)$",
        description="Where models run: cpu, cuda:N, or auto (a GPU when the runtime sees one).",
    )
    threads: int | None = Field(
        default=None,
        ge=1,
        le=1024,
        description="Processor threads of an engine; default what this process may use.",
    )
    preload: str = Field(
        default="default",
        description="Models loaded at start, separated by commas, or `none`. The service is ready "
        "once they are loaded and have answered.",
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
    output_buffer_bytes: int = Field(
        default=65_536,
        ge=64,
        description="Unread text kept for one answer, and again by the kernel.",
    )
    max_body_bytes: ByteSize = Field(
        default=ByteSize(8 * 1024 * 1024), description="Largest request body."
    )
    max_inflight_body_bytes: ByteSize = Field(
        default=ByteSize(256 * 1024 * 1024), description="Largest sum of bodies being received."
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

    @property
    def preload_names(self) -> tuple[str, ...]:
        """The names in PRELOAD; empty for `none`."""
        names = [name.strip() for name in self.preload.split(",")]
        return tuple(name for name in names if name and name != "none")
