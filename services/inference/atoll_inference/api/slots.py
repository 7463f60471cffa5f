"""Routes whose slot has no model: each says so before a body is read."""

from typing import cast

from starlette.types import ASGIApp, Receive, Scope, Send

from atoll_inference.api.state import State
from atoll_inference.api.tasks import TASKS
from atoll_inference.catalog.slots import Catalog
from atoll_kit.errors import ApiError, NotFound, Unavailable, error_response

PATHS = {
    "/v1/embeddings": "text_embedding",
    "/v1/rerank": "reranker",
    "/rerank": "reranker",
    "/v2/rerank": "reranker",
    "/v1/audio/transcriptions": "speech_recognition",
    "/v1/ocr": "ocr",
    **{f"/inference/{task}": task for task in TASKS},
}
"""Routes by path, and the slot each needs."""

_WITHOUT_ENGINE = {
    "/v1/vision/encode": "vision",
    "/v1/vision/similarity": "vision",
    "/v1/vision/batch": "vision",
    "/v1/multimodal/encode": "multimodal",
    "/v1/multimodal/match": "multimodal",
    "/v1/multimodal/search": "multimodal",
    "/v1/relation": "vision_language",
    "/v1/relation/consistency": "vision_language",
    "/v1/relation/conflict": "vision_language",
}


class EmptySlots:
    """Answers for slots without a model: 503 `model_not_installed`, 404 for an unknown task.

    A middleware rather than part of the routes, so that a recording of hundreds of megabytes is
    refused from its headers.
    """

    def __init__(self, app: ASGIApp, catalog: Catalog) -> None:
        self._app = app
        self._catalog = catalog

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = await self._refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self._app(scope, receive, send)
            return
        response = error_response(refusal)
        response.headers["Connection"] = "close"  # the body is not read
        await response(scope, receive, send)

    async def _refusal(self, scope: Scope) -> ApiError | None:
        path: str = scope["path"]
        if path in PATHS:
            service = cast(State, scope["app"].state.service)
            try:
                await service.registry.find(None, PATHS[path])
            except ApiError as error:
                return error
            return None
        slot = _WITHOUT_ENGINE.get(path)
        if slot is not None:
            return Unavailable(
                f"No model for {slot}. {self._catalog.remedy(slot, has_engine=False)}",
                code="model_not_installed",
            )
        if path.startswith("/inference/"):
            return NotFound(
                f"There is no task {path.removeprefix('/inference/')!r}. The tasks are: "
                f"{', '.join(TASKS)}.",
                code="task_not_found",
            )
        return None
