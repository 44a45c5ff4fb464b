"""Drives the Chromium of the system, without a screen."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.broker.web.sample import PASSWORD

FLAGS: Final = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
"""Nothing but the pages under test is loaded; a container gives Chromium no sandbox of its own."""

WAIT_MS: Final = 60_000
"""A busy machine may take its time."""


def find() -> str:
    """Return the path of Chromium, or skip the test, saying how to get it."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium with a fresh profile."""
    program = find()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, headless=True, args=list(FLAGS), timeout=WAIT_MS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser: Browser, address: str, **options: Any) -> Iterator[Page]:
    """Open a page with cookies of its own; what the page's console complains of fails the test."""
    context = browser.new_context(base_url=address, **({"locale": "en-GB"} | options))
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        yield page
    finally:
        context.close()
    assert complaints == []


def login(page: Page, name: str) -> None:
    """Log in by the form."""
    page.goto("/login")
    page.fill("input[name=name]", name)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url("**/")


def enter(page: Page, cookie: str) -> None:
    """Come with the cookie of someone who has logged in before."""
    page.goto("/login")
    page.context.add_cookies([{"name": "wordcam", "value": cookie, "url": page.url}])
