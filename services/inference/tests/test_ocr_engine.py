"""Printed lines are read from pages, in order, with their places; nothing is fetched."""

import logging
import socket
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from photographs import photograph
from PIL import Image, ImageDraw, ImageFont

from atoll_inference.engines.base import LoadFailed
from atoll_inference.engines.rapid_ocr import RapidOcrEngine, in_reading_order
from atoll_inference.engines.runtime import Runtime
from atoll_inference.engines.tasks.picture import OcrInput, OcrLine

FONTS = Path("/usr/share/fonts")
LINES = (
    "Invoice No. 2026-0417",
    "The quick brown fox jumps over the lazy dog.",
    "Total amount due: 1,249.50 EUR",
    "Payment within 30 days, thank you!",
)
CHINESE = ("北京今天天气很好", "发票金额：一千二百元")


@pytest.fixture(scope="module")
def folder(models_dir: Path) -> Path:
    found = next(models_dir.glob("ocr/*/*det*.onnx"), None)
    if found is None:
        pytest.fail("the OCR models are not installed; run `make models-starter` first")
    return found.parent


@pytest.fixture(scope="module")
def reader(folder: Path) -> RapidOcrEngine:
    engine = RapidOcrEngine(folder, Runtime(device="cpu", threads=1))
    engine.load(lambda fraction, stage: None)
    engine.warmup()
    return engine


def font(pattern: str, size: int) -> Any:
    path = next(FONTS.rglob(pattern), None)
    if path is None:
        pytest.skip(f"no font {pattern} in {FONTS}")
    return ImageFont.truetype(path, size)


def page(lines: tuple[str, ...], pattern: str = "DejaVuSans.ttf", size: int = 28) -> Image.Image:
    image = Image.new("RGB", (900, 60 + 70 * len(lines)), "white")
    draw = ImageDraw.Draw(image)
    for index, line in enumerate(lines):
        draw.text((40, 40 + 70 * index), line, fill="black", font=font(pattern, size))
    return image


def read(reader: RapidOcrEngine, image: Image.Image) -> tuple[OcrLine, ...]:
    lines: tuple[OcrLine, ...] = reader.run(OcrInput(image)).lines
    return lines


def texts(lines: tuple[OcrLine, ...]) -> list[str]:
    return [line.text for line in lines]


def alike(one: str, two: str) -> float:
    return SequenceMatcher(None, one.replace(" ", ""), two.replace(" ", "")).ratio()


@pytest.mark.parametrize("pattern", ["DejaVuSans.ttf", "DejaVuSerif.ttf", "DejaVuSansMono.ttf"])
def test_printed_lines_are_read_in_order(reader: RapidOcrEngine, pattern: str) -> None:
    lines = read(reader, page(LINES, pattern))
    assert len(lines) == len(LINES)
    for line, expected in zip(lines, LINES, strict=True):
        assert alike(line.text, expected) > 0.95
        assert 0.8 < line.score <= 1


def test_chinese_is_read(reader: RapidOcrEngine) -> None:
    lines = read(reader, page(CHINESE, "NotoSansCJK-Regular.ttc", 32))
    assert [text.replace(":", "：") for text in texts(lines)] == list(CHINESE)


def test_a_line_has_its_place(reader: RapidOcrEngine) -> None:
    lines = read(reader, page(LINES[:2]))
    for index, line in enumerate(lines):
        (left, top), (right, _), (_, bottom), _ = line.box
        assert 30 <= left <= 50
        assert left + 200 < right <= 900
        assert 30 + 70 * index <= top < bottom <= 90 + 70 * index


def test_a_scanned_page_is_read(reader: RapidOcrEngine) -> None:
    lines = read(reader, photograph("page.png"))
    joined = " ".join(texts(lines)).lower()
    for words in (
        "region-based segmentation",
        "two extreme parts of the",
        "histogram of grey values",
    ):
        assert words.replace(" ", "") in joined.replace(" ", "")


def test_small_print_on_a_large_sheet_is_read(reader: RapidOcrEngine) -> None:
    sheet = Image.new("RGB", (2480, 3508), "white")
    draw = ImageDraw.Draw(sheet)
    for index in range(12):
        draw.text((200, 300 + 200 * index), LINES[index % 4], fill="black",
                  font=font("DejaVuSerif.ttf", 42))  # fmt: skip
    lines = read(reader, sheet)
    assert len(lines) == 12
    assert all(alike(x.text, LINES[i % 4]) > 0.95 for i, x in enumerate(lines))
    assert abs(lines[-1].box[0][1] - 2500) < 40, "places are those of the sheet as it was sent"


def test_lines_side_by_side_are_read_from_the_left(reader: RapidOcrEngine) -> None:
    image = Image.new("RGB", (900, 200), "white")
    draw = ImageDraw.Draw(image)
    draw.text((520, 36), "Amount", fill="black", font=font("DejaVuSans.ttf", 30))
    draw.text((40, 44), "Article", fill="black", font=font("DejaVuSans.ttf", 30))
    draw.text((40, 120), "Paper", fill="black", font=font("DejaVuSans.ttf", 30))
    draw.text((520, 112), "17.20", fill="black", font=font("DejaVuSans.ttf", 30))
    assert texts(read(reader, image)) == ["Article", "Amount", "Paper", "17.20"]


def test_order_holds_for_large_and_small_letters() -> None:
    def line(text: str, left: float, top: float, height: float) -> OcrLine:
        box = ((left, top), (left + 50, top), (left + 50, top + height), (left, top + height))
        return OcrLine(text, 1.0, box)

    lines = [
        line("d", 10, 150, 20),
        line("b", 200, 8, 90),
        line("e", 90, 155, 20),
        line("a", 10, 0, 100),
        line("c", 10, 110, 30),
    ]
    assert [li.text for li in in_reading_order(lines)] == ["a", "b", "c", "d", "e"]


def test_a_page_may_lie_upside_down_or_askew(reader: RapidOcrEngine) -> None:
    upright = page(LINES)
    for turned in (
        upright.transpose(Image.Transpose.ROTATE_180),
        upright.rotate(4, fillcolor="white", resample=Image.Resampling.BICUBIC),
    ):
        lines = read(reader, turned)
        assert len(lines) == len(LINES)
        assert all(alike(a.text, b) > 0.9 for a, b in zip(lines, LINES, strict=True))


@pytest.mark.parametrize(
    "size", [(1, 1), (1, 3000), (3000, 1), (20, 2000), (2000, 20), (31, 17), (640, 480)]
)
def test_a_picture_without_text_has_no_lines(reader: RapidOcrEngine, size: tuple[int, int]) -> None:
    assert read(reader, Image.new("RGB", size, (180, 190, 200))) == ()


@pytest.mark.parametrize("size", [(130, 2400), (1240, 1754), (2000, 180)])
@pytest.mark.parametrize("ink", [("white", "black"), ("#102030", "#f0f0e0")])
def test_one_word_on_an_empty_sheet_is_read(
    reader: RapidOcrEngine, size: tuple[int, int], ink: tuple[str, str]
) -> None:
    sheet = Image.new("RGB", size, ink[0])
    place = (10, size[1] // 2)
    ImageDraw.Draw(sheet).text(place, "Receipt", fill=ink[1], font=font("DejaVuSans.ttf", 28))
    lines = read(reader, sheet)
    assert texts(lines) == ["Receipt"]
    left, top = lines[0].box[0]
    assert abs(left - place[0]) < 15
    assert abs(top - place[1]) < 25


def test_answers_do_not_depend_on_the_neighbours(reader: RapidOcrEngine) -> None:
    images = [page(LINES), page(LINES[:1]), Image.new("RGB", (64, 64)), page(LINES[2:])]
    alone = [read(reader, image) for image in images]
    order = [2, 0, 3, 1]
    together = reader.run_batch([OcrInput(images[i]) for i in order])
    assert [result.lines for result in together] == [alone[i] for i in order]


def test_nothing_is_fetched_and_nothing_is_logged(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    engine = RapidOcrEngine(folder, Runtime(device="cpu", threads=1))
    with caplog.at_level(logging.INFO):
        engine.load(lambda fraction, stage: None)
        engine.warmup()
        assert read(engine, Image.new("RGB", (64, 64))) == ()
    out, err = capfd.readouterr()
    assert (out, err, caplog.text) == ("", "", "")


def test_it_loads_again_after_unloading(folder: Path) -> None:
    engine = RapidOcrEngine(folder, Runtime(device="cpu", threads=1))
    engine.load(lambda fraction, stage: None)
    first = read(engine, page(LINES[:1]))
    engine.unload()
    engine.unload()
    engine.load(lambda fraction, stage: None)
    assert read(engine, page(LINES[:1])) == first
    assert engine.bytes_estimate() > 0


@pytest.mark.parametrize("part", ["det", "rec"])
def test_a_missing_or_damaged_model_is_named(tmp_path: Path, folder: Path, part: str) -> None:
    for file in folder.glob("*.onnx"):
        if f"_{part}_" in file.name:
            bad = tmp_path / file.name
        else:
            (tmp_path / file.name).symlink_to(file)
    with pytest.raises(LoadFailed, match=f"'{part}'.*make models-starter"):
        RapidOcrEngine(tmp_path, Runtime(device="cpu"))
    bad.write_bytes(b"no model")
    engine = RapidOcrEngine(tmp_path, Runtime(device="cpu", threads=1))
    with pytest.raises(LoadFailed, match=bad.name):
        engine.load(lambda fraction, stage: None)


def test_pictures_of_noise_are_answered(reader: RapidOcrEngine) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (700, 900, 3), dtype=np.uint8)
    assert all(line.text for line in read(reader, Image.fromarray(noise)))
