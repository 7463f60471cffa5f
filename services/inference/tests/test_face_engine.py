"""Faces are found in real photographs, and each is judged by a model that was made to judge."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from photographs import (
    ASTRONAUT,
    CAMERAMAN,
    WITHOUT_FACES,
    face_detector,
    photograph,
    small_faces,
)
from PIL import Image, ImageOps
from safetensors.torch import load_file, save_file
from tiny_picture import IMAGENET, REAL_FAKE, tiny_vit
from transformers import SiglipConfig, SiglipForImageClassification, ViTConfig, ViTModel

from atoll_inference.engines.base import LoadFailed, Stopped
from atoll_inference.engines.face_classifier import FaceClassifierEngine, face_square
from atoll_inference.engines.face_detector import Face, FaceDetector
from atoll_inference.engines.picture_input import read_picture_input
from atoll_inference.engines.runtime import Runtime
from atoll_inference.engines.tasks.picture import FaceDeepfakeInput, FaceDeepfakeResult

RUNTIME = Runtime(device="cpu", threads=1)


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    detector = FaceDetector(face_detector())
    detector.load(1)
    return detector


def share(one: tuple[int, ...], two: tuple[int, ...]) -> float:
    """Intersection over union of two boxes."""
    start = np.maximum(one[:2], two[:2])
    end = np.minimum(np.add(one[:2], one[2:]), np.add(two[:2], two[2:]))
    both = float(np.clip(end - start, 0, None).prod())
    return both / (one[2] * one[3] + two[2] * two[3] - both)


@pytest.mark.parametrize(("name", "box"), [("astronaut.png", ASTRONAUT), ("camera.png", CAMERAMAN)])
@pytest.mark.parametrize("size", [100, 256, 512, 1200, 3000])
def test_a_face_is_found_at_any_size(
    detector: FaceDetector, name: str, box: tuple[int, ...], size: int
) -> None:
    image = photograph(name).resize((size, size), Image.Resampling.BICUBIC)
    faces = detector.find(image)
    assert len(faces) == 1
    assert share(faces[0].box, tuple(side * size // 512 for side in box)) > 0.5
    assert 0.5 < faces[0].score <= 1


@pytest.mark.parametrize("margin", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("factor", [0.3, 1, 8])
def test_a_portrait_is_one_face(detector: FaceDetector, margin: float, factor: float) -> None:
    x, y, w, h = ASTRONAUT
    image = photograph("astronaut.png").crop(
        (
            round(x - margin * w),
            round(y - margin * h),
            round(x + w + margin * w),
            round(y + h + margin * h),
        )
    )
    image = image.resize((round(image.width * factor), round(image.height * factor)))
    (face,) = detector.find(image)
    expected = tuple(round(v * factor) for v in (margin * w, margin * h, w, h))
    assert share(face.box, expected) > 0.5


def test_small_portraits_are_faces(detector: FaceDetector) -> None:
    found = sum(len(detector.find(face)) == 1 for face in small_faces()[::5])
    assert found >= 19, "of 20 pictures of 25 x 25 pixels"


@pytest.mark.parametrize("name", WITHOUT_FACES)
def test_no_face_is_seen_where_there_is_none(detector: FaceDetector, name: str) -> None:
    assert detector.find(photograph(name)) == ()


def test_all_faces_are_found_near_and_far(detector: FaceDetector) -> None:
    astronaut = photograph("astronaut.png")
    image = Image.new("RGB", (2400, 1600), (90, 120, 160))
    image.paste(astronaut.resize((1400, 1400)), (50, 100))
    image.paste(astronaut.resize((300, 300)), (1600, 200))
    image.paste(ImageOps.mirror(astronaut).resize((400, 400)), (1900, 1000))
    faces = detector.find(image)
    assert len(faces) == 3
    sizes = [face.box[2] for face in faces]
    assert sizes == sorted(sizes, reverse=True)
    for face, (left, top, size) in zip(
        faces, ((50, 100, 1400), (1900, 1000, 400), (1600, 200, 300)), strict=True
    ):
        x, y, w, h = face.box
        assert left < x < x + w < left + size
        assert top < y < y + h < top + size


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (33, 31)])
def test_pictures_of_any_shape_are_looked_at(detector: FaceDetector, size: tuple[int, int]) -> None:
    assert detector.find(Image.new("RGB", size, (120, 90, 80))) == ()


@pytest.mark.parametrize("content", [b"", b"no model", None])
def test_a_detector_that_is_none_is_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "centerface.onnx").write_bytes(content)
    with pytest.raises(LoadFailed, match="make models-starter"):
        FaceDetector(tmp_path).load(1)


def test_another_onnx_model_is_refused(models_dir: Path) -> None:
    other = next(models_dir.glob("ocr/*/*cls*.onnx"), None)
    if other is None:
        pytest.fail("the OCR models are not installed; run `make models-starter` first")
    with pytest.raises(LoadFailed, match="no CenterFace"):
        FaceDetector(other).load(1)


@pytest.mark.parametrize(
    ("box", "side"), [((40, 30, 20, 24), 36), ((0, 0, 20, 20), 30), ((85, 65, 15, 15), 22)]
)
def test_a_face_is_cut_out_square_with_a_margin(box: tuple[int, ...], side: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (80, 100, 3), dtype=np.uint8)
    crop = face_square(Image.fromarray(pixels), Face(box, 1.0))  # type: ignore[arg-type]
    assert crop.size == (side, side)
    x, y, w, h = box
    left, top = round(x + w / 2 - side / 2), round(y + h / 2 - side / 2)
    inner = np.asarray(crop)[y - top : y - top + h, x - left : x - left + w]
    assert np.array_equal(inner, pixels[y : y + h, x : x + w])
    assert np.array_equal(np.asarray(crop)[0, 0], pixels[max(0, top), max(0, left)])


def engine(folder: Path, runtime: Runtime = RUNTIME) -> FaceClassifierEngine:
    made = FaceClassifierEngine(folder, runtime, detector=face_detector())
    made.load(lambda fraction, stage: None)
    made.warmup()
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_vit(tmp_path_factory.mktemp("vit"))


@pytest.fixture(scope="module")
def judge(folder: Path) -> FaceClassifierEngine:
    return engine(folder)


def judged(judge: FaceClassifierEngine, image: Image.Image) -> FaceDeepfakeResult:
    result: FaceDeepfakeResult = judge.run(FaceDeepfakeInput(image))
    return result


def two_faces() -> Image.Image:
    image = Image.new("RGB", (1024, 512), (90, 120, 160))
    image.paste(photograph("astronaut.png"), (0, 0))
    image.paste(photograph("camera.png"), (512, 0))
    return image


def test_each_face_has_a_score_and_the_worst_decides(judge: FaceClassifierEngine) -> None:
    result = judged(judge, two_faces())
    assert len(result.faces) == 2
    scores = [face.score for face in result.faces]
    assert result.score == max(scores)
    assert result.label == ("fake" if max(scores) >= 0.5 else "real")
    assert result.scores == {"real": 1 - max(scores), "fake": max(scores)}
    boxes = sorted(face.box for face in result.faces)
    assert share(boxes[0], ASTRONAUT) > 0.5
    assert share(boxes[1], (CAMERAMAN[0] + 512, *CAMERAMAN[1:])) > 0.5


def test_without_a_face_there_is_no_verdict(judge: FaceClassifierEngine) -> None:
    result = judged(judge, photograph("coffee.png"))
    assert result == FaceDeepfakeResult(label=None, score=None, scores=None, faces=())


def test_the_score_is_that_of_the_model_on_the_face(
    judge: FaceClassifierEngine, folder: Path, detector: FaceDetector
) -> None:
    from transformers import ViTForImageClassification

    image = photograph("astronaut.png")
    (face,) = detector.find(image)
    square = face_square(image, face).resize((32, 32), Image.Resampling.BILINEAR)
    pixels = torch.from_numpy(np.asarray(square).copy()).permute(2, 0, 1)[None] / 127.5 - 1
    model = ViTForImageClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        expected = model(pixel_values=pixels).logits.softmax(-1)[0, 1].item()
    assert judged(judge, image).score == pytest.approx(expected, abs=1e-5)


def test_what_the_labels_are_called_does_not_matter(tmp_path: Path, folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text("utf-8"))
    image = photograph("astronaut.png")
    first = judged(engine(folder), image).score
    assert first is not None
    for number, (labels, turned) in enumerate(
        ((["Realism", "Deepfake"], False), (["FAKE", "Real"], True))
    ):
        other = tmp_path / str(number)
        other.mkdir()
        for file in folder.iterdir():
            (other / file.name).write_bytes(file.read_bytes())
        config["id2label"] = dict(enumerate(labels))
        config["label2id"] = {label: index for index, label in enumerate(labels)}
        (other / "config.json").write_text(json.dumps(config), "utf-8")
        score = judged(engine(other), image).score
        assert score == pytest.approx(1 - first if turned else first, abs=1e-5)


def test_answers_do_not_depend_on_the_neighbours(judge: FaceClassifierEngine) -> None:
    images = [
        two_faces(),
        photograph("coffee.png"),
        photograph("astronaut.png"),
        photograph("camera.png"),
    ]
    alone = [judged(judge, image) for image in images]
    order = [2, 1, 3, 0]
    together = judge.run_batch([FaceDeepfakeInput(images[i]) for i in order])
    for place, index in enumerate(order):
        assert together[place].label == alone[index].label
        assert [f.box for f in together[place].faces] == [f.box for f in alone[index].faces]
        for one, two in zip(together[place].faces, alone[index].faces, strict=True):
            assert math.isclose(one.score, two.score, abs_tol=1e-5)


@pytest.mark.parametrize(("dtype", "tolerance"), [("fp32", 1e-6), ("bf16", 0.02), ("int8", 0.05)])
def test_other_number_formats_answer_nearly_the_same(
    folder: Path, judge: FaceClassifierEngine, dtype: Any, tolerance: float
) -> None:
    other = engine(folder, Runtime(device="cpu", dtype=dtype, threads=1))
    image = two_faces()
    for one, two in zip(judged(other, image).faces, judged(judge, image).faces, strict=True):
        assert one.score == pytest.approx(two.score, abs=tolerance)


def test_it_loads_again_after_unloading(folder: Path) -> None:
    made = engine(folder)
    image = photograph("astronaut.png")
    first = judged(made, image)
    made.unload()
    made.unload()
    made.load(lambda fraction, stage: None)
    assert judged(made, image) == first
    assert made.bytes_estimate() > 0


def test_a_cancelled_request_stops(judge: FaceClassifierEngine) -> None:
    def progress(fraction: float, stage: str) -> None:
        if stage == "judging":
            raise Stopped("the request was ended")

    with pytest.raises(Stopped):
        judge.run(FaceDeepfakeInput(photograph("astronaut.png")), progress)


def test_another_family_of_models_is_served(tmp_path: Path) -> None:
    torch.manual_seed(0)
    small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1}
    vision = small | {"image_size": 32, "patch_size": 8, "num_attention_heads": 2}
    config = SiglipConfig(
        vision_config=vision,
        text_config=small | {"num_attention_heads": 2, "vocab_size": 8},
        id2label=dict(enumerate(REAL_FAKE)),
        label2id={label: index for index, label in enumerate(REAL_FAKE)},
    )
    tiny_vit(tmp_path)
    SiglipForImageClassification(config).eval().save_pretrained(tmp_path)
    result = judged(engine(tmp_path), photograph("astronaut.png"))
    assert len(result.faces) == 1


@pytest.mark.parametrize(
    "labels", [IMAGENET, ("cat", "dog"), ("real", "genuine"), ("LABEL_0", "LABEL_1"), ("fake",)]
)
def test_other_labels_are_refused_with_the_remedy(tmp_path: Path, labels: tuple[str, ...]) -> None:
    tiny_vit(tmp_path, labels)
    with pytest.raises(LoadFailed, match="atoll-inference finetune face_deepfake --data DIR"):
        engine(tmp_path)


def test_a_model_without_a_head_is_refused_with_the_remedy(tmp_path: Path) -> None:
    tiny_vit(tmp_path)
    config = ViTConfig(image_size=32, patch_size=8, hidden_size=32, num_hidden_layers=1,
                       num_attention_heads=2, intermediate_size=64)  # fmt: skip
    ViTModel(config).save_pretrained(tmp_path)
    with pytest.raises(LoadFailed, match="finetune face_deepfake --data DIR"):
        engine(tmp_path)


@pytest.mark.parametrize("how", ["removed", "renamed", "mis-shaped"])
def test_a_tensor_that_does_not_fit_is_named(tmp_path: Path, how: str) -> None:
    file = tiny_vit(tmp_path) / "model.safetensors"
    tensors = load_file(file)
    name = "vit.layernorm.weight"
    tensor = tensors.pop(name)
    if how == "renamed":
        tensors["vit.other.weight"] = tensor
    elif how == "mis-shaped":
        tensors[name] = tensor[:5].clone()
    save_file(tensors, file, metadata={"format": "pt"})
    with pytest.raises(LoadFailed, match=r"vit\.layernorm\.weight"):
        engine(tmp_path)


@pytest.mark.parametrize(
    "change", [{"size": {"height": 48, "width": 48}}, {"size": {}}, {"image_mean": [0.5]}]
)
def test_a_preprocessor_that_does_not_fit_is_refused(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    path = tiny_vit(tmp_path) / "preprocessor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | change), "utf-8")
    with pytest.raises(LoadFailed):
        engine(tmp_path)


@pytest.mark.parametrize(
    ("change", "side"),
    [
        ({"size": 64}, (64, 64)),
        ({"size": {"shortest_edge": 64}, "do_center_crop": True, "crop_size": 48}, (48, 48)),
        ({"size": {"height": 32, "width": 48}}, (48, 32)),
    ],
)
def test_sizes_are_understood_in_every_spelling(
    tmp_path: Path, change: dict[str, Any], side: tuple[int, int]
) -> None:
    path = tiny_vit(tmp_path) / "preprocessor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | change), "utf-8")
    picture = read_picture_input(tmp_path)
    assert picture.side == side
    values = picture.values(Image.new("RGB", (90, 90), (255, 255, 255)))
    assert values.shape == (3, side[1], side[0])
    assert values.dtype == np.float32
    assert np.allclose(values, 1)
