"""The product's own engines with the shipped weights, for measuring."""

from collections.abc import Callable
from pathlib import Path

from atoll_inference.catalog.discovery import Discovery
from atoll_inference.catalog.slots import Catalog
from atoll_inference.catalog.starters import fetch_starter
from atoll_inference.engines.base import BatchEngine
from atoll_inference.engines.factory import SERVED, build_engine
from atoll_inference.engines.runtime import Runtime
from training import TrainingFailed

THREADS = 2


class Engines:
    """Installs starters as `make models-starter` does and loads the engines that serve them.

    Args:
        models_dir: where they are installed.
    """

    def __init__(self, catalog: Catalog, models_dir: Path, say: Callable[[str], None]) -> None:
        self._catalog = catalog
        self._models_dir = models_dir
        self._say = say
        self._loaded: dict[str, BatchEngine] = {}

    def load(self, slot: str) -> BatchEngine:
        """The engine of the slot's starter, loaded.

        Raises:
            TrainingFailed: the slot has no starter, or it cannot be served in batches.
        """
        if slot not in self._loaded:
            starter = self._catalog.slots[slot].starter
            if starter is None:
                raise TrainingFailed(f"{slot} has no starter.")
            folder = fetch_starter(
                slot, starter, self._models_dir, self._say, catalog=self._catalog
            )
            found = Discovery(self._models_dir, SERVED).inspect(folder, slot)
            if found.problem is not None:
                raise TrainingFailed(found.problem)
            # Where figures are compared, a processor gives the same ones everywhere.
            engine = build_engine(found, Runtime(device="cpu", threads=THREADS))
            if not isinstance(engine, BatchEngine):
                raise TrainingFailed(f"The engine of {slot} answers no batches.")
            engine.load(lambda fraction, stage: None)
            self._loaded[slot] = engine
        return self._loaded[slot]

    def close(self) -> None:
        """Free every engine."""
        for engine in self._loaded.values():
            engine.unload()
        self._loaded.clear()
