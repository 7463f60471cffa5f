"""The pages of the studio with every slot filled.

Where no small model can be had, a checkpoint with random weights fills the slot of this stack: it
shows how a page draws a result, and nothing is said of what the result is.
"""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from .browser import Visit, chromium
from .person import Person, first_admin, new_user
from .stack import MODELS, ROOT, Stack
from .studio import (
    ACTIONS,
    EXAMPLES,
    SHOWN,
    ask,
    choose,
    signed_in,
)

# Enough for the example pictures, and less than the example video has in all its frames.
SYNC_MAX_PIXELS = 200_000


def fill(models: Path) -> None:
    """The starters, and small random checkpoints for what they leave empty."""
    tests = str(ROOT / "services" / "inference" / "tests")
    if tests not in sys.path:  # the builders that the tests of inference use
        sys.path.append(tests)
    import tiny_picture
    import tiny_sound
    import tiny_text

    for slot in ("chat", "speech_recognition", "face_detection"):
        (models / slot).mkdir(parents=True)
        for folder in sorted((MODELS / slot).iterdir()):
            (models / slot / folder.name).symlink_to(folder.resolve())
    tiny_text.emotion_classifier(models / "emotion_detection" / "random-emotion")
    tiny_text.summarizer(models / "text_summarization" / "random-summaries")
    tiny_sound.make_faithful_sepformer(models / "audio_denoising" / "random-denoiser")
    tiny_picture.tiny_swin2sr(models / "video_enhancement" / "random-enlarger")
    tiny_sound.make_wavlm_judge(models / "audio_deepfake" / "random-voices")
    tiny_picture.tiny_vit(models / "face_deepfake" / "random-faces")


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own with a model in every slot of a task."""
    folder = tmp_path_factory.mktemp("full")
    fill(folder / "models")
    with Stack(
        folder / "data",
        MODELS_DIR=str(folder / "models"),
        SYNC_MAX_PIXELS=str(SYNC_MAX_PIXELS),
        CHAT_CONTEXT="512",
        REGISTRATION="open",
    ) as running:
        yield running


@pytest.fixture(scope="module")
def user(full: Stack) -> Person:
    first_admin(full)
    return new_user(full, "painter")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def visit(browser: Browser, full: Stack, user: Person) -> Iterator[Visit]:
    visit = signed_in(browser, full, user)
    yield visit
    visit.clean()
    visit.context.close()


@pytest.mark.parametrize(("task", "show"), SHOWN)
def test_a_result_is_drawn(visit: Visit, task: str, show: Callable[[Page], None]) -> None:
    visit.page.goto(f"/studio/{task}")
    show(visit.page)
    visit.accessible()


def test_a_long_video_becomes_a_job_by_itself(visit: Visit) -> None:
    page = visit.page
    page.goto("/studio/video_enhancement")
    page.get_by_role("button", name="A short video").click()
    page.get_by_role("button", name=ACTIONS["video_enhancement"], exact=True).click()
    expect(page.get_by_text("so it became a background job")).to_be_visible()
    job = page.get_by_test_id("job")
    page.reload()
    expect(job).to_have_attribute("data-status", "complete", timeout=120_000)
    job.get_by_role("link", name="Show the result of cat.mp4").click()
    result = page.get_by_test_id("result")
    expect(result).to_contain_text("160 × 120 became 320 × 240 pixels.")
    expect(result.locator("video")).to_have_count(2)
    with page.expect_download() as coming:
        job.get_by_role("link", name="Download cat.enhanced.mp4").click()
    assert coming.value.suggested_filename == "cat.enhanced.mp4"
    assert b"ftyp" in Path(coming.value.path()).read_bytes()[:16]
    visit.accessible()


def test_a_job_is_cancelled(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    page.goto("/studio/video_enhancement")
    page.get_by_role("button", name="A small picture").click()
    large = tmp_path / "large.png"
    enlarged(EXAMPLES / "coffee.jpg", large)
    choose(page, large)
    page.get_by_role("button", name="Work in the background").click()
    job = page.get_by_test_id("job").filter(has_text="large.png")
    job.get_by_role("button", name="Cancel large.png").click()
    expect(job).to_have_attribute("data-status", "cancelled")
    expect(job).to_contain_text("Cancelled")


def test_a_short_video_while_the_page_waits(
    browser: Browser, full: Stack, user: Person, tmp_path: Path
) -> None:
    """Cut to a few frames, it is below the limit."""
    visit = signed_in(browser, full, user)
    page = visit.page
    few = tmp_path / "few.mp4"
    shortened(EXAMPLES / "cat.mp4", few, frames=6)
    page.goto("/studio/video_enhancement")
    choose(page, few)
    result = ask(page, "video_enhancement")
    expect(result).to_contain_text("160 × 120 became 320 × 240 pixels.")
    expect(result).to_contain_text(re.compile("Answered by.*random-enlarger"))
    visit.clean()
    visit.context.close()


def enlarged(source: Path, target: Path) -> None:
    """A picture large enough to be worked on for a while."""
    from PIL import Image

    with Image.open(source) as image:
        image.resize((1800, 1200)).save(target)


def shortened(source: Path, target: Path, frames: int) -> None:
    """The first frames of a video."""
    import av

    with av.open(str(source)) as video, av.open(str(target), "w") as short:
        stream = short.add_stream("libx264", rate=8)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for index, frame in enumerate(video.decode(video=0)):
            if index == frames:
                break
            frame.pts = None
            short.mux(stream.encode(frame))
        short.mux(stream.encode())
