"""Text in pictures: PP-OCR models, run by rapidocr on ONNX Runtime.

The runtime has a pipeline of its own (find lines, read them), so a page is one unit and goes
through alone. It runs on the processor, in the number format of its files.

The pipeline's third model, which tells whether a line is upside down, is left out: it turns some
upright lines over, and what is then read is nonsense. Instead a line that was read with little
confidence is read upside down too, and the better reading is taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from rapidocr import RapidOCR
from rapidocr.utils.process_img import get_rotate_crop_image

from atoll_inference.engines.base import (
    BatchEngine,
    BatchLimits,
    EngineError,
    LoadFailed,
    Progress,
    Unit,
)
from atoll_inference.engines.runtime import Runtime
from atoll_inference.engines.tasks.picture import OcrInput, OcrLine, OcrResult

ROLES = {"Det": "det", "Rec": "rec"}
"""Parts of the pipeline, and what the name of each one's file contains."""

MIN_SCORE = 0.5
"""Lines that were read with less confidence are left out."""

_SURE = 0.9
_SLIMMEST = 1 / 4
"""Of the shorter side to the longer. The pipeline blows pictures up until the shorter has 736
pixels, so a strip of a few pixels would become larger than memory."""

_INK = 32
"""Difference to the colour of the page's edge, of 255, from which on something is printed."""

_MARGIN = 40
_ACTIVATION_BYTES = 600_000_000


@dataclass(frozen=True, slots=True, eq=False)
class _Page:
    """`pixels` is uint8 BGR of shape (height, width, 3); its corner was at `left` and `top`."""

    pixels: NDArray[np.uint8]
    left: int
    top: int

    def placed(self, line: OcrLine) -> OcrLine:
        """The line, where it is on the picture that was sent."""
        box = tuple((x + self.left, y + self.top) for x, y in line.box)
        return OcrLine(line.text, line.score, box)


class RapidOcrEngine(BatchEngine):
    """Lines of text with their places.

    Args:
        folder: has one ONNX file each whose name contains `det` and `rec`.

    Raises:
        LoadFailed: one of them is missing.
    """

    concurrency = 8

    def __init__(self, folder: Path, runtime: Runtime) -> None:
        self.folder = folder
        self.runtime = runtime
        self._files = {part: _file(folder, mark) for part, mark in ROLES.items()}
        self._pipeline: Any = None

    @property
    def limits(self) -> BatchLimits:
        """One page at a time."""
        return BatchLimits(count=1, size=1)

    def bytes_estimate(self) -> int:
        """The files, unpacked, and a page of the largest size on its way."""
        return 2 * sum(file.stat().st_size for file in self._files.values()) + _ACTIVATION_BYTES

    def load(self, progress: Progress) -> None:
        """Read the models; see `Engine.load`."""
        progress(0.1, "reading models")
        threads = self.runtime.threads
        # Of the whole process; OpenCV only resizes here, and other engines rely on one thread.
        cv2.setNumThreads(1)
        parameters: dict[str, Any] = {
            "Global.log_level": "critical",
            "Global.use_cls": False,
            "Global.text_score": 0.0,
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
        for part, file in self._files.items():
            parameters[f"{part}.model_path"] = str(file)
        pipeline: Any = RapidOCR(params=parameters)
        # It reads the files when it needs them, which is too late to refuse a damaged one.
        for part, read in (
            ("Det", pipeline._load_det_model),
            ("Rec", pipeline._load_rec_model),
        ):
            try:
                read()
            except Exception as error:  # whatever ONNX Runtime and rapidocr raise
                raise LoadFailed(
                    f"{self._files[part]} is damaged or another model ({error}). Run "
                    "`make models-starter` to install it again."
                ) from error
        self._pipeline = pipeline
        progress(0.9, "models in memory")

    def warmup(self) -> None:
        """Read a word."""
        page = Image.new("RGB", (320, 96), "white")
        ImageDraw.Draw(page).text((20, 20), "ready", fill=0, font=ImageFont.load_default(48))
        try:
            lines = self.run(OcrInput(page)).lines
        except EngineError as error:
            raise LoadFailed(f"{self.folder} loads and does not answer: {error}") from error
        if [line.text.lower() for line in lines] != ["ready"]:
            raise LoadFailed(
                f"{self.folder} loads and cannot read a printed word. Its files may not belong "
                "together; run `make models-starter`."
            )

    def unload(self) -> None:
        """Free the models."""
        self._pipeline = None

    def forward(self, units: Sequence[Unit]) -> list[Any]:
        """Pages to lists of `OcrLine` in reading order."""
        return [self._read(unit.data) for unit in units]

    def preprocess(self, item: Any) -> Sequence[Unit]:
        """One unit for the page."""
        assert isinstance(item, OcrInput)
        pixels = np.asarray(item.image.convert("RGB"))[:, :, ::-1]
        left, top, right, bottom = printed_area(pixels)
        pixels = pixels[top:bottom, left:right]
        least = round(max(pixels.shape[:2]) * _SLIMMEST)
        below, beside = (max(0, least - side) for side in pixels.shape[:2])
        page = np.pad(pixels, ((0, below), (0, beside), (0, 0)), mode="edge")
        return [Unit(_Page(np.ascontiguousarray(page), left, top))]

    def postprocess(self, item: Any, outputs: list[Any]) -> OcrResult:
        """The lines of the page."""
        return OcrResult(tuple(outputs[0]))

    def _read(self, page: _Page) -> list[OcrLine]:
        if self._pipeline is None:
            raise EngineError(f"{self.folder} is not loaded.")
        try:
            found = self._pipeline(page.pixels)
            if found.boxes is None or found.txts is None or found.scores is None:
                return []
            lines = [
                OcrLine(text, float(score), tuple((float(x), float(y)) for x, y in box))
                for text, score, box in zip(found.txts, found.scores, found.boxes, strict=True)
            ]
            turned = self._turn(page.pixels, lines)
        except MemoryError:
            raise
        except Exception as error:  # whatever ONNX Runtime, OpenCV and rapidocr raise
            raise EngineError(f"The page could not be read: {error}") from error
        kept = [page.placed(line) for line in lines if line.score >= MIN_SCORE]
        ordered = in_reading_order(kept)
        return ordered[::-1] if 2 * turned > len(lines) else ordered

    def _turn(self, page: NDArray[np.uint8], lines: list[OcrLine]) -> int:
        """Replace lines that are better read upside down; how many were."""
        doubtful = [index for index, line in enumerate(lines) if line.score < _SURE]
        if not doubtful:
            return 0
        crops = [
            np.rot90(get_rotate_crop_image(page, np.asarray(lines[index].box, np.float32)), 2)
            for index in doubtful
        ]
        read = self._pipeline.recognize_txt([np.ascontiguousarray(crop) for crop in crops])
        turned = 0
        for index, text, score in zip(doubtful, read.txts, read.scores, strict=True):
            if text.strip() and score > max(lines[index].score, MIN_SCORE):
                lines[index] = OcrLine(text, float(score), lines[index].box)
                turned += 1
        return turned


def printed_area(pixels: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is printed, with a margin; all of a blank page.

    The models miss a few words on a large empty page.
    """
    height, width = pixels.shape[:2]
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    paper = np.median(edge, axis=0).astype(np.int16)
    low, high = (np.clip(paper + sign * _INK, 0, 255).astype(np.uint8) for sign in (-1, 1))
    ink = ((pixels < low) | (pixels > high)).any(axis=2)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not len(rows):
        return 0, 0, width, height
    return (
        max(0, int(columns[0]) - _MARGIN),
        max(0, int(rows[0]) - _MARGIN),
        min(width, int(columns[-1]) + 1 + _MARGIN),
        min(height, int(rows[-1]) + 1 + _MARGIN),
    )


def in_reading_order(lines: Sequence[OcrLine]) -> list[OcrLine]:
    """From the top, and from the left where lines stand side by side.

    Lines are side by side when the middle of each lies within the height of the first of the row.
    """
    rows: list[list[OcrLine]] = []
    for line in sorted(lines, key=_middle):
        top, bottom = _extent(rows[-1][0], 1) if rows else (0.0, -1.0)
        low, high = _extent(line, 1)
        mutual = rows and low <= _middle(rows[-1][0]) <= high
        if mutual and top <= _middle(line) <= bottom:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda li: _extent(li, 0)[0])]


def _extent(line: OcrLine, axis: int) -> tuple[float, float]:
    values = [corner[axis] for corner in line.box]
    return min(values), max(values)


def _middle(line: OcrLine) -> float:
    return sum(_extent(line, 1)) / 2


def _file(folder: Path, mark: str) -> Path:
    files = [file for file in sorted(folder.glob("*.onnx")) if mark in file.stem.lower()]
    if len(files) != 1:
        raise LoadFailed(
            f"{folder} has {len(files)} ONNX files with {mark!r} in their names, and exactly one "
            "is needed. Run `make models-starter`."
        )
    return files[0]
