"""MODEL_PATH: one more checkpoint, elsewhere on the host."""

from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize(("used", "listed"), [("true", True), ("false", False)])
def test_a_checkpoint_elsewhere_is_listed_unless_it_is_switched_off(
    start_service: Any, tmp_path: Path, starter: Path, used: str, listed: bool
) -> None:
    service = start_service(
        MODELS_DIR=tmp_path, MODEL_PATH=starter.parent, USE_HOST_MODEL=used, PRELOAD="none"
    )
    models = [model["id"] for model in service.get("/v1/models").json()["data"]]
    assert (starter.parent.name in models) is listed
