"""Real photographs that come with scikit-image and scikit-learn, and the face detector."""

import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ASTRONAUT = (180, 60, 90, 115)
"""x, y, width and height of the face in `astronaut.png`, by eye."""

CAMERAMAN = (195, 112, 66, 85)
"""The same in `camera.png`, a grey picture of a man behind a camera."""

WITHOUT_FACES = (
    "coffee.png",
    "chelsea.png",
    "rocket.jpg",
    "brick.png",
    "grass.png",
    "motorcycle_left.png",
    "page.png",
    "hubble_deep_field.jpg",
    "china.jpg",
    "flower.jpg",
)


def photograph(name: str) -> Image.Image:
    """In mode RGB."""
    for package, folder in (("skimage", "data"), ("sklearn", "datasets/images")):
        spec = find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        path = Path(spec.origin).parent / folder / name
        if path.is_file():
            return Image.open(path).convert("RGB")
    raise FileNotFoundError(name)


def small_faces() -> list[Image.Image]:
    """A hundred faces of 25 x 25 pixels, grey."""
    spec = find_spec("skimage")
    assert spec is not None
    assert spec.origin is not None
    faces = np.load(Path(spec.origin).parent / "data" / "lfw_subset.npy")[:100]
    return [Image.fromarray((face * 255).astype(np.uint8)).convert("RGB") for face in faces]


def face_detector() -> Path:
    """The folder of the installed detector."""
    models = Path(os.environ.get("ATOLL_TEST_MODELS_DIR") or Path(__file__).parents[3] / "models")
    found = next(models.glob("face_detection/*/*.onnx"), None)
    if found is None:
        pytest.fail(f"{models} has no face detector; run `make models-starter` first")
    return found.parent
