"""Routes of jobs."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Query, Response

from atoll_chat.accounts.dependencies import CurrentUser
from atoll_chat.backend import Backend, backend
from atoll_chat.event_stream import MEDIA_TYPE
from atoll_chat.jobs.schemas import Job, JobAccepted, JobCreate, JobPage
from atoll_chat.runs.sse import RunEvents

router = APIRouter(tags=["jobs"])

Held = Annotated[Backend, Depends(backend)]
MAX_ID = 2**53
EventId = Annotated[
    int | None, Query(ge=0, le=MAX_ID, description="As the header, for clients without it.")
]
LastEventId = Annotated[int | None, Header(ge=0, le=MAX_ID, description="Resume after this event.")]

_FILE = "0198a5c2f4b07e3c9a1d5b6e7f809a1b"
_EXAMPLES: dict[str, Any] = {
    "video": {
        "summary": "A video at twice its size",
        "value": {"task": "video_enhancement", "input": {"file_id": _FILE}},
    },
    "speech": {
        "summary": "What is said in a long recording",
        "value": {
            "task": "speech_recognition",
            "input": {"file_id": _FILE},
            "parameters": {"language": "en"},
        },
    },
}


@router.post("/api/jobs", status_code=202)
async def create_job(
    body: Annotated[JobCreate, Body(openapi_examples=_EXAMPLES)], user: CurrentUser, held: Held
) -> JobAccepted:
    """Work on a file in the background. The result is a file of yours, when the job is complete."""
    return JobAccepted(job=await held.jobs.create(user, body))


@router.get("/api/jobs")
async def list_jobs(
    user: CurrentUser,
    held: Held,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> JobPage:
    """The user's jobs, the newest first."""
    page = await held.jobs.page(user.user_id, cursor, limit)
    return JobPage(items=page.items, next_cursor=page.next_cursor)


@router.get("/api/jobs/{job_id}")
async def get_job(job_id: str, user: CurrentUser, held: Held) -> Job:
    """One job."""
    return await held.jobs.get(user.user_id, job_id)


@router.post("/api/jobs/{job_id}/cancel")
async def cancel_job(job_id: str, user: CurrentUser, held: Held) -> Job:
    """End the job; nothing of its result is kept. A finished job stays as it is."""
    return await held.jobs.cancel(user.user_id, job_id)


@router.get(
    "/api/jobs/{job_id}/events",
    response_class=Response,
    responses={
        200: {
            "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
            "description": "Events `queued`, `progress`, then `done` or `error`.",
        },
        204: {"description": "The final event was sent already; do not connect again."},
    },
)
async def follow_job(
    job_id: str,
    user: CurrentUser,
    held: Held,
    last_event_id: LastEventId = None,
    resume: Annotated[EventId, Query(alias="last_event_id")] = None,
) -> Response:
    """How the job stands, as it changes. A reader that was away gets the newest state."""
    after = last_event_id if last_event_id is not None else resume or 0
    reader = await held.jobs.follow(user.user_id, job_id, after)
    if reader is None:
        return Response(status_code=204)

    async def still_allowed() -> None:
        await held.accounts.authenticator.recheck(user, f"/api/jobs/{job_id}/events")

    return RunEvents(reader, slow_seconds=held.settings.slow_client_seconds, recheck=still_allowed)
