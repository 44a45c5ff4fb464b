"""The console in a real Chromium: what a guard does with a mouse, a keyboard, or a thumb in the rain."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, expect

from broker.config.broker import Config
from tests.broker.web import sample
from tests.broker.web.chromium import WAIT_MS, chromium, enter, login, opened

expect.set_options(timeout=WAIT_MS)

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}

MIN_TOUCH_PX = 44
"""WCAG 2.5.5 and both makers of telephones ask for so much."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests here."""
    with chromium() as found:
        yield found


def test_a_sentence_appears_while_one_looks_and_an_incident_is_acknowledged(
    browser: Browser, address: str, config: Config
) -> None:
    with opened(browser, address) as page:
        login(page, "mina")
        expect(page.locator("#line")).to_have_text("Connected")

        sample.say(config, sample.caption("a woman is holding a knife", 7001, datetime.now(UTC), device="pi-03"))

        expect(page.locator("#captions li").first).to_contain_text("a woman is holding a knife")
        card = page.locator("#waiting article", has_text="a woman is holding a knife")
        expect(card).to_contain_text("Open")
        expect(page.locator("#announce")).to_contain_text("New incident")
        card.get_by_role("button", name="Acknowledge").click()
        expect(card).to_contain_text("Acknowledged by mina.")


def test_a_new_critical_incident_stands_in_the_title_and_the_sound_can_be_turned_off(
    browser: Browser, address: str, config: Config
) -> None:
    with opened(browser, address) as page:
        login(page, "lee")
        expect(page.locator("#line")).to_have_text("Connected")
        before = page.locator("#waiting article.state-open").count()

        at = datetime.now(UTC)
        sample.say(config, sample.caption("two men are fighting", 7002, at, device="pi-02"))

        expect(page).to_have_title(f"({before + 1}) Live · wordcam")
        # Nobody has touched the page yet, and browsers let no page sound before.
        sound = page.locator("#sound")
        expect(sound).to_have_text("Sound blocked: click here")
        sound.click()
        expect(sound).to_have_text("Sound on")
        sound.click()
        expect(sound).to_have_text("Sound off")
        page.reload()
        expect(sound).to_have_text("Sound off")


def test_a_danger_that_is_only_believed_is_shown_as_a_suspicion(browser: Browser, address: str, config: Config) -> None:
    text = "two men in suits standing in a room"
    believed = sample.caption(text, 7003, datetime.now(UTC), device="pi-04", hazards={"weapon": 0.73})
    sample.say(config, believed)
    with opened(browser, address) as page:
        login(page, "mina")

        card = page.locator("#waiting article", has_text=text)
        expect(card).to_contain_text("Camera suspects a weapon (73 %)")


@pytest.mark.parametrize("path", ["/", "/incidents/3", "/history", "/devices", "/rules", "/audit", "/privacy"])
def test_nothing_is_wider_than_a_narrow_telephone_and_no_word_is_broken_by_letters(
    browser: Browser, address: str, cookies: dict[str, str], path: str
) -> None:
    narrow = {**PHONE, "viewport": {"width": 360, "height": 780}}
    thin = """() => [...document.querySelectorAll('td, th, p, li')].filter((one) => one.checkVisibility()
      && one.innerText.trim().length > 6 && one.getBoundingClientRect().width < 60).map((one) => one.outerHTML)"""
    with opened(browser, address, **narrow) as page:
        enter(page, cookies["admin"])
        page.goto(path)

        assert page.evaluate("() => document.documentElement.scrollWidth") <= 360
        assert page.evaluate(thin) == []


def test_korean_words_are_searched_while_one_types(browser: Browser, address: str) -> None:
    with opened(browser, address) as page:
        login(page, "mina")
        page.goto("/history")
        expect(page.locator("#found li").nth(5)).to_be_visible()

        page.fill("#words", "총")

        expect(page.locator("#found li")).to_have_count(1)
        expect(page.locator("#found li")).to_contain_text("a man is holding a gun")


def test_the_dark_is_dark_by_itself_and_by_choice(browser: Browser, address: str) -> None:
    ground = "() => getComputedStyle(document.body).backgroundColor"
    with opened(browser, address, color_scheme="dark") as page:
        page.goto("/login")
        dark = page.evaluate(ground)
        page.get_by_role("button", name="Light").click()
        page.wait_for_selector("html[data-theme=light]")

        assert dark == "rgb(13, 19, 25)"
        assert page.evaluate(ground) == "rgb(243, 245, 248)"


def test_a_thumb_finds_every_button_on_a_telephone(browser: Browser, address: str) -> None:
    with opened(browser, address, **PHONE) as page:
        login(page, "mina")
        expect(page.locator("#waiting article").first).to_be_visible()

        wide = page.evaluate("() => document.documentElement.scrollWidth")
        small = [
            box
            for one in page.locator("button:visible, nav a:visible, summary:visible, .button:visible").all()
            if (box := one.bounding_box()) and box["height"] < MIN_TOUCH_PX
        ]

        assert wide <= PHONE["viewport"]["width"]  # type: ignore[index]  # the width stands above
        assert small == []


def test_the_keyboard_alone_reaches_the_content_and_the_answer(browser: Browser, address: str) -> None:
    with opened(browser, address) as page:
        login(page, "lee")
        page.goto("/incidents/3")

        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()
        page.get_by_role("button", name="Resolve").focus()
        page.keyboard.press("Enter")

        expect(page.locator("#whole")).to_contain_text("Closed by lee.")


@pytest.mark.parametrize(
    "path", ["/", "/incidents/3", "/history", "/devices", "/plots", "/rules", "/users", "/account"]
)
def test_a_screen_reader_finds_landmarks_names_and_one_heading(
    browser: Browser, address: str, cookies: dict[str, str], path: str
) -> None:
    nameless = """() => [...document.querySelectorAll('input:not([type=hidden]), select, textarea, button, a')]
      .filter((one) => one.checkVisibility() && !(one.innerText || '').trim() && !one.labels?.length
        && !one.getAttribute('aria-label')).map((one) => one.outerHTML)"""
    with opened(browser, address) as page:
        enter(page, cookies["admin"])
        page.goto(path)

        assert page.get_by_role("main").count() == 1
        assert page.get_by_role("navigation").count() >= 1
        assert page.locator("h1").count() == 1
        assert page.evaluate(nameless) == []
