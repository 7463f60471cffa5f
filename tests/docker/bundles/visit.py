"""What a person and a program do with a fresh installation: visit.py URL PASSWORD_FILE.

It is a program of its own so that it can run where the installation is, in another network.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import openai
from playwright.sync_api import expect

from tests.e2e.browser import ARGUMENTS, Visit, chromium
from tests.e2e.person import Person
from tests.e2e.stack import CAPITAL

PASSWORD = "a password that the operator chose"


class Installation:
    """The stack as a person meets it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def on_stop(self, action: Callable[[], None]) -> None:
        """Nothing here stops it."""


def main(url: str, first_password: Path) -> None:
    """Sign in, choose a password, ask by the SDK and in a browser; each answer names Paris."""
    admin = Person(Installation(url), "admin", first_password.read_text().strip()).sign_in()
    admin.change_password(PASSWORD)
    with openai.OpenAI(base_url=f"{url}/v1", api_key=admin.api_key(), timeout=120) as sdk:
        answer = sdk.chat.completions.create(
            model="default", messages=[{"role": "user", "content": CAPITAL}]
        )
    assert "Paris" in (answer.choices[0].message.content or "")
    # The browser's own services ask for names of their maker; what a page asks for is in `foreign`.
    ARGUMENTS.append("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
    with chromium() as browser:
        visit = Visit(browser, url)
        visit.sign_in("admin", PASSWORD)
        visit.ask(CAPITAL)
        expect(visit.answer()).to_contain_text("Paris", timeout=60_000)
        expect(visit.answer()).to_have_attribute("data-status", "complete", timeout=60_000)
        assert visit.foreign == []
    admin.close()
    print("answered by the SDK and in the browser")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
