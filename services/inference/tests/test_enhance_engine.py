"""Pictures and videos come back at exactly twice their size, whatever they were cut into."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file, save_file
from tiny_picture import doubling_swin2sr, tiny_swin2sr, tiny_vit
from tiny_video import make_video, tone_of
from transformers import Swin2SRForImageSuperResolution

from atoll_inference.engines import swin2sr
from atoll_inference.engines.base import LoadFailed, Stopped
from atoll_inference.engines.runtime import Runtime
from atoll_inference.engines.swin2sr import Swin2srEngine
from atoll_inference.engines.tasks.picture import EnhanceImageInput, EnhanceVideoInput
from atoll_inference.media.errors import MediaTooLarge, Undecodable
from atoll_inference.media.limits import MediaLimits
from atoll_inference.media.video import Frame, VideoInfo, VideoReader

RUNTIME = Runtime(device="cpu", threads=1)


def loaded(folder: Path, runtime: Runtime = RUNTIME) -> Swin2srEngine:
    engine = Swin2srEngine(folder, runtime)
    engine.load(lambda fraction, stage: None)
    engine.warmup()
    return engine


@pytest.fixture(scope="module")
def doubling(tmp_path_factory: pytest.TempPathFactory) -> Swin2srEngine:
    """Repeats every pixel four times, so that what comes out is known."""
    return loaded(doubling_swin2sr(tmp_path_factory.mktemp("doubling")))


@pytest.fixture(scope="module")
def random_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_swin2sr(tmp_path_factory.mktemp("random"))


@pytest.fixture(scope="module")
def random(random_folder: Path) -> Swin2srEngine:
    """Turns every picture into noise that depends on the neighbourhood of each pixel."""
    return loaded(random_folder)


def noise(width: int, height: int, mode: str = "RGB", seed: int = 0) -> Image.Image:
    channels = len(Image.new(mode, (1, 1)).getbands())
    values = np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)
    return Image.fromarray(values.squeeze(2) if channels == 1 else values, mode)


def enhanced(engine: Swin2srEngine, image: Image.Image) -> Image.Image:
    result: Image.Image = engine.run(EnhanceImageInput(image)).image
    return result


def values(image: Image.Image) -> NDArray[np.int16]:
    return np.asarray(image).astype(np.int16)


def reference(folder: Path, image: Image.Image) -> NDArray[np.int16]:
    """What transformers makes of the whole picture at once."""
    model = Swin2SRForImageSuperResolution.from_pretrained(folder).eval()
    below, right = -image.height % 8, -image.width % 8
    pixels = np.pad(np.asarray(image), ((0, below), (0, right), (0, 0)), mode="symmetric")
    with torch.inference_mode():
        batch = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
        output = model(pixel_values=batch).reconstruction[0].permute(1, 2, 0)
    whole = (output.clamp(0, 1) * 255).round().numpy().astype(np.int16)
    cut: NDArray[np.int16] = whole[: 2 * image.height, : 2 * image.width]
    return cut


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (7, 13), (64, 64), (264, 20)])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_every_pixel_becomes_four(
    doubling: Swin2srEngine, size: tuple[int, int], mode: str
) -> None:
    image = noise(*size, mode)
    result = enhanced(doubling, image)
    assert result.mode == mode
    assert result.size == (2 * size[0], 2 * size[1])
    assert np.abs(values(result) - values(image).repeat(2, 0).repeat(2, 1)).max() <= 1


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_transparency_is_enlarged_beside_the_colours(doubling: Swin2srEngine, mode: str) -> None:
    image = noise(30, 20, mode)
    alpha = Image.new("L", image.size, 255)
    alpha.paste(0, (0, 0, 15, 20))
    image.putalpha(alpha)
    result = enhanced(doubling, image)
    assert (result.mode, result.size) == (mode, (60, 40))
    colours = values(image)[..., :-1].repeat(2, 0).repeat(2, 1)
    assert np.abs(values(result)[..., :-1] - colours).max() <= 1
    enlarged = values(result.getchannel("A"))
    assert set(enlarged[:, :26].ravel()) == {0}
    assert set(enlarged[:, 34:].ravel()) == {255}


@pytest.mark.parametrize("size", [(40, 24), (37, 21), (128, 96)])
def test_one_tile_is_what_transformers_makes_of_it(
    random: Swin2srEngine, random_folder: Path, size: tuple[int, int]
) -> None:
    image = noise(*size)
    assert np.abs(values(enhanced(random, image)) - reference(random_folder, image)).max() <= 1


def test_tiles_leave_no_seams(
    random_folder: Path, random: Swin2srEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swin2sr, "TILE", 72)
    image = noise(150, 109)
    whole = reference(random_folder, image)
    difference = np.abs(values(enhanced(random, image)) - whole)
    assert np.ptp(whole) > 50, "the picture has something to be seen"
    # This model sees 15 pixels around, of which 8 are cut off where tiles overlap.
    assert difference.max() <= 3
    assert (difference > 1).mean() < 1e-3


def test_answers_do_not_depend_on_the_neighbours(random: Swin2srEngine) -> None:
    sizes = [(40, 24), (8, 8), (40, 24), (60, 50), (24, 40), (8, 8)]
    images = [noise(*size, seed=seed) for seed, size in enumerate(sizes)]
    alone = [enhanced(random, image) for image in images]
    order = [4, 0, 5, 2, 1, 3]
    together = random.run_batch([EnhanceImageInput(images[i]) for i in order])
    for place, index in enumerate(order):
        assert np.abs(values(together[place].image) - values(alone[index])).max() <= 1


def test_a_large_picture_comes_in_rounds_that_are_told(
    doubling: Swin2srEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swin2sr, "TILE", 32)
    monkeypatch.setattr(swin2sr, "OVERLAP", 8)
    seen: list[float] = []
    way = doubling.steps(
        EnhanceImageInput(noise(120, 180)), lambda fraction, stage: seen.append(fraction)
    )
    units, most = next(way), 0
    try:
        while True:
            most = max(most, len(units))
            assert len({unit.size for unit in units}) == 1, "they can share a forward pass"
            units = way.send(doubling.forward(units))
    except StopIteration as end:
        assert end.value.image.size == (240, 360)
    assert most <= 16
    assert seen == sorted(seen)
    assert len(seen) > 2
    assert seen[-1] == 1


@pytest.mark.parametrize("dtype", ["bf16", "fp32"])
def test_other_number_formats_answer_nearly_the_same(
    random_folder: Path, random: Swin2srEngine, dtype: Any
) -> None:
    other = loaded(random_folder, Runtime(device="cpu", dtype=dtype, threads=1))
    image = noise(48, 40)
    difference = np.abs(values(enhanced(other, image)) - values(enhanced(random, image)))
    assert difference.mean() < (3 if dtype == "bf16" else 0.01)


def test_int8_is_refused(random_folder: Path) -> None:
    with pytest.raises(LoadFailed, match="DTYPE to auto"):
        Swin2srEngine(random_folder, Runtime(device="cpu", dtype="int8"))


def test_it_loads_again_after_unloading(random_folder: Path) -> None:
    engine = loaded(random_folder)
    image = noise(20, 20)
    first = enhanced(engine, image)
    engine.unload()
    engine.unload()
    engine.load(lambda fraction, stage: None)
    assert enhanced(engine, image) == first
    assert engine.device == "cpu"
    assert engine.bytes_estimate() > 0


def change(folder: Path, how: str) -> str:
    file = folder / "model.safetensors"
    tensors = load_file(file)
    name = "upsample.final_convolution.weight"
    tensor = tensors.pop(name)
    if how == "renamed":
        tensors["upsample.other.weight"] = tensor
    elif how == "mis-shaped":
        tensors[name] = tensor[:2].clone()
    save_file(tensors, file, metadata={"format": "pt"})
    return name


@pytest.mark.parametrize("how", ["removed", "renamed", "mis-shaped"])
def test_a_tensor_that_does_not_fit_is_named(tmp_path: Path, how: str) -> None:
    name = change(tiny_swin2sr(tmp_path), how)
    with pytest.raises(LoadFailed, match=name.replace(".", r"\.")):
        loaded(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"upscale": 4}, "exactly twice"),
        ({"upsampler": ""}, "exactly twice"),
        ({"num_channels": 1, "num_channels_out": 1}, "colour"),
    ],
)
def test_other_kinds_of_checkpoints_are_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    config = json.loads((tiny_swin2sr(tmp_path) / "config.json").read_text("utf-8"))
    (tmp_path / "config.json").write_text(json.dumps(config | changes), "utf-8")
    with pytest.raises(LoadFailed, match=message):
        Swin2srEngine(tmp_path, RUNTIME)


def test_another_family_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LoadFailed, match="no Swin2SR checkpoint"):
        Swin2srEngine(tiny_vit(tmp_path), RUNTIME)


def read(path: Path) -> tuple[VideoInfo, list[Frame]]:
    with VideoReader(path, MediaLimits()) as reader:
        return reader.info, list(reader.frames())


@pytest.mark.parametrize(
    ("size", "times", "sound"),
    [
        ((64, 48), tuple(range(0, 800, 40)), "aac"),
        ((31, 17), (0, 40, 110, 210, 250, 320, 420, 460), None),
    ],
)
def test_a_video_keeps_frames_times_and_sound(
    doubling: Swin2srEngine,
    tmp_path: Path,
    size: tuple[int, int],
    times: tuple[int, ...],
    sound: str | None,
) -> None:
    exact = {} if sound else {"codec": "ffv1", "pixel_format": "bgr0"}
    source = make_video(tmp_path / "a.mkv", size=size, times=times, sound=sound, **exact)  # type: ignore[arg-type]
    target = tmp_path / "enhanced.mp4"
    seen: list[float] = []
    result = doubling.run(
        EnhanceVideoInput(source, target), lambda fraction, stage: seen.append(fraction)
    )
    (before, frames), (after, enlarged) = read(source), read(target)
    assert (result.width, result.height) == (2 * size[0], 2 * size[1])
    assert (after.width, after.height) == (result.width, result.height)
    assert result.frames == len(times) == len(enlarged) == len(frames)
    assert [round(f.pts * after.time_base * 1000) for f in enlarged] == list(times)
    assert result.duration == pytest.approx(before.seconds, abs=0.03)
    assert after.seconds == pytest.approx(before.seconds, abs=0.03)
    for one, two in zip(frames, enlarged, strict=True):
        assert np.abs(one.pixels.repeat(2, 0).repeat(2, 1) - two.pixels.astype(int)).mean() < 6
    assert result.has_audio is after.has_audio is (sound is not None)
    if sound:
        assert tone_of(target) == pytest.approx(tone_of(source), abs=0.005)
    assert seen == sorted(seen)
    assert seen[-1] <= 1
    assert len(seen) > 1
    assert result.path == target


@pytest.mark.parametrize("after", [0, 5])
def test_a_video_that_is_given_up_leaves_nothing(
    doubling: Swin2srEngine, tmp_path: Path, after: int
) -> None:
    source = make_video(tmp_path / "a.mp4", size=(32, 16), times=range(0, 4000, 40))
    way = doubling.steps(EnhanceVideoInput(source, tmp_path / "b.mp4"), lambda *_: None)
    units = next(way)
    for _ in range(after):
        units = way.send(doubling.forward(units))
    # The encoder looks ahead before it begins to write.
    assert bool(list(tmp_path.glob(".b.mp4*"))) is (after > 0)
    way.close()
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_a_cancelled_video_stops_at_the_next_frames(
    doubling: Swin2srEngine, tmp_path: Path
) -> None:
    source = make_video(tmp_path / "a.mp4", size=(32, 16), times=range(0, 4000, 40))
    calls = 0

    def progress(fraction: float, stage: str) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise Stopped("the request was ended")

    with pytest.raises(Stopped):
        doubling.run(EnhanceVideoInput(source, tmp_path / "b.mp4"), progress)
    assert calls == 2
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_videos_that_cannot_be_taken_are_refused(doubling: Swin2srEngine, tmp_path: Path) -> None:
    target = tmp_path / "b.mp4"
    (tmp_path / "bad.mp4").write_bytes(b"no video at all")
    with pytest.raises(Undecodable):
        doubling.run(EnhanceVideoInput(tmp_path / "bad.mp4", target))
    source = make_video(tmp_path / "a.mp4", times=(0, 40, 80))
    with pytest.raises(MediaTooLarge):
        doubling.run(EnhanceVideoInput(source, target, MediaLimits(image_pixels=1000)))
    with pytest.raises(FileNotFoundError):
        doubling.run(EnhanceVideoInput(source, tmp_path / "absent" / "b.mp4"))
    assert not target.exists()
