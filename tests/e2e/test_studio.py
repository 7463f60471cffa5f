"""A person in the studio: every task with a real file, and the models behind them.

A slot that is filled must give a result of the kind that is told here; an empty one must say how
to fill it. What a result says is judged elsewhere (`test_tasks.py`), but for speech.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from .browser import Visit, chromium
from .conftest import NewPerson
from .person import Person
from .stack import Stack
from .studio import (
    ACTIONS,
    EXAMPLES,
    MICROPHONE,
    SAID,
    SHOWN,
    ask,
    choose,
    downloaded,
    filled,
    signed_in,
    slots,
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


def opened(visit: Visit, admin: Person, task: str) -> Page | None:
    """The page of a task; None, once it has explained itself, when nothing fills the slot."""
    page = visit.page
    page.goto(f"/studio/{task}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    if filled(admin, task):
        return page
    expect(page.get_by_role("heading", name="No model for this task yet")).to_be_visible()
    for way in slots(admin)[task]["ways"]:
        told = way["command"] or f"models/{task}/"
        expect(page.get_by_test_id("ways").get_by_text(told, exact=True)).to_be_visible()
    expect(page.get_by_role("button", name=ACTIONS[task], exact=True)).to_have_count(0)
    expect(page.get_by_text(f"/inference/{task}")).to_be_visible()
    visit.accessible()
    return None


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


@pytest.mark.parametrize("way", ["paste", "drop"])
def test_a_file_is_pasted_or_dropped_on_the_page(studio: Visit, admin: Person, way: str) -> None:
    page = opened(studio, admin, "speech_recognition")
    assert page is not None
    expect(page.get_by_text("Drop a recording here")).to_be_visible()
    page.evaluate(
        """async (way) => {
          const answer = await fetch('/examples/announcement.wav');
          const data = new DataTransfer();
          data.items.add(new File([await answer.blob()], 'mine.wav', { type: 'audio/wav' }));
          const more = { bubbles: true, cancelable: true };
          const event = way === 'paste'
            ? new ClipboardEvent('paste', { clipboardData: data, ...more })
            : new DragEvent('drop', { dataTransfer: data, ...more });
          document.querySelector('h1').dispatchEvent(event);
        }""",
        way,
    )
    expect(page.get_by_text("mine.wav", exact=True)).to_be_visible()
    expect(page.get_by_role("slider", name="Position in: Recording")).to_be_enabled()
    page.get_by_role("button", name="Remove mine.wav").click()
    expect(page.get_by_role("button", name="Transcribe", exact=True)).to_be_disabled()


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
    expect(page).to_have_url(re.compile(r"\?job=\w+"))
    if task == "video_enhancement":
        expect(result).to_contain_text("160 × 120 became 320 × 240 pixels.")
    else:
        expect(result.get_by_test_id("transcript")).to_contain_text(SAID)
    page.reload()
    expect(result).to_be_visible()
    page.goto("/studio")
    expect(page.get_by_test_id("job")).to_have_count(1)
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
            ways = [way["command"] or f"models/{name}/" for way in slot["ways"]]
            for told in ways or ["no engine"]:
                expect(section).to_contain_text(told)
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


@pytest.mark.parametrize(("task", "show"), SHOWN)
def test_a_task_shows_its_result_or_how_to_get_one(
    studio: Visit, admin: Person, task: str, show: Callable[[Page], None]
) -> None:
    page = opened(studio, admin, task)
    if page is not None:
        show(page)
        studio.accessible()
