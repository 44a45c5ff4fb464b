"""A console that runs for all tests of one module, over a site with a day behind it."""

from collections.abc import Iterator

import pytest

from broker.config import Config
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


@pytest.fixture
def guard(address: str) -> Iterator[Browser]:
    """A guard who is logged in."""
    with Browser(address) as browser:
        browser.login("mina")
        yield browser


@pytest.fixture
def supervisor(address: str) -> Iterator[Browser]:
    """A supervisor who is logged in."""
    with Browser(address) as browser:
        browser.login("lee")
        yield browser


@pytest.fixture
def administrator(address: str) -> Iterator[Browser]:
    """An administrator who is logged in."""
    with Browser(address) as browser:
        browser.login("admin")
        yield browser
