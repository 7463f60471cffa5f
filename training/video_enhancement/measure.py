"""How near enlarged photographs come to their originals, beside bicubic enlargement."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.metrics import structural_similarity

from atoll_inference.engines.tasks.picture import EnhanceImageInput
from training import photographs
from training.engines import Engines
from training.evaluation import Evaluation, Measure
from training.video_enhancement import MODEL, SLOT
from training.video_enhancement.pictures import halved, sharpened

HELD_OUT = (
    "17 photographs, 11 of the package mate-backgrounds, 4 of scikit-image and 2 of scikit-learn, "
    "by photographers of whom no picture was learnt from; brought to at most 768 pixels a side, "
    "then halved with a bicubic filter. Figures are means over pictures, without 4 pixels at the "
    "edges"
)
BORDER = 4
_LONGEST = 768
_QUALITY = 75

Floats = NDArray[np.float64]


def measure(engines: Engines) -> Evaluation:
    """Answers of the slot's engine for every held-out photograph."""
    engine = engines.load(SLOT)
    rows: dict[str, list[tuple[float, float]]] = {}
    for _, photograph in photographs.held_out():
        original = sharpened(photograph, _LONGEST)
        small = halved(original)
        for kind, given in (("", small), (f" after JPEG {_QUALITY}", _compressed(small))):
            enlarged = engine.run(EnhanceImageInput(given)).image
            simple = given.resize(original.size, Image.Resampling.BICUBIC)
            for name, figure in (
                ("PSNR of Y", _psnr_y),
                ("PSNR of RGB", _psnr),
                ("SSIM of Y", _ssim),
            ):
                pair = (figure(enlarged, original), figure(simple, original))
                rows.setdefault(name + kind, []).append(pair)
    measures = []
    for name, pairs in rows.items():
        model, bicubic = np.mean(pairs, 0)
        measures.append(
            Measure(
                name=name,
                items=len(pairs),
                model=float(model),
                baselines={"bicubic": float(bicubic)},
                # What JPEG left is enlarged too, by the model as by the filter.
                decides="JPEG" not in name,
                unit="dB" if name.startswith("PSNR") else "",
            )
        )
    return Evaluation(slot=SLOT, model=MODEL, held_out=HELD_OUT, measures=tuple(measures))


def luminance(picture: Image.Image) -> Floats:
    """Y of BT.601 in its range of 16 to 235, as super-resolution is measured; without the edges."""
    red, green, blue = np.moveaxis(_inside(picture), -1, 0)
    return 16 + (65.481 * red + 128.553 * green + 24.966 * blue) / 255


def _psnr_y(found: Image.Image, original: Image.Image) -> float:
    return _decibels(luminance(found) - luminance(original))


def _psnr(found: Image.Image, original: Image.Image) -> float:
    return _decibels(_inside(found) - _inside(original))


def _ssim(found: Image.Image, original: Image.Image) -> float:
    return float(
        structural_similarity(  # type: ignore[no-untyped-call]
            luminance(found),
            luminance(original),
            data_range=255,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )


def _inside(picture: Image.Image) -> Floats:
    pixels = np.asarray(picture.convert("RGB"), np.float64)
    return pixels[BORDER:-BORDER, BORDER:-BORDER]


def _decibels(error: Floats) -> float:
    return float(10 * np.log10(255**2 / np.mean(error**2)))


def _compressed(picture: Image.Image) -> Image.Image:
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=_QUALITY)
    return Image.open(data).convert("RGB")


_FIGURES = (("PSNR of Y", _psnr_y), ("PSNR of RGB", _psnr), ("SSIM of Y", _ssim))
