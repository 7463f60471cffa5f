"""Pairs of small and large crops of photographs."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

SIDE = 48
"""Of a small crop, in pixels; the large one has twice as many."""

_PER_PICTURE = 260
_COMPRESSED = 0.3
_SMALLEST = 0.4
_LARGEST = 1280


@dataclass(frozen=True, slots=True)
class Crops:
    """`small` of shape (count, SIDE, SIDE, 3) and `large` of twice the side, uint8."""

    small: Pixels
    large: Pixels

    def __len__(self) -> int:
        return len(self.small)


def halved(picture: Image.Image) -> Image.Image:
    """Half the size, as it is measured everywhere: bicubic with the filter widened."""
    size = (picture.width // 2, picture.height // 2)
    return picture.resize(size, Image.Resampling.BICUBIC)


def sharpened(picture: Image.Image, longest: int = _LARGEST) -> Image.Image:
    """A smaller copy with even sides: photographs of many megapixels are soft up close, and what
    a JPEG file left in them goes away."""
    factor = min(1.0, longest / max(picture.size))
    width, height = (max(2, round(side * factor) // 2 * 2) for side in picture.size)
    if (width, height) == picture.size:
        return picture
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def prepare(pictures: list[Image.Image], seed: int, kept: Path | None = None) -> Crops:
    """Crops of all pictures, mostly of places with something in them.

    Three in ten come from a small picture that went through JPEG, so that what the model is given
    in real life, which did, is not made worse.

    Args:
        kept: file to keep them in for the next time.
    """
    if kept is not None and kept.exists():
        with np.load(kept) as found:
            return Crops(found["small"], found["large"])
    rng = np.random.default_rng([seed, 17])
    small: list[Pixels] = []
    large: list[Pixels] = []
    for picture in pictures:
        for longest in (_LARGEST, round(_LARGEST * 0.6)):
            hr = sharpened(picture, longest)
            lr = halved(hr)
            clean, whole = np.asarray(lr), np.asarray(hr)
            for index in range(_PER_PICTURE):
                if index % 20 == 0:
                    blocky = _compressed(lr, int(rng.integers(60, 96)))
                row, column = _place(clean, rng)
                source = blocky if rng.random() < _COMPRESSED else clean
                small.append(source[row : row + SIDE, column : column + SIDE])
                rows = slice(2 * row, 2 * (row + SIDE))
                large.append(whole[rows, 2 * column : 2 * (column + SIDE)])
    crops = Crops(np.stack(small), np.stack(large))
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, small=crops.small, large=crops.large)
    return crops


def _place(picture: Pixels, rng: np.random.Generator) -> tuple[int, int]:
    """Of three random places usually the one with the most contrast."""
    rows = rng.integers(0, picture.shape[0] - SIDE + 1, 3)
    columns = rng.integers(0, picture.shape[1] - SIDE + 1, 3)
    spread = [
        float(picture[r : r + SIDE : 3, c : c + SIDE : 3, 1].std())
        for r, c in zip(rows, columns, strict=True)
    ]
    best = int(np.argmax(spread)) if rng.random() < 0.75 else 0
    return int(rows[best]), int(columns[best])


def _compressed(picture: Image.Image, quality: int) -> Pixels:
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=quality)
    return np.asarray(Image.open(data).convert("RGB"))
