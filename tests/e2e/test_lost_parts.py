"""A browser that did not get all parts of the program says so, and goes on when asked to."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from .browser import Visit, chromium
from .stack import Stack


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


PROGRAM = re.compile(r"/assets/index-[^/]*\.js$")


def test_a_program_that_is_lost_once_is_asked_for_again(browser: Browser, stack: Stack) -> None:
    visit = Visit(browser, stack.url)
    visit.page.route(PROGRAM, lambda route: route.abort("connectionaborted"), times=1)
    visit.page.goto("/login")
    expect(visit.page.get_by_label("Username")).to_be_visible()
    visit.context.close()


@pytest.mark.parametrize(
    ("locale", "told", "again", "username"),
    [
        ("en-US", "Atoll could not be loaded", "Try again", "Username"),
        ("zh-CN", "Atoll 未能加载", "重试", "用户名"),
    ],
)
def test_a_program_that_did_not_arrive(
    browser: Browser, stack: Stack, locale: str, told: str, again: str, username: str
) -> None:
    visit = Visit(browser, stack.url, locale=locale)
    visit.page.route(PROGRAM, lambda route: route.abort("connectionaborted"))
    visit.page.goto("/login")
    expect(visit.page.get_by_role("heading", name=told)).to_be_visible()
    visit.accessible()
    visit.page.unroute(PROGRAM)
    visit.page.get_by_role("button", name=again).click()
    expect(visit.page.get_by_label(username)).to_be_visible()
    visit.context.close()


def test_a_page_that_did_not_arrive(browser: Browser, stack: Stack) -> None:
    visit = Visit(browser, stack.url)
    part = re.compile(r"/assets/register-[^/]*\.js$")
    visit.page.route(part, lambda route: route.abort("connectionaborted"))
    visit.page.goto("/login")
    visit.page.get_by_role("link", name="Create").click()
    expect(visit.page.get_by_role("heading", name="This page could not be shown")).to_be_visible()
    visit.accessible()
    visit.page.unroute(part)
    visit.page.get_by_role("button", name="Try again").click()
    expect(visit.page.get_by_role("button", name="Create account")).to_be_visible()
    visit.context.close()
