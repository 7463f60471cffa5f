"""Whether the service can do its work now, and keeping the preloaded models loaded."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from atoll_inference.serving.model import Model
from atoll_inference.serving.registry import Registry
from atoll_kit.errors import ApiError
from atoll_kit.logs import get_logger

log = get_logger(__name__)

RETRY_S = 3.0
"""How often the models folder is looked at while a preloaded model is missing, in seconds."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """The answer of a probe; `code` and `message` say what is missing."""

    ready: bool
    code: str = "ready"
    message: str = "Every preloaded model is loaded, has answered once, and makes progress."


class Preload:
    """The models that have to be loaded before the service counts as ready.

    Args:
        names: model ids or `default`; empty means that there is nothing to wait for.
    """

    def __init__(self, registry: Registry, names: Sequence[str]) -> None:
        self._registry = registry
        self._names = tuple(names)
        self._why: dict[str, Readiness] = {}

    async def run(self) -> None:
        """Load each name once, in order; wait for files that are missing or broken to change.

        A model that was loaded and then unloaded by an operator is not loaded again.
        """
        for name in self._names:
            reported = ""
            while True:
                try:
                    model = await self._registry.find(name)
                    if model.state == "failed":
                        raise self._failed(model)
                    await self._registry.load(model)
                    break
                except ApiError as error:
                    self._why[name] = Readiness(False, error.code, error.message)
                    if error.message != reported:
                        log.warning("preload_waits", model=name, reason=error.message)
                        reported = error.message
                except Exception as error:
                    self._why[name] = Readiness(False, "model_failed", str(error))
                    log.error("preload_failed", model=name, exc_info=error)
                await asyncio.sleep(RETRY_S)

    def state(self) -> Readiness:
        """Readiness now; reads memory only, so a probe never waits behind work."""
        for name in self._names:
            missing = self._check(name)
            if missing is not None:
                return missing
        stalled = self.stalled()
        if stalled is not None:
            return Readiness(
                False,
                "model_stalled",
                f"{stalled.id} has work and has produced nothing for too long.",
            )
        return Readiness(True)

    def stalled(self) -> Model | None:
        """A model that has work and no progress, if there is one."""
        for model in self._registry.models:
            if model.lane is not None and not model.lane.progressing:
                return model
        return None

    def _check(self, name: str) -> Readiness | None:
        model = self._registry.peek(name)
        if model is not None and model.state == "ready":
            return None
        if model is not None and model.state == "loading":
            return Readiness(False, "model_loading", f"{model.id} is loading.")
        if model is not None and model.state == "failed":
            error = self._failed(model)
            return Readiness(False, error.code, error.message)
        return self._why.get(name) or Readiness(
            False, "model_not_loaded", f"The model {name!r} of PRELOAD is not loaded."
        )

    @staticmethod
    def _failed(model: Model) -> ApiError:
        return ApiError(
            f"{model.id} cannot be served: {model.problem}", status=503, code="model_failed"
        )
