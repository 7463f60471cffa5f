"""Fine-tunes a vision transformer to tell real faces from fake ones."""

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps

from atoll_inference.catalog.labels import real_and_fake
from atoll_inference.engines.base import EngineError, LoadFailed
from atoll_inference.engines.cpus import usable_cpus
from atoll_inference.engines.face_classifier import (
    MARGIN,
    FaceClassifierEngine,
    check_size,
    face_square,
)
from atoll_inference.engines.face_detector import Face, FaceDetector
from atoll_inference.engines.picture_input import PREPROCESSOR, PictureInput, read_picture_input
from atoll_inference.engines.runtime import Runtime
from atoll_inference.engines.tasks.picture import FaceDeepfakeInput
from atoll_inference.engines.weights import load_pretrained
from atoll_inference.finetune import FinetuneFailed
from atoll_inference.finetune.recipe import Job, Options, Recipe, Say
from atoll_inference.finetune.report import Report
from atoll_inference.finetune.samples import LABELS
from atoll_inference.finetune.training import finetune
from atoll_inference.media.errors import Undecodable
from atoll_inference.media.image import decode_image
from atoll_inference.media.limits import MediaLimits

# After face_classifier, which makes it importable.
import transformers  # isort: skip

_FAMILY = "ViT"
_ENDINGS = ("Model", "ForImageClassification", "ForMaskedImageModeling")
_OTHER_HEADS = ("classifier.", "pooler.", "vit.pooler.", "decoder.", "embeddings.mask_token")
_JPEG_SHARE = 0.3


def make_recipe(models_dir: Path) -> Recipe:
    """The recipe with the installed face detector.

    Raises:
        FinetuneFailed: none is installed.
    """
    found = sorted(models_dir.glob("face_detection/*/*.onnx"))
    if not found:
        raise FinetuneFailed(
            f"{models_dir / 'face_detection'} has no face detector, and faces have to be found "
            "before they are learnt from. Run `make models-starter`."
        )
    return FaceDeepfakeRecipe(found[0])


def finetune_face_deepfake(
    data: Path,
    base: Path,
    output: Path,
    *,
    detector: Path,
    epochs: int = 20,
    batch: int = 8,
    seed: int = 0,
    learning_rate: float = 5e-5,
    patience: int = 4,
    resume: bool = False,
    freeze: bool = False,
    device: str = "auto",
    threads: int | None = None,
    say: Say = print,
) -> Report:
    """Train a judge of faces; see `Options` and `finetune`.

    Args:
        data: folder with `real/` and `fake/`, of pictures in any format that is decoded. Those
            in which no face is found are left out, and the report lists them.
        base: a vision transformer, such as google/vit-base-patch16-224; its head is replaced.
        output: the folder to write, which must not exist.
        detector: the checkpoint of the face detector.

    Raises:
        FinetuneFailed: the message is one line and says what to do.
    """
    options = Options(
        epochs=epochs,
        batch=batch,
        seed=seed,
        learning_rate=learning_rate,
        patience=patience,
        resume=resume,
        freeze=freeze,
        device=device,
        threads=threads,
    )
    recipe = FaceDeepfakeRecipe(detector)
    return finetune(
        Job(recipe=recipe, data=data, base=base, output=output, options=options, say=say)
    )


class FaceDeepfakeRecipe(Recipe):
    """Learns from the largest face of each picture, cut out as the engine does it but each time a
    little differently placed, lit, mirrored and compressed; judges by the face most likely fake.

    Args:
        detector: the checkpoint of the face detector.

    Raises:
        FinetuneFailed: the detector cannot be used.
    """

    task = "face_deepfake"
    feature_names = ("face size", "brightness", "sharpness", "colourfulness")
    head = ("classifier.",)

    def __init__(self, detector: Path) -> None:
        self._path = detector
        self._detector = FaceDetector(detector)
        self._input = PictureInput()
        self._found: dict[Path, tuple[Face, ...]] = {}
        try:
            self._detector.load(usable_cpus())
        except LoadFailed as error:
            raise FinetuneFailed(str(error)) from error

    def takes(self, config: dict[str, Any]) -> bool:
        labels = config.get("id2label")
        names = [str(name) for name in labels.values()] if isinstance(labels, dict) else []
        return _is_of_family(config) and real_and_fake(names) is None

    def settings(self) -> dict[str, Any]:
        return {"margin": MARGIN}

    def load(self, base: Path) -> Any:
        config = json.loads((base / "config.json").read_text("utf-8"))
        if not _is_of_family(config):
            raise FinetuneFailed(
                f"{base} is a {(config.get('architectures') or ['nameless model'])[0]}. --base "
                "names a checkpoint of a vision transformer, such as google/vit-base-patch16-224."
            )
        try:
            self._input = read_picture_input(base)
            body = load_pretrained(_Body, base, torch.float32, ignored=_OTHER_HEADS)
            check_size(base, body.config, self._input)
        except LoadFailed as error:
            raise FinetuneFailed(str(error)) from error
        settings = body.config
        settings.id2label = dict(enumerate(LABELS))
        settings.label2id = {label: index for index, label in enumerate(LABELS)}
        model = transformers.ViTForImageClassification(settings)
        model.vit.load_state_dict(body.state_dict())
        return model

    def features(self, path: Path) -> tuple[float, ...]:
        image = _decoded(path)
        face = self._faces(path, image)[0]
        x, y, width, height = face.box
        pixels = np.asarray(image.crop((x, y, x + width, y + height)), np.float32)
        grey = pixels.mean(axis=2)
        edges = np.diff(grey, axis=0).var() + np.diff(grey, axis=1).var()
        colour = (pixels - grey[..., None]).std()
        return (
            float(np.log(width * height)),
            float(grey.mean()),
            float(np.log(edges + 1e-3)),
            float(colour),
        )

    def training_input(self, path: Path, rng: np.random.Generator) -> NDArray[np.float32]:
        image = _decoded(path)
        face = _moved(self._faces(path, image)[0], image.size, rng)
        square = face_square(image, face)
        if rng.random() < 0.5:
            square = ImageOps.mirror(square)
        square = ImageEnhance.Brightness(square).enhance(rng.uniform(0.85, 1.15))
        square = ImageEnhance.Contrast(square).enhance(rng.uniform(0.85, 1.15))
        if rng.random() < _JPEG_SHARE:
            square = _compressed(square, int(rng.integers(60, 96)))
        return self._input.values(square)

    def judged_inputs(self, path: Path) -> list[NDArray[np.float32]]:
        image = _decoded(path)
        return [self._input.values(face_square(image, f)) for f in self._faces(path, image)]

    def tensors(self, inputs: Sequence[NDArray[np.float32]]) -> dict[str, torch.Tensor]:
        return {"pixel_values": torch.from_numpy(np.stack(inputs))}

    def overall(self, scores: Sequence[float]) -> float:
        return max(scores)

    def save_processing(self, base: Path, target: Path) -> None:
        (target / PREPROCESSOR).write_bytes((base / PREPROCESSOR).read_bytes())

    def judge(self, checkpoint: Path, runtime: Runtime) -> Callable[[Path], float]:
        engine = FaceClassifierEngine(checkpoint, runtime, detector=self._path)
        try:
            engine.load(lambda fraction, stage: None)
        except EngineError as error:
            raise FinetuneFailed(f"The finished checkpoint does not load: {error}") from error

        def score(path: Path) -> float:
            result = engine.run(FaceDeepfakeInput(_decoded(path)))
            assert result.score is not None, "pictures without a face were left out"
            return float(result.score)

        return score

    def _faces(self, path: Path, image: Image.Image) -> tuple[Face, ...]:
        """The faces of a picture, the largest first; looked for once.

        Raises:
            Undecodable: there is none.
        """
        faces = self._found.get(path)
        if faces is None:
            faces = self._found[path] = self._detector.find(image)
        if not faces:
            raise Undecodable("no face was found in it")
        return faces


class _Body:
    """Reads the layers of a vision transformer, whatever head its checkpoint has."""

    @staticmethod
    def from_pretrained(folder: Path, **options: Any) -> Any:
        return transformers.ViTModel.from_pretrained(folder, add_pooling_layer=False, **options)


def _decoded(path: Path) -> Image.Image:
    return decode_image(path, MediaLimits()).convert("RGB")


def _is_of_family(config: dict[str, Any]) -> bool:
    names = config.get("architectures")
    name = str(names[0]) if isinstance(names, list) and names else ""
    return name in {_FAMILY + ending for ending in _ENDINGS}


def _moved(face: Face, size: tuple[int, int], rng: np.random.Generator) -> Face:
    """The face with its box up to 5 % aside and up to 10 % larger or smaller."""
    x, y, width, height = face.box
    grow = rng.uniform(0.9, 1.1)
    new_width, new_height = max(1, round(width * grow)), max(1, round(height * grow))
    left = round(x + (width - new_width) / 2 + width * rng.uniform(-0.05, 0.05))
    top = round(y + (height - new_height) / 2 + height * rng.uniform(-0.05, 0.05))
    left, top = min(max(left, 0), size[0] - 1), min(max(top, 0), size[1] - 1)
    return Face((left, top, new_width, new_height), face.score)


def _compressed(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    file.seek(0)
    return Image.open(file).convert("RGB")
