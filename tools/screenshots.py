"""Pictures of every page: desktop and phone, light and dark, English and Chinese.

    python -m tools.screenshots DIRECTORY [--only WORD]

Starts a stack of its own with the starter model, asks it real questions and photographs the pages
with the machine's Chromium.
"""

import argparse
import itertools
import re
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.e2e.browser import Visit, chromium
from tests.e2e.person import Person, first_admin
from tests.e2e.stack import ADMIN, CAPITAL, FIRST_PASSWORD, Stack

SIZES = {"desktop": (1280, 800), "phone": (390, 844)}
LOCALES = {"en": "en-US", "zh": "zh-CN"}
QUESTIONS = (CAPITAL, "Write a Python function that adds two numbers.")
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
        photograph(browser, person, OPEN_PAGES | pages, options.directory, options.only)


if __name__ == "__main__":
    main()
