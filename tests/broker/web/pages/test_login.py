"""Who gets in, who does not, and what a browser is told to keep others out."""

import pytest

from broker.config.broker import Config
from broker.web.accounts.throttle import PER_NAME_AND_NETWORK
from tests.broker.web import sample
from tests.broker.web.serving import Browser, serving

PAGES = (
    *("/", "/incidents", "/incidents/4", "/history", "/devices", "/plots", "/rules", "/silences", "/account"),
    *("/history.csv", "/messages", "/audit", "/users", "/live/stream"),
)


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_is_led_to_the_login(stranger: Browser, path: str) -> None:
    answer = stranger.http.get(path)

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login")


@pytest.mark.parametrize("path", ["/messages", "/audit", "/users", "/history.csv"])
def test_a_guard_does_not_see_what_is_for_supervisors(guard: Browser, path: str) -> None:
    assert guard.http.get(path).status_code == 403


@pytest.mark.parametrize("path", [path for path in PAGES if path != "/live/stream"])
def test_an_administrator_sees_every_page(administrator: Browser, path: str) -> None:
    assert administrator.http.get(path).status_code == 200


def test_the_cookie_is_hidden_from_scripts_and_other_sites(stranger: Browser) -> None:
    cookies = stranger.login("mina").headers.get_list("set-cookie")

    made = next(cookie for cookie in cookies if cookie.startswith("wordcam="))
    assert "HttpOnly" in made
    assert "samesite=lax" in made.lower()


def test_behind_https_the_cookie_is_for_https_alone(config: Config) -> None:
    web = type(config.web)(port=0, public_url="https://wordcam.example")
    secure = type(config)(**{name: getattr(config, name) for name in config.__struct_fields__} | {"web": web})

    assert secure.web.is_secure
    with pytest.raises(ValueError, match="passwords would travel in the clear"):
        type(config.web)(host="0.0.0.0")


@pytest.mark.parametrize(("name", "password"), [("mina", "wrong"), ("nobody", sample.PASSWORD), ("", "")])
def test_a_wrong_name_and_a_wrong_password_sound_the_same(address: str, name: str, password: str) -> None:
    with Browser(address) as browser:
        answer = browser.login(name, password)

    assert answer.status_code == 401
    assert "The name or the password is wrong." in answer.text


def test_a_login_from_another_site_is_refused(stranger: Browser) -> None:
    stranger.word("/login")

    answer = stranger.http.post("/login", data={"name": "mina", "password": sample.PASSWORD, "csrf": "guess"})

    assert answer.status_code == 403


def test_the_login_leads_back_but_never_to_another_site(address: str) -> None:
    for wished, led in (("/devices", "/devices"), ("//evil.example", "/"), ("https://evil.example", "/")):
        with Browser(address) as browser:
            fields = {"name": "mina", "password": sample.PASSWORD, "next": wished}
            assert browser.send("/login", fields, form="/login").headers["location"] == led


def test_after_the_logout_the_cookie_opens_nothing(stranger: Browser) -> None:
    stranger.login("mina")
    cookie = dict(stranger.http.cookies)
    stranger.send("/logout")

    stranger.http.cookies.update(cookie)
    assert stranger.http.get("/").status_code == 303


def test_the_sixth_guess_is_not_even_looked_at(tmp_path_factory: pytest.TempPathFactory) -> None:
    read = sample.fill(sample.config(tmp_path_factory.mktemp("guess")), hours=0)
    with serving(read) as address, Browser(address) as browser:
        for _ in range(PER_NAME_AND_NETWORK.tries):
            assert browser.login("mina", "wrong").status_code == 401

        answer = browser.login("mina")

    assert answer.status_code == 429
    assert "Too many wrong passwords" in answer.text


def test_a_browser_that_logged_in_before_does_not_wait_for_strangers(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    read = sample.fill(sample.config(tmp_path_factory.mktemp("known")), hours=0)
    with serving(read) as address, Browser(address) as known, Browser(address) as strange:
        known.login("mina")
        known.send("/logout")
        while strange.login("mina", "wrong").status_code != 429:
            pass

        assert strange.login("mina").status_code == 429
        assert known.login("mina").status_code == 303


@pytest.mark.parametrize("path", ["/login", "/", "/api/v1/captions", "/static/console.js", "/nowhere"])
def test_every_answer_says_what_a_page_may_do(address: str, path: str) -> None:
    with Browser(address) as browser:
        headers = browser.http.get(path).headers

    assert "default-src 'none'; script-src 'self'; style-src 'self'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def test_people_read_their_own_language(guard: Browser) -> None:
    assert '<html lang="en"' in guard.http.get("/").text

    guard.send("/language", {"value": "ko", "back": "/"})

    page = guard.http.get("/").text
    assert '<html lang="ko"' in page
    assert "진행 중인 사건" in page
    guard.send("/language", {"value": "en", "back": "/"})
