"""A headless browser that keeps a record of what a page must not do."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # The browser's own services would look for the Internet; a page of ours must not.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
expect.set_options(timeout=15_000)


@contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """The machine's Chromium, headless, with further `arguments`."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    assert program, "Chromium is not installed: make test installs it (apt: chromium)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*ARGUMENTS, *arguments])
        yield browser
        browser.close()


class Visit:
    """A browser context of one person, with its page and what it must not have done."""

    def __init__(self, browser: Browser, url: str, **options: Any) -> None:
        self.url = url
        self.context: BrowserContext = browser.new_context(
            base_url=url, **({"locale": "en-US"} | options)
        )
        self.foreign: list[str] = []
        self.errors: list[str] = []
        self.context.on("request", lambda request: self._seen(request.url))
        self.page: Page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda line: self._heard(line.type, line.text))

    def _seen(self, url: str) -> None:
        parts = urlsplit(url)
        if (
            parts.scheme in ("http", "https", "ws", "wss")
            and parts.netloc != urlsplit(self.url).netloc
        ):
            self.foreign.append(url)

    def _heard(self, kind: str, text: str) -> None:
        # The browser itself reports each refused request; the tests that cause one expect it.
        if kind == "error" and "Failed to load resource" not in text:
            self.errors.append(text)

    def sign_in(self, username: str, password: str) -> None:
        """Sign in through the page, and wait for the chat."""
        self.page.goto("/login")
        self.page.get_by_label("Username").fill(username)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page).to_have_url(re.compile(r"/chat"))

    def ask(self, text: str) -> None:
        """Type a question and send it with Enter."""
        box = self.page.get_by_role("textbox", name="Message")
        box.fill(text)
        box.press("Enter")

    def answer(self) -> Any:
        """The newest answer on the page."""
        return self.page.locator("article[data-role=assistant]").last

    def accessible(self) -> None:
        """Fail on any violation that axe finds on the page, once it has its heading."""
        # An application that has not been drawn yet has neither; axe would judge the blank page.
        for part in ("main", "h1"):
            self.page.locator(part).first.wait_for(state="attached")
        result = Axe().run(self.page)
        assert result.violations_count == 0, result.generate_report()

    def clean(self) -> None:
        """Fail when the page asked another origin or broke."""
        assert self.foreign == []
        assert self.errors == []
