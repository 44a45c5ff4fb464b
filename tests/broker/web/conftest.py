"""A console that runs for all tests of one module, over a site with a day behind it."""

from collections.abc import Iterator

import pytest

from broker.config.broker import Config
from tests.broker.web import sample
from tests.broker.web.serving import Browser, serving


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A site with a day behind it."""
    return sample.fill(sample.config(tmp_path_factory.mktemp("console")), hours=6)


@pytest.fixture(scope="module")
def address(config: Config) -> Iterator[str]:
    """Where its console is."""
    with serving(config) as found:
        yield found


@pytest.fixture
def stranger(address: str) -> Iterator[Browser]:
    """Someone who has not logged in."""
    with Browser(address) as browser:
        yield browser


@pytest.fixture(scope="module")
def cookies(address: str) -> dict[str, str]:
    """The session's cookie of each account: hashing a password is slow on purpose, so each logs in once."""
    made = {}
    for name in ("mina", "lee", "admin"):
        with Browser(address) as browser:
            browser.login(name)
            made[name] = browser.http.cookies["wordcam"]
    return made


def _inside(address: str, cookie: str) -> Iterator[Browser]:
    with Browser(address) as browser:
        browser.http.cookies.set("wordcam", cookie)
        yield browser


@pytest.fixture
def guard(address: str, cookies: dict[str, str]) -> Iterator[Browser]:
    """A guard who is logged in."""
    yield from _inside(address, cookies["mina"])


@pytest.fixture
def supervisor(address: str, cookies: dict[str, str]) -> Iterator[Browser]:
    """A supervisor who is logged in."""
    yield from _inside(address, cookies["lee"])


@pytest.fixture
def administrator(address: str, cookies: dict[str, str]) -> Iterator[Browser]:
    """An administrator who is logged in."""
    yield from _inside(address, cookies["admin"])
