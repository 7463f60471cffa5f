"""`POST /v1/rerank` in the form of Cohere and Jina."""

from typing import Annotated

from fastapi import APIRouter, Body, Request
from pydantic import BaseModel, ConfigDict, Field

from atoll_inference.api.chat_schema import Text
from atoll_inference.api.disconnect import cancelled_on_disconnect
from atoll_inference.api.examples import example
from atoll_inference.api.state import Service, Who
from atoll_inference.api.task_schema import ModelName
from atoll_inference.engines.tasks.retrieval import RerankInput, RerankResult
from atoll_inference.serving.cancel import Cancel
from atoll_inference.serving.client import deadline_in
from atoll_kit.errors import TooLarge

router = APIRouter(tags=["retrieval"])

_EXAMPLE = {
    "query": "When is high tide?",
    "documents": ["The cafe opens at eight.", "High water today is at 14:20."],
    "top_n": 1,
}


class Document(BaseModel):
    """A document as an object; other fields of it have no effect."""

    model_config = ConfigDict(extra="allow")

    text: Text


class RerankRequest(BaseModel):
    """Documents to put in order. Fields that are not listed have no effect."""

    model_config = ConfigDict(extra="allow")

    model: ModelName | None = None
    query: Text = Field(min_length=1)
    documents: list[Text | Document] = Field(min_length=1)
    top_n: int | None = Field(default=None, ge=1, description="How many to return; absent is all.")
    return_documents: bool | None = Field(
        default=None, description="Whether the results repeat the documents; absent is yes."
    )


class Ranked(BaseModel):
    """One document; `index` is its place in the request."""

    index: int
    relevance_score: float = Field(description="0 to 1.")
    document: Document | None = None
    truncated: bool = Field(description="Whether the end of the document was not read.")


class RerankUsage(BaseModel):
    """Tokens read."""

    total_tokens: int


class Reranked(BaseModel):
    """The most relevant document first."""

    id: str
    model: str
    results: list[Ranked]
    usage: RerankUsage


@router.post("/v1/rerank", response_model_exclude_none=True)
@router.post("/v2/rerank", response_model_exclude_none=True, include_in_schema=False)
@router.post("/rerank", response_model_exclude_none=True, include_in_schema=False)
async def rerank(
    body: Annotated[RerankRequest, Body(openapi_examples=example("Two documents", _EXAMPLE))],
    request: Request,
    service: Service,
    caller: Who,
) -> Reranked:
    """Order documents by how well they answer a query."""
    most = service.settings.max_rerank_documents
    if len(body.documents) > most:
        raise TooLarge(
            f"`documents` has {len(body.documents)} entries and may have {most}. Send them in "
            "parts.",
            code="too_many_inputs",
            param="documents",
        )
    texts = tuple(d if isinstance(d, str) else d.text for d in body.documents)
    cancel = Cancel()
    async with (
        cancelled_on_disconnect(request.receive, cancel),
        service.client.seat(
            "reranker",
            body.model,
            caller=caller,
            deadline=deadline_in(service.settings.request_timeout),
            cancel=cancel,
        ) as seat,
    ):
        outcome = await seat.run(lambda: RerankInput(body.query, texts))
        result: RerankResult = outcome.result
        # Equal scores keep the order of the request.
        order = sorted(range(len(texts)), key=lambda i: -result.scores[i])[: body.top_n]
        shown = body.return_documents is not False
        return Reranked(
            id=caller.request_id,
            model=seat.model,
            results=[
                Ranked(
                    index=i,
                    relevance_score=result.scores[i],
                    document=Document(text=texts[i]) if shown else None,
                    truncated=result.truncated[i],
                )
                for i in order
            ],
            usage=RerankUsage(total_tokens=result.tokens),
        )
