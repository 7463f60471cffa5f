"""Face deepfake detection with a vision transformer and a head for real and fake."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from atoll_inference.engines.base import (
    BatchEngine,
    BatchLimits,
    EngineError,
    LoadFailed,
    Progress,
    Steps,
    Unit,
)
from atoll_inference.engines.detector_head import read_head
from atoll_inference.engines.face_detector import Face, FaceDetector
from atoll_inference.engines.picture_input import PictureInput, read_picture_input
from atoll_inference.engines.runtime import Runtime
from atoll_inference.engines.tasks.picture import (
    FaceDeepfakeInput,
    FaceDeepfakeResult,
    FaceScore,
)
from atoll_inference.engines.torch_int8 import quantise_linear
from atoll_inference.engines.torch_runtime import (
    memory_errors,
    prepare,
    release,
    torch_device,
    torch_dtype,
)
from atoll_inference.engines.torchaudio_stub import let_torchaudio_import
from atoll_inference.engines.weights import load_pretrained

let_torchaudio_import()

import transformers  # noqa: E402

REMEDY = (
    "Train one with `atoll-inference finetune face_deepfake --data DIR`, or use a checkpoint "
    "whose labels are real and fake."
)

FAMILIES = ("ViT", "Swin", "Siglip")
"""Beginnings of the class names in transformers; their models take pixels."""

MARGIN = 0.25
"""Of the longer side of a face, added on each side: the edge of a swapped face tells most."""

_ROUND = 32
_HEAD = "ForImageClassification"


class FaceClassifierEngine(BatchEngine):
    """Says how likely the faces of a picture are fake.

    Faces are found first, and each is judged alone, with some of its surroundings. The score of
    the picture is that of the face most likely fake, and 0.5 or more is called fake.

    Args:
        folder: a transformers checkpoint with config.json, model.safetensors and
            preprocessor_config.json. Its two labels may go by other names for real and fake
            (see `real_and_fake`).
        runtime: with `int8` the weights of linear layers are quantised, on a CPU.
        detector: the checkpoint of the face detector.
    """

    concurrency = 16

    def __init__(self, folder: Path, runtime: Runtime, *, detector: Path) -> None:
        self._folder = folder
        self._runtime = runtime
        self._torch_device = torch_device(runtime)
        self._dtype = torch_dtype(runtime)
        self.device = str(self._torch_device)
        self._detector = FaceDetector(detector)
        self._input = PictureInput()
        self._model: Any = None
        self._fake = 1

    @property
    def limits(self) -> BatchLimits:
        """Bounds of one forward pass, in faces."""
        count = 64 if self._torch_device.type != "cpu" else 1 if self._is_int8 else 8
        return BatchLimits(count, count)

    def bytes_estimate(self) -> int:
        """The weights in the format they will have, a batch on its way, and the detector."""
        files = sum(file.stat().st_size for file in self._folder.glob("*.safetensors"))
        share = 0.5 if self._is_int8 else self._dtype.itemsize / 4
        return int(files * share) + self.limits.count * 2**23 + self._detector.bytes_estimate()

    def load(self, progress: Progress) -> None:
        progress(0.0, "reading")
        if self._is_int8 and self._torch_device.type != "cpu":
            raise LoadFailed(
                f"{self._folder} runs in int8 on a CPU only. Set DTYPE to auto for {self.device}."
            )
        prepare(self._runtime)
        architecture, fake = read_head(self._folder, families=FAMILIES, head=_HEAD, remedy=REMEDY)
        picture = read_picture_input(self._folder)
        model = load_pretrained(getattr(transformers, architecture), self._folder, self._dtype)
        check_size(self._folder, model.config, picture)
        progress(0.7, "preparing")
        self._detector.load(self._runtime.threads)
        if self._is_int8:
            quantise_linear(model)
        with memory_errors():
            self._model = model.to(self._torch_device)
        self._input, self._fake = picture, fake
        progress(1.0, "ready")

    def warmup(self) -> None:
        width, height = self._input.side
        rng = np.random.default_rng(0)
        noise = rng.standard_normal((3, height, width), np.float32)
        try:
            self.forward([Unit(noise)])
        except EngineError as error:
            raise LoadFailed(f"{self._folder} loads and does not answer: {error}") from error

    def unload(self) -> None:
        self._model = None
        self._detector.unload()
        self.release()

    def release(self) -> None:
        release(self._torch_device)

    def forward(self, units: Sequence[Unit]) -> list[Any]:
        """The probability of fake of each face: float32 of shape (3, height, width)."""
        assert self._model is not None, "load comes first"
        values = np.stack([unit.data for unit in units])
        with torch.inference_mode(), memory_errors():
            tensor = torch.from_numpy(values).to(self._torch_device, self._dtype)
            logits = self._model(pixel_values=tensor).logits.float()
            scores: list[float] = logits.softmax(-1)[:, self._fake].tolist()
        if not np.isfinite(scores).all():
            raise EngineError(
                f"The model of {self._folder.name} gave no numbers in {self._runtime.dtype}. "
                "Set DTYPE to fp32."
            )
        return scores

    def steps(self, item: FaceDeepfakeInput, progress: Progress) -> Steps:
        """The faces of a picture in rounds; yields nothing when there is none."""
        progress(0.0, "looking for faces")
        image = item.image.convert("RGB")
        faces = self._detector.find(image)
        scores: list[float] = []
        for first in range(0, len(faces), _ROUND):
            progress(first / len(faces), "judging")
            chosen = faces[first : first + _ROUND]
            scores += yield [Unit(self._input.values(face_square(image, f))) for f in chosen]
        if not scores:
            return FaceDeepfakeResult(label=None, score=None, scores=None, faces=())
        score = max(scores)
        return FaceDeepfakeResult(
            label="fake" if score >= 0.5 else "real",
            score=score,
            scores={"real": 1 - score, "fake": score},
            faces=tuple(FaceScore(f.box, s) for f, s in zip(faces, scores, strict=True)),
        )

    @property
    def _is_int8(self) -> bool:
        return self._runtime.dtype == "int8"


def face_square(image: Image.Image, face: Face) -> Image.Image:
    """The face with `MARGIN` around it, square; beyond the picture its edge is repeated."""
    x, y, width, height = face.box
    side = round(max(width, height) * (1 + 2 * MARGIN))
    left, top = round(x + width / 2 - side / 2), round(y + height / 2 - side / 2)
    inside = (
        max(0, left),
        max(0, top),
        min(image.width, left + side),
        min(image.height, top + side),
    )
    pixels: NDArray[np.uint8] = np.asarray(image.crop(inside))
    rows = (inside[1] - top, top + side - inside[3])
    columns = (inside[0] - left, left + side - inside[2])
    return Image.fromarray(np.pad(pixels, (rows, columns, (0, 0)), mode="edge"))


def check_size(folder: Path, config: Any, picture: PictureInput) -> None:
    """Raises: LoadFailed, when preprocessor and model want different sizes."""
    wanted = getattr(config, "image_size", None) or config.vision_config.image_size
    sides = tuple(wanted) if isinstance(wanted, list | tuple) else (wanted, wanted)
    if picture.side != sides[::-1]:
        raise LoadFailed(
            f"{folder} prepares pictures of {picture.side[0]} x {picture.side[1]} pixels for a "
            f"model that takes {sides[1]} x {sides[0]}. Fetch the checkpoint again."
        )
