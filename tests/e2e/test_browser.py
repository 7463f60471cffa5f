"""A person in a browser."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from .browser import Visit, chromium
from .conftest import NewPerson
from .person import Person
from .stack import CAPITAL, STORY, Stack, wait_for


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def visit(browser: Browser, stack: Stack, admin: Person) -> Iterator[Visit]:
    visit = Visit(browser, stack.url)
    yield visit
    visit.context.close()


def test_a_newcomer_registers_asks_and_finds_the_answer_again(visit: Visit) -> None:
    page = visit.page
    page.goto("/")
    expect(page).to_have_url(re.compile(r"/login"))
    visit.accessible()
    page.get_by_role("link", name=re.compile("Create|Register", re.I)).click()
    page.get_by_label("Username").fill("newcomer")
    page.get_by_label("Password", exact=True).fill("a newcomer's password")
    confirm = page.get_by_label(re.compile("Repeat|Confirm", re.I))
    if confirm.count():
        confirm.fill("a newcomer's password")
    visit.accessible()
    page.get_by_role("button", name="Create account").click()
    expect(page).to_have_url(re.compile(r"/chat"))
    visit.accessible()
    visit.ask(CAPITAL)
    expect(visit.answer()).to_contain_text("Paris")
    expect(visit.answer()).to_have_attribute("data-status", "complete")
    visit.accessible()
    page.reload()
    expect(visit.answer()).to_contain_text("Paris")
    expect(page.locator("article[data-role=assistant]")).to_have_count(1)
    expect(page.get_by_role("link", name=CAPITAL)).to_be_visible()
    visit.clean()


def test_a_reload_in_mid_answer_shows_the_same_answer_complete(
    visit: Visit, person: NewPerson
) -> None:
    user = person()
    visit.sign_in(user.username, user.password)
    visit.ask(STORY)
    answer = visit.answer()
    expect(answer).to_contain_text(re.compile(r"\w+(\W+\w+){20}"))
    before = answer.inner_text()[:80]
    identifier = answer.get_attribute("data-message-id")
    visit.page.reload()
    answer = visit.answer()
    expect(answer).to_have_attribute("data-message-id", str(identifier))
    expect(answer).to_have_attribute("data-status", "complete", timeout=90_000)
    assert before[:60] in answer.inner_text()
    conversation = visit.page.url.rsplit("/", 1)[1]
    stored = user.messages(conversation)
    assert [m["role"] for m in stored] == ["user", "assistant"]
    assert stored[1]["content"][-40:].strip().split()[-1] in answer.inner_text()
    visit.clean()


def test_stop_and_regenerate(visit: Visit, person: NewPerson) -> None:
    user = person()
    visit.sign_in(user.username, user.password)
    visit.ask(STORY)
    expect(visit.answer()).to_contain_text(re.compile(r"\w+(\W+\w+){10}"))
    visit.page.get_by_role("button", name="Stop").click()
    expect(visit.answer()).to_have_attribute("data-status", "stopped")
    visit.ask(CAPITAL)
    expect(visit.answer()).to_have_attribute("data-status", "complete", timeout=60_000)
    visit.page.get_by_role("button", name="Regenerate").last.click()
    expect(visit.page.get_by_text("2/2").or_(visit.page.get_by_text("2 / 2"))).to_be_visible()
    expect(visit.answer()).to_have_attribute("data-status", "complete", timeout=60_000)
    visit.accessible()
    visit.clean()


def test_conversations_are_renamed_searched_and_deleted(visit: Visit, person: NewPerson) -> None:
    user = person()
    for title in ("Tides", "Corals"):
        assert user.http.post("/api/conversations", json={"title": title}).status_code == 201
    visit.sign_in(user.username, user.password)
    page = visit.page
    expect(page.get_by_role("link", name="Tides")).to_be_visible()
    page.get_by_role("searchbox", name="Search conversations").fill("cor")
    expect(page.get_by_role("link", name="Tides")).to_have_count(0)
    expect(page.get_by_role("link", name="Corals")).to_be_visible()
    page.get_by_role("link", name="Corals").click()
    visit.accessible()
    visit.clean()


def test_enter_while_composing_chinese_does_not_send(visit: Visit, person: NewPerson) -> None:
    user = person()
    visit.sign_in(user.username, user.password)
    page = visit.page
    box = page.get_by_role("textbox", name="Message")
    box.click()
    session = visit.context.new_cdp_session(page)
    session.send(
        "Input.imeSetComposition", {"text": "nihao", "selectionStart": 5, "selectionEnd": 5}
    )
    # While composing, the browser reports every key as 229.
    key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229}
    session.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **key})
    session.send("Input.insertText", {"text": "你好"})
    expect(box).to_have_value("你好")
    expect(page.locator("article")).to_have_count(0)
    box.press("Enter")
    expect(page.locator("article[data-role=user]")).to_contain_text("你好")
    visit.clean()


def test_the_first_sign_in_of_an_admin_must_change_the_password(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Stack(tmp_path_factory.mktemp("fresh") / "data") as stack:
        visit = Visit(browser, stack.url)
        page = visit.page
        page.goto("/login")
        page.get_by_label("Username").fill("admin")
        page.get_by_label("Password", exact=True).fill("first password of the operator")
        page.get_by_role("button", name="Sign in").click()
        change = page.get_by_role("button", name="Change password")
        expect(change).to_be_visible()
        visit.accessible()
        page.goto("/chat")
        expect(change).to_be_visible()
        page.get_by_label("Current password").fill("first password of the operator")
        page.get_by_label("New password", exact=True).fill("another password 42")
        repeat = page.get_by_label(re.compile("Repeat|Confirm", re.I))
        if repeat.count():
            repeat.fill("another password 42")
        change.click()
        expect(page.get_by_role("textbox", name="Message")).to_be_visible()
        visit.clean()
        visit.context.close()


def test_account_page_makes_and_revokes_a_key(visit: Visit, person: NewPerson) -> None:
    user = person()
    visit.sign_in(user.username, user.password)
    page = visit.page
    page.goto("/account")
    visit.accessible()
    page.get_by_label("Name", exact=True).fill("my script")
    page.get_by_role("button", name=re.compile("Create.*key", re.I)).click()
    expect(page.get_by_text(re.compile(r"sk-atoll-\w{20,}"))).to_be_visible()
    wait_for(
        "the key in the list",
        lambda: True if user.http.get("/api/auth/api-keys").json()["items"] else None,
    )
    visit.accessible()
    visit.clean()


SIGNED_IN = ["/chat", "/account", "/studio", "/studio/speech_recognition", "/models"]


@pytest.mark.parametrize("path", ["/login", "/register", "/docs/", "/lost", *SIGNED_IN])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
@pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=["desktop", "phone"])
def test_every_page_is_accessible_and_asks_no_other_origin(
    browser: Browser,
    stack: Stack,
    admin: Person,
    path: str,
    scheme: str,
    locale: str,
    size: tuple[int, int],
) -> None:
    visit = Visit(
        browser,
        stack.url,
        color_scheme=scheme,
        locale=locale,
        viewport={"width": size[0], "height": size[1]},
    )
    if path in SIGNED_IN:
        visit.context.add_cookies(
            [
                {"name": cookie.name, "value": str(cookie.value), "url": stack.url}
                for cookie in admin.http.cookies.jar
            ]
        )
    visit.page.goto(path, wait_until="networkidle")
    if path != "/docs/":  # the documentation page is a bundled library's
        visit.accessible()
    width = visit.page.evaluate("document.documentElement.scrollWidth")
    assert width <= size[0] or path == "/docs/", "the page scrolls sideways"
    visit.clean()
    visit.context.close()
