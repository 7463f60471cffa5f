"""Shapes of jobs."""

import json
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from atoll_chat.jobs.tables import JobRow
from atoll_chat.paging import Page

Status = Literal["queued", "running", "complete", "failed", "cancelled"]
UNFINISHED: tuple[Status, ...] = ("queued", "running")

TaskName = Literal[
    "speech_recognition",
    "emotion_detection",
    "text_summarization",
    "audio_denoising",
    "video_enhancement",
    "audio_deepfake",
    "face_deepfake",
]

MAX_PARAMETERS = 16 * 1024
INPUTS = frozenset({"audio", "image", "video", "text", "inputs"})
"""Fields in which a request to a task carries what it works on."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class JobInput(_Strict):
    """What the task works on: one of your files."""

    file_id: str


class JobCreate(_Strict):
    """A task, its input, and what else `/inference/{task}` takes."""

    task: TaskName
    input: JobInput
    parameters: dict[str, Any] = Field(
        default_factory=dict,
        description="Parameters as for POST /inference/{task}, such as `model` or `language`.",
    )

    @field_validator("parameters")
    @classmethod
    def _no_second_input(cls, parameters: dict[str, Any]) -> dict[str, Any]:
        if named := INPUTS & parameters.keys():
            raise ValueError(f"must not hold {', '.join(sorted(named))}: the input is `input`")
        if len(json.dumps(parameters)) > MAX_PARAMETERS:
            raise ValueError(f"must have at most {MAX_PARAMETERS} characters as JSON")
        return parameters


class JobError(BaseModel):
    """Why a job failed, and what to do."""

    code: str
    message: str


class JobSource(BaseModel):
    """The file that a job works on; its name as it was when the job was made."""

    file_id: str
    name: str


class JobProgress(BaseModel):
    """How far the work is: `fraction` from 0 to 1."""

    fraction: float
    stage: str | None


class JobResult(BaseModel):
    """The file that a job made; it belongs to the job's user like any other."""

    file_id: str
    name: str
    media_type: str
    size: int = Field(description="Bytes.")


class Job(BaseModel):
    """A task on a file. `position` is its place in the queue, from 1, while it waits there."""

    id: str
    task: TaskName
    input: JobSource
    parameters: dict[str, Any]
    status: Status
    position: int | None = None
    progress: JobProgress
    model: str | None
    result: JobResult | None
    error: JobError | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, row: JobRow, position: int | None = None) -> "Job":
        """The job in `row`."""
        return cls.model_validate(
            {
                "id": row.id,
                "task": row.task,
                "input": {"file_id": row.input_id, "name": row.input_name},
                "parameters": row.parameters,
                "status": row.status,
                "position": position if row.status == "queued" else None,
                "progress": {"fraction": row.fraction, "stage": row.stage},
                "model": row.model,
                "result": row.result,
                "error": row.error,
                "created_at": row.created_at,
                "started_at": row.started_at,
                "finished_at": row.finished_at,
            }
        )


class JobPage(Page[Job]):
    """Jobs, the newest first."""


class JobAccepted(BaseModel):
    """The job that was stored and will be worked on."""

    job: Job
