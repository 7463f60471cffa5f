"""`POST /v1/embeddings` in OpenAI's form."""

import base64
from typing import Annotated, Any, Literal

import numpy as np
import pydantic_core
from fastapi import APIRouter, Body, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from atoll_inference.api.chat_schema import Text
from atoll_inference.api.disconnect import cancelled_on_disconnect
from atoll_inference.api.examples import example
from atoll_inference.api.state import Service, Who
from atoll_inference.api.task_schema import ModelName
from atoll_inference.engines.tasks.retrieval import EmbeddingInput, EmbeddingResult
from atoll_inference.serving.cancel import Cancel
from atoll_inference.serving.client import deadline_in
from atoll_kit.errors import BadRequest, TooLarge, Unprocessable

router = APIRouter(tags=["retrieval"])


class EmbeddingsRequest(BaseModel):
    """Texts to turn into vectors. Fields that are not listed have no effect."""

    model_config = ConfigDict(extra="allow")

    model: ModelName | None = None
    input: Text | list[Text] | list[int] | list[list[int]] = Field(
        description="One text or several. Token numbers are not taken."
    )
    encoding_format: Literal["float", "base64"] | None = "float"
    dimensions: int | None = Field(
        default=None, ge=1, description="Keep the first so many numbers of each vector."
    )


class EmbeddingItem(BaseModel):
    """One vector; `truncated` says that the end of the text was not read."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str = Field(
        description="Numbers, or little-endian 32-bit floats in base64."
    )
    truncated: bool


class EmbeddingsUsage(BaseModel):
    """Tokens read."""

    prompt_tokens: int
    total_tokens: int


class Embeddings(BaseModel):
    """Vectors in the order of the texts."""

    object: Literal["list"] = "list"
    data: list[EmbeddingItem]
    model: str
    usage: EmbeddingsUsage


@router.post("/v1/embeddings", response_model=Embeddings)
async def create_embeddings(
    body: Annotated[
        EmbeddingsRequest,
        Body(openapi_examples=example("Two texts", {"input": ["a harbour", "a port"]})),
    ],
    request: Request,
    service: Service,
    caller: Who,
) -> Response:
    """Turn texts into vectors."""
    texts = _texts(body, service.settings.max_embedding_texts)
    as_base64 = body.encoding_format == "base64"
    cancel = Cancel()
    async with (
        cancelled_on_disconnect(request.receive, cancel),
        service.client.seat(
            "text_embedding",
            body.model,
            caller=caller,
            deadline=deadline_in(service.settings.request_timeout),
            cancel=cancel,
        ) as seat,
    ):
        outcome = await seat.run(
            lambda: EmbeddingInput(texts, body.dimensions),
            lambda result: _tell(result, seat.model, as_base64=as_base64),
        )
    return Response(outcome.result, media_type="application/json")


def _texts(body: EmbeddingsRequest, most: int) -> tuple[str, ...]:
    given = [body.input] if isinstance(body.input, str) else body.input
    if not given:
        raise Unprocessable("`input` is empty. Send at least one text.", param="input")
    if len(given) > most:
        raise TooLarge(
            f"`input` has {len(given)} texts and may have {most}. Send them in parts.",
            code="too_many_inputs",
            param="input",
        )
    texts = tuple(text for text in given if isinstance(text, str))
    if len(texts) != len(given):
        raise BadRequest(
            "`input` has token numbers, which belong to one tokenizer alone. Send the text.",
            code="unsupported_content",
            param="input",
        )
    return texts


def _tell(result: EmbeddingResult, model: str, *, as_base64: bool) -> bytes:
    rows: list[Any] = (
        [base64.b64encode(row.astype("<f4").tobytes()).decode("ascii") for row in result.vectors]
        if as_base64
        else np.asarray(result.vectors, np.float32).tolist()
    )
    return pydantic_core.to_json(
        {
            "object": "list",
            "data": [
                {"object": "embedding", "index": i, "embedding": row, "truncated": truncated}
                for i, (row, truncated) in enumerate(zip(rows, result.truncated, strict=True))
            ],
            "model": model,
            "usage": {"prompt_tokens": result.tokens, "total_tokens": result.tokens},
        }
    )
