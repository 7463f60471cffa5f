"""A person in the studio: every task with a real file, and the models behind them.

A slot that is filled must give a result of the kind that is told here; an empty one must say how
to fill it. What a result says is judged elsewhere (`test_tasks.py`), but for speech.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from .browser import Visit, chromium
from .conftest import NewPerson
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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium(*MICROPHONE) as running:
        yield running


@pytest.fixture
def studio(browser: Browser, stack: Stack, person: NewPerson) -> Iterator[Visit]:
    """A signed-in visit of a fresh user; it must have stayed on this origin and broken nothing."""
    visit = signed_in(browser, stack, person())
    yield visit
    visit.clean()
    visit.context.close()


def signed_in(browser: Browser, stack: Stack, user: Person, **options: Any) -> Visit:
    visit = Visit(browser, stack.url, **options)
    jar = user.http.cookies.jar
    visit.context.add_cookies(
        [{"name": c.name, "value": str(c.value), "url": stack.url} for c in jar]
    )
    return visit


def slots(admin: Person) -> dict[str, dict[str, Any]]:
    answer = admin.http.get("/api/slots")
    assert answer.status_code == 200, answer.text
    return {slot["slot"]: slot for slot in answer.json()["slots"]}


def filled(admin: Person, task: str) -> bool:
    return any(model["state"] != "failed" for model in slots(admin)[task]["models"])


def choose(page: Page, path: Path) -> None:
    page.locator("input[type=file]").set_input_files(path)


def ask(page: Page, task: str) -> Any:
    """Press the button and wait for the result."""
    page.get_by_role("button", name=ACTIONS[task], exact=True).click()
    result = page.get_by_test_id("result")
    expect(result).to_be_visible(timeout=120_000)
    return result


def opened(visit: Visit, admin: Person, task: str) -> Page | None:
    """The page of a task; None, once it has explained itself, when nothing fills the slot."""
    page = visit.page
    page.goto(f"/studio/{task}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    if filled(admin, task):
        return page
    expect(page.get_by_role("heading", name="No model for this task yet")).to_be_visible()
    remedy = slots(admin)[task]["remedy"]
    expect(page.get_by_test_id("remedy")).to_have_text(remedy.replace("`", ""))
    expect(page.get_by_role("button", name=ACTIONS[task], exact=True)).to_have_count(0)
    expect(page.get_by_text(f"/inference/{task}")).to_be_visible()
    visit.accessible()
    return None


def downloaded(page: Page, name: str) -> tuple[str, bytes]:
    """What the button `name` saves: the file's name and its content."""
    with page.expect_download() as coming:
        page.get_by_role("button", name=name).click()
    download = coming.value
    return download.suggested_filename, Path(download.path()).read_bytes()


def test_speech_is_written_down_with_times_that_lead_into_it(studio: Visit, admin: Person) -> None:
    page = opened(studio, admin, "speech_recognition")
    assert page is not None
    choose(page, EXAMPLES / "announcement.wav")
    result = ask(page, "speech_recognition")
    phrases = result.get_by_test_id("transcript").get_by_role("button")
    expect(phrases.first).to_contain_text(SAID)
    expect(result.get_by_role("link", name="whisper-tiny.en")).to_be_visible()
    expect(result.get_by_text(re.compile("model"))).to_be_visible()

    second = phrases.nth(1)
    expect(second).to_contain_text("Please stay on the line")
    second.click()
    expect(second).to_have_attribute("aria-current", "true")
    player = result.get_by_role("slider")
    assert float(player.input_value()) > 2
    result.get_by_role("button", name="Pause: Recording").click()
    player.press("Home")
    expect(player).to_have_attribute("aria-valuetext", "0:00 of 0:07")

    name, srt = downloaded(page, "Download as SRT")
    assert name == "announcement.srt"
    assert srt.decode().startswith("1\n00:00:00,000 --> 00:00:02,")
    assert SAID in srt.decode()
    assert downloaded(page, "Download as VTT")[1].startswith(b"WEBVTT\n\n00:00:00.000 --> ")
    assert SAID in downloaded(page, "Download as TXT")[1].decode()
    studio.accessible()


def test_an_example_and_the_request_for_programs(studio: Visit, admin: Person) -> None:
    page = opened(studio, admin, "speech_recognition")
    assert page is not None
    page.get_by_role("button", name="A conference prompt").click()
    expect(page.get_by_text("conference.wav", exact=True)).to_be_visible()
    page.get_by_label("Language spoken").select_option("en")
    curl = page.get_by_role("tabpanel")
    expect(curl).to_contain_text(f"curl {studio.url}/inference/speech_recognition")
    expect(curl).to_contain_text("file=@conference.wav")
    expect(curl).to_contain_text("language=en")
    page.get_by_role("tab", name="Python").click()
    expect(page.get_by_role("tabpanel")).to_contain_text("requests.post(")
    expect(ask(page, "speech_recognition")).to_contain_text(re.compile("conference", re.I))


def test_a_voice_is_recorded_in_the_page(studio: Visit, admin: Person) -> None:
    page = opened(studio, admin, "speech_recognition")
    assert page is not None
    page.get_by_role("button", name="Record").click()
    expect(page.get_by_role("timer")).to_have_text("0:08", timeout=30_000)
    page.get_by_role("button", name="Stop recording").click()
    expect(page.get_by_text(re.compile(r"^recording-\d{6}\.webm$"))).to_be_visible()
    expect(ask(page, "speech_recognition")).to_contain_text(
        re.compile("representatives|stay on the line", re.I)
    )


def test_a_damaged_file_tells_what_the_server_says(
    studio: Visit, admin: Person, tmp_path: Path
) -> None:
    page = opened(studio, admin, "speech_recognition")
    assert page is not None
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"no such thing " * 100)
    choose(page, broken)
    page.get_by_role("button", name="Transcribe", exact=True).click()
    key = admin.api_key()
    told = admin.http.post(
        "/inference/speech_recognition",
        files={"file": broken.read_bytes()},
        headers={"Authorization": f"Bearer {key}"},
    ).json()["error"]["message"]
    expect(page.get_by_role("alert")).to_contain_text(told)


def test_an_emotion_as_bars(studio: Visit, admin: Person) -> None:
    page = opened(studio, admin, "emotion_detection")
    if page is None:
        return
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
    studio.accessible()


def test_a_summary_beside_its_source(studio: Visit, admin: Person) -> None:
    page = opened(studio, admin, "text_summarization")
    if page is None:
        return
    page.get_by_role("button", name="Minutes of a meeting").click()
    expect(page.get_by_label("Text", exact=True)).to_have_value(re.compile("harbour committee"))
    result = ask(page, "text_summarization")
    expect(result.get_by_test_id("summary")).to_have_text(re.compile(r"\S"))
    expect(result).to_contain_text(re.compile(r"Summary · [\d,]+ tokens?"))
    expect(result).to_contain_text(re.compile(r"Source · [\d,]+ tokens?"))
    expect(result).to_contain_text("Anna opened the meeting at nine.")
    studio.accessible()


def test_a_recording_before_and_after_its_noise(studio: Visit, admin: Person) -> None:
    page = opened(studio, admin, "audio_denoising")
    if page is None:
        return
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
    studio.accessible()


def test_a_picture_before_and_after_and_a_slider_between(studio: Visit, admin: Person) -> None:
    page = opened(studio, admin, "video_enhancement")
    if page is None:
        return
    page.get_by_role("button", name="A small picture").click()
    result = ask(page, "video_enhancement")
    expect(result).to_contain_text("300 × 200 became 600 × 400 pixels.")
    border = result.get_by_role("slider", name="Border between before and after")
    border.press("ArrowLeft")
    expect(border).to_have_attribute("aria-valuetext", "49% before")
    name, png = downloaded(page, "Download")
    assert name == "coffee.enhanced.png"
    assert png.startswith(b"\x89PNG")
    studio.accessible()


def test_a_job_goes_on_while_the_page_is_away(studio: Visit, admin: Person) -> None:
    page = opened(studio, admin, "video_enhancement")
    task = "video_enhancement"
    if page is None:
        # Speech is there in every stack, and works in the background too.
        task = "speech_recognition"
        page = opened(studio, admin, task)
        assert page is not None
        page.get_by_role("button", name="An announcement").click()
    else:
        page.get_by_role("button", name="A short video").click()
    page.get_by_role("button", name="Work in the background").click()
    job = page.get_by_test_id("job")
    expect(job).to_have_count(1)
    page.reload()
    expect(job).to_have_attribute("data-status", "complete", timeout=120_000)
    studio.accessible()
    job.get_by_role("link", name=re.compile("Show the result of")).click()
    result = page.get_by_test_id("result")
    if task == "video_enhancement":
        expect(result).to_contain_text("160 × 120 became 320 × 240 pixels.")
    else:
        expect(result.get_by_test_id("transcript")).to_contain_text(SAID)
    page.reload()
    expect(result).to_be_visible()
    page.goto("/studio")
    expect(page.get_by_test_id("job")).to_have_count(1)
    studio.accessible()


def test_a_voice_with_a_gauge_and_its_windows(studio: Visit, admin: Person) -> None:
    page = opened(studio, admin, "audio_deepfake")
    if page is None:
        return
    page.get_by_role("button", name="A synthetic voice").click()
    result = ask(page, "audio_deepfake")
    gauge = result.get_by_role("meter")
    expect(gauge).to_have_attribute("aria-valuetext", PERCENT)
    expect(result.get_by_test_id("verdict")).to_have_text(re.compile("Probably (real|synthetic)"))
    windows = result.get_by_role("group", name="Likelihood over time").get_by_role("button")
    expect(windows.first).to_have_attribute("aria-label", re.compile(r"0:00\.0 to .*: \d+%"))
    studio.accessible()


def test_faces_in_boxes(studio: Visit, admin: Person) -> None:
    page = opened(studio, admin, "face_deepfake")
    if page is None:
        return
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
    studio.accessible()


def test_cancelling_gives_the_page_back(studio: Visit, admin: Person, tmp_path: Path) -> None:
    page = opened(studio, admin, "speech_recognition")
    assert page is not None
    wav = (EXAMPLES / "announcement.wav").read_bytes()
    long = tmp_path / "long.wav"
    # Minutes of the same announcement; the length in a WAV head is taken as it comes.
    sizes = (36 + 125_398 * 60).to_bytes(4, "little"), (125_398 * 60).to_bytes(4, "little")
    long.write_bytes(wav[:4] + sizes[0] + wav[8:40] + sizes[1] + wav[44:] * 60)
    choose(page, long)
    page.get_by_role("button", name="Transcribe", exact=True).click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Transcribe", exact=True)).to_be_enabled()
    expect(page.get_by_role("alert")).to_have_count(0)
    choose(page, EXAMPLES / "announcement.wav")
    expect(ask(page, "speech_recognition")).to_contain_text(SAID)


def test_every_slot_with_its_state_and_a_card(studio: Visit, admin: Person) -> None:
    page = studio.page
    page.goto("/chat")
    page.get_by_role("link", name="Models").click()
    expect(page.get_by_role("heading", level=1, name="Models")).to_be_visible()
    known = slots(admin)
    shown = page.get_by_test_id("slot")
    expect(shown).to_have_count(len(known))
    for name, slot in known.items():
        section = page.locator(f"[data-slot={name}]")
        for model in slot["models"]:
            expect(section).to_contain_text(model["id"])
        if not slot["models"]:
            expect(section).to_contain_text(slot["remedy"].replace("`", ""))
    speech = page.locator("[data-slot=speech_recognition]")
    expect(speech).to_contain_text(re.compile("Ready|Loads when first used"))
    studio.accessible()
    page.get_by_role("link", name="Card of all-minilm-l6-v2").click()
    card = page.get_by_role("dialog")
    expect(card.get_by_role("heading", name="all-MiniLM-L6-v2", exact=True)).to_be_visible()
    expect(card).not_to_contain_text("pipeline_tag")
    studio.accessible()
    page.keyboard.press("Escape")
    expect(card).to_have_count(0)
    page.go_back()
    expect(card).to_be_visible()


def test_an_unknown_task_is_no_page(studio: Visit) -> None:
    studio.page.goto("/studio/mind_reading")
    expect(studio.page.get_by_role("heading", name="This page does not exist")).to_be_visible()
