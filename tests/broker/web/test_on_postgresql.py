"""Every page of the console, over a site whose day is in PostgreSQL."""

from collections.abc import Iterator

import pytest

from broker.config.broker import Config
from broker.config.database import DATABASE_PASSWORD
from testing import postgresql
from testing.postgresql import Cluster
from testing.waiting import wait_until
from tests.broker.web import sample
from tests.broker.web.serving import Browser


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory, started_cluster: Cluster) -> Iterator[Config]:
    """A site with a day behind it, as the other modules of the console have it in a file."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(DATABASE_PASSWORD, postgresql.PASSWORD)
        where = {"url": started_cluster.create("console")}
        yield sample.fill(sample.config(tmp_path_factory.mktemp("console"), database=where), hours=6)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/", "Harbour"),
        ("/history?site=harbour&danger=1", "caption"),
        ("/incidents", "/incidents/4"),
        ("/incidents/3", "nobody was notified yet"),
        ("/devices", "pi-01"),
        ("/plots", "svg"),
        ("/messages", "<html"),
        ("/silences", "<form"),
        ("/rules", "<form"),
        ("/users", "mina"),
        ("/audit", "<html"),
        ("/account", "<form"),
        ("/history.csv?site=harbour", "captured_at"),
        ("/health", "ok: the database is current"),
    ],
    ids=lambda value: value if str(value).startswith("/") else "",
)
def test_every_page_is_shown(administrator: Browser, path: str, shown: str) -> None:
    answer = administrator.http.get(path)

    assert answer.status_code == 200
    assert shown in answer.text


def test_words_are_found_in_both_languages(administrator: Browser) -> None:
    for words in ("dog", "개"):
        wait_until(
            lambda words=words: "dog" in administrator.http.get("/history", params={"q": words}).text,  # type: ignore[misc]  # mypy loses the lambda's default
            f"captions found by {words!r}",
        )


def test_an_answer_is_written_down(administrator: Browser) -> None:
    administrator.send("/incidents/4/acknowledge")

    assert "Acknowledged by admin." in administrator.http.get("/incidents/4").text
    assert "acknowledge" in administrator.http.get("/audit").text
