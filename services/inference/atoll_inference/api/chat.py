"""`POST /v1/chat/completions` in OpenAI's form."""

import time
from contextlib import aclosing
from typing import Annotated, Any, cast

from fastapi import APIRouter, Body, Request, Response
from fastapi.responses import JSONResponse

from atoll_inference.api.chat_answer import (
    AnswerMessage,
    ChatCompletion,
    Choice,
    Usage,
    usage_of,
)
from atoll_inference.api.chat_schema import ChatCompletionRequest
from atoll_inference.api.disconnect import cancelled_on_disconnect
from atoll_inference.api.event_stream import ChatEventStream, Events
from atoll_inference.api.state import Service, Who
from atoll_inference.engines.chat import Delta, Finished
from atoll_inference.serving.cancel import Cancel
from atoll_inference.serving.client import Served, deadline_in

router = APIRouter(tags=["chat"])

_EXAMPLE = {
    "summary": "A short question",
    "value": {
        "messages": [{"role": "user", "content": "What is the capital of France?"}],
        "max_tokens": 64,
    },
}


@router.post("/v1/chat/completions", response_model=ChatCompletion)
async def create_chat_completion(
    body: Annotated[
        ChatCompletionRequest, Body(openapi_examples={"question": cast(Any, _EXAMPLE)})
    ],
    request: Request,
    service: Service,
    caller: Who,
) -> Response:
    """Answer a conversation, at once or as a stream of server-sent events."""
    cancel = Cancel()
    events = service.client.stream(
        body.model,
        body.to_engine(),
        caller=caller,
        deadline=deadline_in(service.settings.request_timeout),
        cancel=cancel,
    )
    identifier = f"chatcmpl-{caller.request_id}"
    if body.stream:
        options = body.stream_options
        return ChatEventStream(
            events,
            identifier=identifier,
            include_usage=options is not None and options.include_usage,
            cancel=cancel,
            slow_client_s=service.settings.slow_client_seconds,
        )
    async with cancelled_on_disconnect(request.receive, cancel):
        return await _complete(events, identifier)


async def _complete(events: Events, identifier: str) -> JSONResponse:
    texts: list[str] = []
    model = ""
    async with aclosing(events) as stream:
        async for event in stream:
            if isinstance(event, Served):
                model = event.id
            elif isinstance(event, Delta):
                texts.append(event.text)
            elif isinstance(event, Finished):
                answer = ChatCompletion(
                    id=identifier,
                    created=int(time.time()),
                    model=model,
                    choices=[
                        Choice(
                            message=AnswerMessage(content="".join(texts)),
                            finish_reason=event.reason,
                        )
                    ],
                    usage=Usage.model_validate(usage_of(event)),
                )
                return JSONResponse(answer.model_dump())
    raise AssertionError("a stream of events ends with Finished or raises")
