"""What the pages of the studio show, told once for every stack that they are tried on."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from .browser import Visit
from .person import Person
from .stack import ROOT, Stack

EXAMPLES = ROOT / "services" / "frontend" / "public" / "examples"
ACTIONS = {
    "speech_recognition": "Transcribe",
    "emotion_detection": "Judge the emotion",
    "text_summarization": "Summarize",
    "audio_denoising": "Remove noise",
    "video_enhancement": "Enlarge",
    "audio_deepfake": "Examine the voice",
    "face_deepfake": "Examine the faces",
}
SAID = "All of our representatives are currently busy."
PERCENT = re.compile(r"\d+%")
# A microphone that plays a recording of speech, over and over.
MICROPHONE = (
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    f"--use-file-for-fake-audio-capture={EXAMPLES / 'announcement.wav'}",
)


def signed_in(browser: Browser, stack: Stack, user: Person, **options: Any) -> Visit:
    """A visit that has the user's cookie already."""
    visit = Visit(browser, stack.url, **options)
    jar = user.http.cookies.jar
    visit.context.add_cookies(
        [{"name": c.name, "value": str(c.value), "url": stack.url} for c in jar]
    )
    return visit


def slots(admin: Person) -> dict[str, dict[str, Any]]:
    """Every slot by name, as the API tells it."""
    answer = admin.http.get("/api/slots")
    assert answer.status_code == 200, answer.text
    return {slot["slot"]: slot for slot in answer.json()["slots"]}


def filled(admin: Person, task: str) -> bool:
    """Whether a model can answer the task."""
    return any(model["state"] != "failed" for model in slots(admin)[task]["models"])


def choose(page: Page, path: Path) -> None:
    """Choose a file, as the browser's dialog does."""
    page.locator("input[type=file]").set_input_files(path)


def ask(page: Page, task: str) -> Any:
    """Press the button and wait for the result."""
    page.get_by_role("button", name=ACTIONS[task], exact=True).click()
    result = page.get_by_test_id("result")
    expect(result).to_be_visible(timeout=120_000)
    return result


def downloaded(page: Page, name: str) -> tuple[str, bytes]:
    """What the button `name` saves: the file's name and its content."""
    with page.expect_download() as coming:
        page.get_by_role("button", name=name).click()
    download = coming.value
    return download.suggested_filename, Path(download.path()).read_bytes()


def show_emotion(page: Page) -> None:
    """Bars, the highest first, and the emotion that it stands for."""
    page.get_by_role("button", name="Good news").click()
    expect(page.get_by_label("Text", exact=True)).to_have_value(re.compile("I got the job"))
    result = ask(page, "emotion_detection")
    bars = result.get_by_role("meter")
    values = [float(bar.get_attribute("aria-valuenow") or "") for bar in bars.all()]
    assert values == sorted(values, reverse=True)
    assert sum(values) == pytest.approx(1, abs=0.01)
    expect(result.get_by_test_id("verdict")).to_have_text(
        bars.first.get_attribute("aria-label") or ""
    )


def show_summary(page: Page) -> None:
    """The summary beside its source, with token counts."""
    page.get_by_role("button", name="Minutes of a meeting").click()
    expect(page.get_by_label("Text", exact=True)).to_have_value(re.compile("harbour committee"))
    result = ask(page, "text_summarization")
    expect(result.get_by_test_id("summary")).to_have_text(re.compile(r"\S"))
    expect(result).to_contain_text(re.compile(r"Summary · [\d,]+ tokens?"))
    expect(result).to_contain_text(re.compile(r"Source · [\d,]+ tokens?"))
    expect(result).to_contain_text("Anna opened the meeting at nine.")


def show_denoising(page: Page) -> None:
    """Two players of the same length, and a file to keep."""
    page.get_by_role("button", name="A noisy announcement").click()
    result = ask(page, "audio_denoising")
    for name in ("Before", "After"):
        player = result.get_by_role("group", name=name)
        expect(player).to_contain_text("0:07")
        expect(player.get_by_role("slider")).to_be_enabled()
    name, wav = downloaded(page, "Download")
    assert name == "noisy.denoised.wav"
    before = (EXAMPLES / "noisy.wav").read_bytes()
    assert wav[:4] == b"RIFF"
    assert len(wav) == pytest.approx(len(before), abs=8000 * 2 * 0.01 + 100)


def show_picture(page: Page) -> None:
    """A slider between two pictures, one of twice the size."""
    page.get_by_role("button", name="A small picture").click()
    result = ask(page, "video_enhancement")
    expect(result).to_contain_text("300 × 200 became 600 × 400 pixels.")
    border = result.get_by_role("slider", name="Border between before and after")
    border.press("ArrowLeft")
    expect(border).to_have_attribute("aria-valuetext", "49% before")
    name, png = downloaded(page, "Download")
    assert name == "coffee.enhanced.png"
    assert png.startswith(b"\x89PNG")


def show_voice(page: Page) -> None:
    """A gauge, and a bar for each window."""
    page.get_by_role("button", name="A synthetic voice").click()
    result = ask(page, "audio_deepfake")
    gauge = result.get_by_role("meter")
    expect(gauge).to_have_attribute("aria-valuetext", PERCENT)
    expect(result.get_by_test_id("verdict")).to_have_text(re.compile("Probably (real|synthetic)"))
    windows = result.get_by_role("group", name="Likelihood over time").get_by_role("button")
    expect(windows.first).to_have_attribute("aria-label", re.compile(r"0:00\.0 to .*: \d+%"))


def show_faces(page: Page) -> None:
    """A box around the one face, with its score."""
    page.get_by_role("button", name="A portrait").click()
    result = ask(page, "face_deepfake")
    picture = result.get_by_role("img", name="Picture with 1 face").bounding_box()
    face = result.get_by_test_id("face-box").bounding_box()
    assert picture
    assert face
    # The portrait's face is in the middle of the upper half.
    middle = (face["x"] + face["width"] / 2 - picture["x"]) / picture["width"]
    assert 0.3 < middle < 0.7
    assert face["y"] + face["height"] / 2 < picture["y"] + picture["height"] / 2
    expect(result).to_contain_text(re.compile(r"Face 1: \d+% likely synthetic"))


SHOWN = [
    ("emotion_detection", show_emotion),
    ("text_summarization", show_summary),
    ("audio_denoising", show_denoising),
    ("video_enhancement", show_picture),
    ("audio_deepfake", show_voice),
    ("face_deepfake", show_faces),
]
"""Each task beside speech, with what makes its page show a result and looks at it."""
