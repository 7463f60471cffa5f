"""Finds faces: CenterFace (arXiv 1911.03599), an ONNX file that OpenCV runs.

Its decoder follows the authors': a heat map tells where the middle of a face is, and two more
outputs its exact place and its size, all at a quarter of the resolution.

OpenCV keeps the buffers of the largest picture it has seen, some 400 MB, as long as a net lives. So
each look reads the net anew from memory, which takes 20 ms, and frees it afterwards.
"""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from atoll_inference.engines.base import EngineError, LoadFailed

MIN_SCORE = 0.5
MIN_SIDE = 16
"""Pixels of the picture; a smaller face shows nothing that could be judged."""

MAX_FACES = 64

_OUTPUTS = ("537", "538", "539", "540")
"""Heat map, size, offset, and landmarks, which are not needed; all have to be asked for."""

_STRIDE = 4
_MULTIPLE = 32
_OVERLAP = 0.3

_SMALLEST, _NORMAL, _LARGE = 320, 640, 1280
"""Longest sides at which a picture is looked at. The model misses faces of less than some ten
pixels, and takes parts of a face for one when they are too large."""

_LARGEST_SHARE = 0.15
"""Of the longest side: larger faces are left to the look at the normal size."""

_REMEDY = "Run `make models-starter`, which installs it."

_LOOK_BYTES = 450_000_000

_Boxes = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Face:
    """`box` is x, y, width, height in pixels of the picture, inside it; `score` is in [0, 1]."""

    box: tuple[int, int, int, int]
    score: float


class FaceDetector:
    """Finds faces that look more or less into the camera.

    Args:
        path: the ONNX file, or the folder that has it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._model: NDArray[np.uint8] | None = None
        self._turns = threading.Semaphore()
        self._large_turn = threading.Lock()

    def bytes_estimate(self) -> int:
        """Bytes of memory that `load` and a look at a large picture will take."""
        return self._file().stat().st_size + _LOOK_BYTES

    def load(self, at_once: int) -> None:
        """Read the model.

        Args:
            at_once: pictures that are looked at side by side, each by one processor thread.

        Raises:
            LoadFailed: there is no such file, or it is damaged or another model.
        """
        file = self._file()
        self._turns = threading.Semaphore(at_once)
        # Of the whole process; the pictures are what is parallel here.
        cv2.setNumThreads(1)
        try:
            self._model = np.fromfile(file, np.uint8)
            self.find(Image.new("RGB", (64, 64)))
        except (cv2.error, OSError) as error:
            self._model = None
            reason = error.err if isinstance(error, cv2.error) else error
            raise LoadFailed(
                f"{file} is damaged or no CenterFace model ({reason}). {_REMEDY}"
            ) from error

    def unload(self) -> None:
        """Free the model."""
        self._model = None

    def find(self, image: Image.Image) -> tuple[Face, ...]:
        """Faces of a picture in mode RGB, the largest first, 64 at most.

        Thread-safe.
        """
        longest = max(image.size)
        with self._turns:
            found = self._look(image, min(max(longest, _SMALLEST), _NORMAL))
        if longest > _NORMAL * 1.5:
            with self._large_turn:
                small = self._look(image, min(longest, _LARGE))
            small = small[small[:, 2:4].max(axis=1) <= _LARGEST_SHARE * longest]
            found = np.concatenate([found, small[~_overlap(small, found)]])
        faces = [
            face for row in found for face in [_face(row, image.size)] if min(face.box[2:]) >= 1
        ]
        faces = [face for face in faces if max(face.box[2:]) >= MIN_SIDE]
        faces.sort(key=lambda face: face.box[2] * face.box[3], reverse=True)
        return tuple(faces[:MAX_FACES])

    def _file(self) -> Path:
        if self._path.is_file():
            return self._path
        files = sorted(self._path.glob("*.onnx"))
        if not files:
            raise LoadFailed(f"{self._path} has no ONNX file of a face detector. {_REMEDY}")
        return files[0]

    def _look(self, image: Image.Image, longest: int) -> _Boxes:
        """Rows of x, y, width, height, score, in pixels of `image`."""
        scale = longest / max(image.size)
        width, height = (max(1, round(side * scale)) for side in image.size)
        pixels = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR), np.float32)
        padded = np.zeros((height + -height % _MULTIPLE, width + -width % _MULTIPLE, 3), np.float32)
        padded[:height, :width] = pixels
        if self._model is None:
            raise EngineError(f"{self._path} is not loaded.")
        net: Any = cv2.dnn.readNetFromONNX(self._model)
        net.setInput(np.ascontiguousarray(padded.transpose(2, 0, 1)[None]))
        heat, size, offset, _ = (np.array(output) for output in net.forward(list(_OUTPUTS)))
        rows, columns = np.nonzero(heat[0, 0] > MIN_SCORE)
        high, wide = np.exp(size[0][:, rows, columns]) * _STRIDE
        down, right = offset[0][:, rows, columns]
        x = (columns + right + 0.5) * _STRIDE - wide / 2
        y = (rows + down + 0.5) * _STRIDE - high / 2
        boxes = np.stack([x, y, wide, high], axis=1) / scale
        scores = heat[0, 0, rows, columns]
        kept = cv2.dnn.NMSBoxes(boxes.tolist(), scores.tolist(), MIN_SCORE, _OVERLAP)
        chosen = np.asarray(kept, np.intp).reshape(-1)
        result: _Boxes = np.column_stack([boxes[chosen], scores[chosen]]).astype(np.float64)
        return result


def _face(row: _Boxes, size: tuple[int, int]) -> Face:
    left, top = max(0, round(row[0])), max(0, round(row[1]))
    right, bottom = min(size[0], round(row[0] + row[2])), min(size[1], round(row[1] + row[3]))
    return Face((left, top, right - left, bottom - top), min(1.0, float(row[4])))


def _overlap(ones: _Boxes, others: _Boxes) -> NDArray[np.bool_]:
    """Which of `ones` lie to a good part in one of `others`."""
    if not len(ones) or not len(others):
        return np.zeros(len(ones), np.bool_)
    start = np.maximum(ones[:, None, :2], others[None, :, :2])
    end = np.minimum((ones[:, :2] + ones[:, 2:4])[:, None], (others[:, :2] + others[:, 2:4])[None])
    shared = np.clip(end - start, 0, None).prod(axis=2)
    result: NDArray[np.bool_] = (shared / ones[:, 2:4].prod(axis=1)[:, None] > _OVERLAP).any(axis=1)
    return result
