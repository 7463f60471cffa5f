"""How a checkpoint wants its pictures: preprocessor_config.json, read and applied."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from atoll_inference.engines.base import LoadFailed

PREPROCESSOR = "preprocessor_config.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureInput:
    """What becomes of a picture before the model sees it.

    Attributes:
        width, height: pixels after resizing.
        resample: Pillow's number of the filter.
        crop: width and height that are cut from the middle, or None.
        factor: by which values in 0 to 255 are multiplied.
        mean, deviation: of each channel; subtracted, and divided by.
    """

    width: int = 224
    height: int = 224
    resample: Image.Resampling = Image.Resampling.BILINEAR
    crop: tuple[int, int] | None = None
    factor: float = 1 / 255
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    deviation: tuple[float, float, float] = (0.5, 0.5, 0.5)

    @property
    def side(self) -> tuple[int, int]:
        """Width and height of what the model sees."""
        return self.crop or (self.width, self.height)

    def values(self, square: Image.Image) -> NDArray[np.float32]:
        """A square picture in mode RGB as float32 of shape (3, height, width)."""
        image = square.resize((self.width, self.height), self.resample)
        if self.crop is not None:
            width, height = self.crop
            left, top = (self.width - width) // 2, (self.height - height) // 2
            image = image.crop((left, top, left + width, top + height))
        pixels = np.asarray(image, np.float32) * self.factor
        normal = (pixels - np.asarray(self.mean, np.float32)) / np.asarray(
            self.deviation, np.float32
        )
        return np.ascontiguousarray(normal.transpose(2, 0, 1), np.float32)


def read_picture_input(folder: Path) -> PictureInput:
    """What preprocessor_config.json in the folder says.

    Raises:
        LoadFailed: it is absent, damaged, or asks for what is not known here.
    """
    path = folder / PREPROCESSOR
    try:
        content = json.loads(path.read_text("utf-8"))
        width, height = _size(content.get("size", 224))
        crop = _size(content.get("crop_size", 224)) if content.get("do_center_crop") else None
        normalised = content.get("do_normalize", True)
        return PictureInput(
            width=width,
            height=height,
            resample=Image.Resampling(content.get("resample", Image.Resampling.BILINEAR)),
            crop=crop,
            factor=content.get("rescale_factor", 1 / 255)
            if content.get("do_rescale", True)
            else 1.0,
            mean=_three(content.get("image_mean", 0.5)) if normalised else (0.0, 0.0, 0.0),
            deviation=_three(content.get("image_std", 0.5)) if normalised else (1.0, 1.0, 1.0),
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise LoadFailed(
            f"{path} cannot be used: {error!r}. Fetch the checkpoint again."
        ) from error


def _size(value: Any) -> tuple[int, int]:
    """Width and height. A picture is square when it comes here, so one edge tells both."""
    if isinstance(value, dict):
        edge = value.get("shortest_edge")
        width, height = (edge, edge) if edge else (value["width"], value["height"])
    else:
        width = height = value
    if not (isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0):
        raise ValueError(f"a size of {value}")
    return width, height


def _three(value: Any) -> tuple[float, float, float]:
    one, two, three = value if isinstance(value, list) else [value] * 3
    return float(one), float(two), float(three)
