"""Pictures of every page: desktop and phone, light and dark, English and Chinese.

    python -m tools.screenshots DIRECTORY [--only WORD]

Starts a stack of its own with the starter model, asks it real questions and photographs the pages
with the machine's Chromium.
"""

import argparse
import itertools
import json
import re
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import Visit, chromium
from tests.e2e.person import Person, first_admin
from tests.e2e.stack import ADMIN, CAPITAL, FIRST_PASSWORD, ROOT, Stack

SIZES = {"desktop": (1280, 800), "phone": (390, 844)}
LOCALES = {"en": "en-US", "zh": "zh-CN"}
QUESTIONS = (CAPITAL, "Write a Python function that adds two numbers.")
# The example that each task of the studio is shown with.
EXAMPLES = {
    "speech_recognition": "announcement",
    "emotion_detection": "joy",
    "text_summarization": "meeting",
    "audio_denoising": "noisy",
    "video_enhancement": "coffee",
    "audio_deepfake": "conference",
    "face_deepfake": "portrait",
}
STUDIO = {f"studio-{task}": f"/studio/{task}" for task in EXAMPLES}
TALLEST = 2600
TEXTS = {"en": "en.json", "zh": "zh-CN.json"}
OPEN_PAGES = {"sign-in": "/login", "register": "/register", "not-found": "/lost", "docs": "/docs/"}


def conversations(person: Person) -> str:
    """Fill the account with something to look at; gives the conversation to show."""
    for title in ("Tide tables for the north pier", "会议纪要", "Letter to the harbour master"):
        person.http.post("/api/conversations", json={"title": title}).raise_for_status()
    person.api_key()
    shown = person.conversation()
    for question in QUESTIONS:
        _, answer = person.say(shown, question)
        person.finished(shown, answer)
    return shown


def texts(language: str) -> dict[str, Any]:
    """What is written on the pages of the studio."""
    path = ROOT / "services" / "frontend" / "src" / "i18n" / TEXTS[language]
    studio: dict[str, Any] = json.loads(path.read_text("utf-8"))["studio"]
    return studio


def try_out(page: Page, task: str, language: str) -> None:
    """Have a task done on its example, where a model fills the slot."""
    words = texts(language)
    start = page.get_by_role("button", name=words["tasks"][task]["action"], exact=True)
    if start.count() == 0:
        return
    page.get_by_role("button", name=words["examples"][EXAMPLES[task]]).click()
    start.click()
    expect(page.get_by_test_id("result")).to_be_visible(timeout=120_000)
    page.wait_for_timeout(1000)  # waveforms and pictures are decoded by and by


def unroll(page: Page, width: int) -> None:
    """Make the window as high as what it scrolls."""
    needed = page.evaluate("document.querySelector('main > div')?.scrollHeight ?? 0")
    height = page.evaluate("innerHeight")
    page.set_viewport_size({"width": width, "height": min(max(height, needed), TALLEST)})
    page.wait_for_timeout(300)


def photograph(
    browser: Browser, person: Person, pages: dict[str, str], target: Path, only: str
) -> None:
    """Take every picture of `pages` (name to path) whose name contains `only`."""
    schemes = ("light", "dark")
    for (size, viewport), scheme, (language, locale), (name, path) in itertools.product(
        SIZES.items(), schemes, LOCALES.items(), pages.items()
    ):
        picture = target / f"{name}-{size}-{scheme}-{language}.png"
        if only not in picture.name:
            continue
        visit = Visit(
            browser,
            person.stack.url,
            locale=locale,
            color_scheme=scheme,
            viewport={"width": viewport[0], "height": viewport[1]},
            device_scale_factor=1.5 if size == "desktop" else 2,
        )
        if name not in OPEN_PAGES:
            jar = person.http.cookies.jar
            visit.context.add_cookies(
                [{"name": c.name, "value": str(c.value), "url": person.stack.url} for c in jar]
            )
        visit.page.goto(path, wait_until="networkidle")
        if name == "chat":
            expect(visit.answer()).to_contain_text(re.compile(r"\w+"))
        if name in STUDIO:
            try_out(visit.page, name.removeprefix("studio-"), language)
        if name in STUDIO or name == "models":
            unroll(visit.page, viewport[0])
        visit.page.screenshot(path=picture)
        visit.context.close()
        print(picture, flush=True)


def main() -> None:
    """Start, photograph, stop."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path, help="where the pictures go")
    parser.add_argument("--only", default="", help="only pictures whose name contains this word")
    options = parser.parse_args()
    options.directory.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(Path(folder) / "data") as stack,
        chromium() as browser,
    ):
        newcomer = Person(stack, ADMIN, FIRST_PASSWORD).sign_in()
        pages = {"password": "/password"}
        photograph(browser, newcomer, pages, options.directory, options.only)
        person = first_admin(stack)
        shown = conversations(person)
        pages = {"chat": f"/chat/{shown}", "chat-empty": "/chat", "account": "/account"}
        pages |= STUDIO | {
            "studio": "/studio",
            "models": "/models",
            "card": "/models?card=all-minilm-l6-v2",
        }
        photograph(browser, person, OPEN_PAGES | pages, options.directory, options.only)


if __name__ == "__main__":
    main()
