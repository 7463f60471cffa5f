"""Every setting of the chat backend. Nothing else reads the environment."""

from pathlib import Path
from typing import Literal

from pydantic import ByteSize, Field, model_validator

from atoll_kit.settings import Secret, ServiceSettings

Registration = Literal["open", "approval", "closed"]


class DataSettings(ServiceSettings):
    """Where the data are: all that commands need which only read, copy or replace them."""

    data_dir: Path = Field(
        default=Path("data"), description="Folder of the database, the files and the logs."
    )
    database_url: str | None = Field(
        default=None,
        description="SQLAlchemy URL of the database; by default `db/conversation.db` in DATA_DIR.",
    )

    @property
    def database_path(self) -> Path:
        """The SQLite file when `database_url` is not set."""
        return self.data_dir / "db" / "conversation.db"

    @property
    def files_dir(self) -> Path:
        """Where uploaded files are kept, named by id."""
        return self.data_dir / "files"


class Settings(DataSettings):
    """Environment variables of the chat backend; a field `data_dir` is the variable `DATA_DIR`."""

    chat_backend_host: str = Field(
        default="127.0.0.1", description="Address on which the chat backend listens."
    )
    chat_backend_port: int = Field(
        default=8000, ge=1, le=65535, description="Port on which the chat backend listens."
    )
    inference_url: str = Field(
        default="http://127.0.0.1:8085", description="Base URL of the inference service."
    )
    secret_key: Secret = Field(description="Key of the digests of sessions and API keys.")
    internal_token: Secret = Field(description="Token that the services show each other.")
    admin_username: str = Field(
        default="admin",
        pattern=r"^[\w.@-]{1,64}$",
        description="Name of the administrator made at the first start.",
    )
    admin_password: str | None = Field(
        default=None,
        description="First password of that administrator; generated into a file when unset.",
    )
    registration: Registration = Field(
        default="approval",
        description="Who may register: `open`, `approval` (an admin admits), `closed`.",
    )
    password_min_length: int = Field(
        default=10, ge=8, le=128, description="Shortest password accepted, in characters."
    )
    session_idle_days: float = Field(
        default=14, gt=0, description="Days without a request after which a session ends."
    )
    session_max_days: float = Field(
        default=90, gt=0, description="Days after which a session ends, however busy."
    )
    login_attempts: int = Field(
        default=10,
        ge=1,
        description="Failed log-ins per account and address before a pause, in 15 minutes.",
    )
    requests_per_minute: int = Field(
        default=600,
        ge=0,
        description="Model requests per user and minute through the API; 0 means no limit.",
    )
    max_concurrent: int = Field(
        default=8, ge=1, description="Generations of one user at the same time."
    )
    llm_api_url: str | None = Field(
        default=None,
        description="An OpenAI-compatible upstream: its base URL or its full completions URL.",
    )
    llm_model: str | None = Field(
        default=None, description="Name of the model to use at the upstream."
    )
    llm_api_key: str | None = Field(default=None, description="Key sent to the upstream.")
    max_message_chars: int = Field(
        default=200_000, ge=1, description="Longest message of a conversation, in characters."
    )
    run_queue_timeout: float = Field(
        default=120, gt=0, description="Seconds a run waits for a free place before it fails."
    )
    run_timeout: float = Field(default=900, gt=0, description="Longest generation, in seconds.")
    run_log_minutes: float = Field(
        default=60, ge=0, description="Minutes for which the events of a finished run are kept."
    )
    job_concurrency: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Jobs worked on at the same time, of all users together.",
    )
    jobs_per_user: int = Field(
        default=10, ge=1, description="Jobs of one user that may wait or run; more get 429."
    )
    job_timeout: float = Field(
        default=6 * 3600, gt=0, description="Longest work on one job, in seconds."
    )
    job_queue_timeout: float = Field(
        default=900,
        gt=0,
        description="Seconds for which a job whose turn has come waits for a model that is busy, "
        "loading or restarting.",
    )
    slow_client_seconds: float = Field(
        default=30, gt=0, description="Seconds a reader may keep its buffer full before it is cut."
    )
    watchdog_seconds: float = Field(
        default=300,
        ge=0,
        description="A service that hangs for this long ends itself and is started anew, in "
        "seconds; 0 never.",
    )
    max_body_bytes: ByteSize = Field(
        default=ByteSize(32 * 1024 * 1024), ge=65536, description="Largest request body, in bytes."
    )
    max_upload_bytes: ByteSize = Field(
        default=ByteSize(512 * 1024 * 1024),
        ge=65536,
        description="Largest uploaded file, in bytes.",
    )
    max_inflight_body_bytes: ByteSize = Field(
        default=ByteSize(1024 * 1024 * 1024),
        ge=65536,
        description="Largest sum of the bodies being received at one moment, in bytes.",
    )
    upload_min_rate: float = Field(
        default=16 * 1024, ge=0, description="Slowest upload accepted, in bytes per second."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Lowest level of log lines written."
    )

    @model_validator(mode="after")
    def _upstream_is_whole(self) -> "Settings":
        if self.llm_api_url and not self.llm_model:
            raise ValueError("LLM_MODEL must be set when LLM_API_URL is")
        return self

    @property
    def run_dir(self) -> Path:
        """The control socket and the spools of the running process; open to its user alone."""
        return self.data_dir / "run" / "chat-backend"
