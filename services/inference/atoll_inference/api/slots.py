"""Routes whose slot has no engine in this release: each says so before reading a body."""

from starlette.types import ASGIApp, Receive, Scope, Send

from atoll_inference.catalog.families import SLOTS
from atoll_inference.catalog.slots import Catalog
from atoll_kit.errors import ApiError, NotFound, Unavailable, error_response

TASKS = SLOTS[SLOTS.index("speech_recognition") :]

_PATHS = {
    "/v1/embeddings": "text_embedding",
    "/v1/rerank": "reranker",
    "/rerank": "reranker",
    "/v2/rerank": "reranker",
    "/v1/audio/transcriptions": "speech_recognition",
    "/v1/ocr": "ocr",
    "/v1/vision/encode": "vision",
    "/v1/vision/similarity": "vision",
    "/v1/vision/batch": "vision",
    "/v1/multimodal/encode": "multimodal",
    "/v1/multimodal/match": "multimodal",
    "/v1/multimodal/search": "multimodal",
    "/v1/relation": "vision_language",
    "/v1/relation/consistency": "vision_language",
    "/v1/relation/conflict": "vision_language",
    **{f"/inference/{task}": task for task in TASKS},
}


class EmptySlots:
    """Answers for slots without an engine: 503 `model_not_installed`, 404 for an unknown task.

    A middleware rather than routes, so that a recording of hundreds of megabytes is refused from
    its headers.
    """

    def __init__(self, app: ASGIApp, catalog: Catalog) -> None:
        self._app = app
        self._catalog = catalog

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope["path"]) if scope["type"] == "http" else None
        if refusal is None:
            await self._app(scope, receive, send)
            return
        response = error_response(refusal)
        response.headers["Connection"] = "close"  # the body is not read
        await response(scope, receive, send)

    def _refusal(self, path: str) -> ApiError | None:
        slot = _PATHS.get(path)
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
