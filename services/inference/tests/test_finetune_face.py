"""Fine-tuning a judge of faces, from folders of pictures to a checkpoint that is served."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from photographs import face_detector, photograph, small_faces
from PIL import Image
from tiny_picture import IMAGENET, tiny_swin2sr, tiny_vit
from transformers import ViTConfig, ViTModel

from atoll_inference.catalog.discovery import Discovery
from atoll_inference.engines.face_classifier import FaceClassifierEngine
from atoll_inference.engines.factory import SERVED
from atoll_inference.engines.runtime import Runtime
from atoll_inference.engines.tasks.picture import FaceDeepfakeInput
from atoll_inference.finetune import FinetuneFailed
from atoll_inference.finetune.face_deepfake import finetune_face_deepfake, make_recipe
from atoll_inference.finetune.report import Report

SOURCES = 12
TRAINING: dict[str, Any] = {
    "epochs": 12,
    "batch": 8,
    "seed": 1,
    "learning_rate": 2e-3,
    "patience": 6,
    "threads": 1,
}


def tinted(face: Image.Image, *, fake: bool) -> Image.Image:
    """A photographed face, lit in colour from above or, in the fakes, from the side."""
    pixels = np.asarray(face.resize((90, 90), Image.Resampling.BICUBIC), np.float32)
    ramp = np.linspace(-35, 35, 90, dtype=np.float32)
    light = ramp[None, :, None] if fake else ramp[:, None, None]
    lit = pixels + light * np.array([1, 0, -1], np.float32)
    return Image.fromarray(np.clip(lit, 0, 255).astype(np.uint8))


def on_grey(*faces: Image.Image) -> Image.Image:
    """Pictures side by side on a wall."""
    page = Image.new("RGB", (150 * len(faces), 150), (128, 128, 128))
    for index, face in enumerate(faces):
        page.paste(face, (150 * index + 30, 30))
    return page


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of real faces, some of them lit in the other way, and three without a face."""
    folder = tmp_path_factory.mktemp("data")
    for index, face in enumerate(small_faces()[:96]):
        source = f"cam{index % SOURCES}"
        real = folder / "real" / f"{source}_{index}.png"
        fake = folder / "fake" / source / f"{index}.png"
        target = fake if (index // SOURCES) % 2 else real
        target.parent.mkdir(parents=True, exist_ok=True)
        on_grey(tinted(face, fake=target is fake)).save(target)
    photograph("coffee.png").save(folder / "real" / "cam1_coffee.png")
    photograph("flower.jpg").save(folder / "fake" / "cam2" / "flower.jpg")
    (folder / "real" / "notes.txt").write_text("no picture")
    return folder


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_vit(tmp_path_factory.mktemp("bases") / "tiny-vit", IMAGENET)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def report(data: Path, base: Path, models: Path) -> Report:
    output = models / "face_deepfake" / "judge"
    return finetune_face_deepfake(data, base, output, detector=face_detector(), **TRAINING)


def judge(folder: Path) -> FaceClassifierEngine:
    engine = FaceClassifierEngine(
        folder, Runtime(device="cpu", threads=1), detector=face_detector()
    )
    engine.load(lambda fraction, stage: None)
    engine.warmup()
    return engine


def test_it_tells_held_out_sources_apart(report: Report) -> None:
    assert report.test.accuracy >= 0.9
    assert report.test.eer <= 0.1
    sides = [{sample.source for sample in of} for of in report.split.sets.values()]
    assert sum(map(len, sides)) == len(set().union(*sides)) == SOURCES


def test_pictures_without_a_face_are_left_out_and_counted(report: Report) -> None:
    reasons = {skipped.path: skipped.reason for skipped in report.skipped}
    assert "no face" in reasons["real/cam1_coffee.png"]
    assert "no face" in reasons["fake/cam2/flower.jpg"]
    assert "no picture" in reasons["real/notes.txt"]
    written = json.loads((report.output / "report.json").read_text("utf-8"))
    assert {item["path"] for item in written["skipped"]} == set(reasons)


def test_the_catalog_discovers_it(report: Report, models: Path) -> None:
    (found,) = Discovery(models, SERVED).scan()
    assert (found.slot, found.path, found.problem) == ("face_deepfake", report.output, None)


def test_the_engine_serves_it(report: Report) -> None:
    engine = judge(report.output)
    faces = small_faces()[96:]
    both = on_grey(tinted(faces[0], fake=False), tinted(faces[1], fake=True))
    result = engine.run(FaceDeepfakeInput(both))
    assert result.label == "fake"
    left, right = sorted(result.faces, key=lambda face: face.box[0])
    assert left.score < 0.5 < right.score == result.score
    real = engine.run(FaceDeepfakeInput(on_grey(tinted(faces[2], fake=False))))
    assert (real.label, len(real.faces)) == ("real", 1)
    assert engine.run(FaceDeepfakeInput(photograph("coffee.png"))).label is None


def test_the_scores_of_the_report_are_those_of_the_service(report: Report, data: Path) -> None:
    engine = judge(report.output)
    for sample, score in list(zip(report.split.test, report.scores, strict=True))[:4]:
        image = Image.open(data / sample.path).convert("RGB")
        assert engine.run(FaceDeepfakeInput(image)).score == pytest.approx(score, abs=1e-4)


def test_an_interrupted_fine_tune_goes_on_to_the_same_result(
    data: Path, base: Path, tmp_path: Path, report: Report
) -> None:
    class Stop(Exception):
        pass

    def stop(line: str) -> None:
        if line.startswith("epoch 2 "):
            raise Stop

    output, detector = tmp_path / "judge", face_detector()
    with pytest.raises(Stop):
        finetune_face_deepfake(data, base, output, detector=detector, **TRAINING, say=stop)
    assert not output.exists()
    resumed = finetune_face_deepfake(data, base, output, detector=detector, **TRAINING, resume=True)
    assert resumed.scores == pytest.approx(report.scores, abs=1e-3)
    assert resumed.best_epoch == report.best_epoch


def attempt(data: Path, base: Path, output: Path) -> str:
    with pytest.raises(FinetuneFailed) as failure:
        finetune_face_deepfake(data, base, output, detector=face_detector(), **TRAINING)
    return str(failure.value)


def test_a_class_without_a_face_is_refused(data: Path, base: Path, tmp_path: Path) -> None:
    shutil.copytree(data / "fake", tmp_path / "data" / "fake")
    (tmp_path / "data" / "real").mkdir()
    photograph("coffee.png").save(tmp_path / "data" / "real" / "a_1.png")
    assert "no face was found" in attempt(tmp_path / "data", base, tmp_path / "out")


def test_a_base_that_does_not_fit_is_refused(data: Path, tmp_path: Path) -> None:
    other = tiny_swin2sr(tmp_path / "swin2sr")
    assert "vision transformer" in attempt(data, other, tmp_path / "out")
    broken = tiny_vit(tmp_path / "vit", IMAGENET)
    (broken / "preprocessor_config.json").unlink()
    shutil.rmtree(tmp_path / ".out.training", ignore_errors=True)
    assert "preprocessor_config.json" in attempt(data, broken, tmp_path / "out")


def test_a_base_without_a_head_is_taken(tmp_path: Path) -> None:
    tiny_vit(tmp_path)
    config = ViTConfig(image_size=32, patch_size=8, hidden_size=32, num_hidden_layers=1,
                       num_attention_heads=2, intermediate_size=64)  # fmt: skip
    body = ViTModel(config)
    body.save_pretrained(tmp_path)
    from atoll_inference.finetune.face_deepfake import FaceDeepfakeRecipe

    recipe = FaceDeepfakeRecipe(face_detector())
    model = recipe.load(tmp_path)
    assert model.config.id2label == {0: "real", 1: "fake"}
    assert np.array_equal(
        model.vit.embeddings.cls_token.detach().numpy(),
        body.embeddings.cls_token.detach().numpy(),
    )


def test_bases_are_told_from_finished_judges(base: Path, report: Report) -> None:
    recipe = make_recipe(face_detector().parents[1])

    def takes(folder: Path) -> bool:
        return recipe.takes(json.loads((folder / "config.json").read_text("utf-8")))

    assert takes(base)
    assert not takes(report.output)


def test_without_a_detector_the_remedy_is_named(tmp_path: Path) -> None:
    with pytest.raises(FinetuneFailed, match="make models-starter"):
        make_recipe(tmp_path)
