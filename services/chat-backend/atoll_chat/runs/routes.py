"""Routes of runs, and those of messages that start one."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Response

from atoll_chat.accounts.dependencies import CurrentUser
from atoll_chat.backend import Backend, backend
from atoll_chat.conversations.schemas import MessageCreate, Regenerate
from atoll_chat.conversations.service import Newest
from atoll_chat.event_stream import MEDIA_TYPE
from atoll_chat.runs.schemas import Accepted, Run
from atoll_chat.runs.sse import RunEvents

router = APIRouter(tags=["runs"])

Held = Annotated[Backend, Depends(backend)]
MAX_ID = 2**53
EventId = Annotated[
    int | None, Query(ge=0, le=MAX_ID, description="As the header, for clients without it.")
]
LastEventId = Annotated[int | None, Header(ge=0, le=MAX_ID, description="Resume after this event.")]


@router.post("/api/conversations/{conversation_id}/messages", status_code=202)
async def send_message(
    conversation_id: str, body: MessageCreate, user: CurrentUser, held: Held
) -> Accepted:
    """Ask. The answer is written by the run, whether or not anybody watches its events."""
    given = "parent_id" in body.model_fields_set
    return await held.runs.start(
        user,
        conversation_id,
        content=body.content,
        parent_id=body.parent_id if given else Newest.LEAF,
        model=body.model,
    )


@router.post(
    "/api/conversations/{conversation_id}/messages/{message_id}/regenerate", status_code=202
)
async def regenerate_answer(
    conversation_id: str,
    message_id: str,
    user: CurrentUser,
    held: Held,
    body: Regenerate | None = None,
) -> Accepted:
    """Another answer to the same question, beside the answer `message_id`."""
    model = body.model if body else None
    return await held.runs.regenerate(user, conversation_id, message_id, model)


@router.get("/api/runs/{run_id}")
async def get_run(run_id: str, user: CurrentUser, held: Held) -> Run:
    """One run."""
    return await held.runs.get(user.user_id, run_id)


@router.post("/api/runs/{run_id}/cancel")
async def cancel_run(run_id: str, user: CurrentUser, held: Held) -> Run:
    """Stop the run; the text so far is kept. A finished run stays as it is."""
    return await held.runs.cancel(user.user_id, run_id)


@router.get(
    "/api/runs/{run_id}/events",
    response_class=Response,
    responses={
        200: {
            "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
            "description": "Events `message`, `queued`, `delta`, `usage`, then `done` or `error`.",
        },
        204: {"description": "The final event was sent already; do not connect again."},
    },
)
async def follow_run(
    run_id: str,
    user: CurrentUser,
    held: Held,
    last_event_id: LastEventId = None,
    resume: Annotated[EventId, Query(alias="last_event_id")] = None,
) -> Response:
    """The events of the run as they happen, those of the past first."""
    after = last_event_id if last_event_id is not None else resume or 0
    reader = await held.runs.follow(user.user_id, run_id, after)
    if reader is None:
        return Response(status_code=204)
    return RunEvents(reader, slow_seconds=held.settings.slow_client_seconds)
