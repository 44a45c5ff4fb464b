"""The page for privacy: for administrators alone, counted first, and confirmed."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from broker.config.broker import Config
from broker.retention import audit
from broker.store.tables import core
from broker.web import texts
from tests.broker.web import sample, seeded_captions
from tests.broker.web.serving import Browser

WORD = "zanzibar"


def say(config: Config, number: int, *, device: str) -> None:
    sample.say(config, sample.caption(f"a man from {WORD} walks", number, datetime.now(UTC), device=device))


def left(config: Config, device: str) -> list[str]:
    """Return what a device said, as far as it is there."""
    table = core.caption
    said = select(table.c.text).where(table.c.device == device, table.c.text != "")
    return list(seeded_captions.look(config, lambda connection: connection.scalars(said).all()))


def test_it_says_how_long_things_are_kept(administrator: Browser) -> None:
    page = administrator.http.get("/privacy").text

    assert "Captions: 30 days" in page
    assert "Audit log: 730 days" in page


@pytest.mark.parametrize("path", ["/privacy", "/privacy/sentences", "/privacy/number"])
def test_it_is_for_administrators_alone(guard: Browser, supervisor: Browser, path: str) -> None:
    for browser in (guard, supervisor):
        answer = (
            browser.http.get(path) if path == "/privacy" else browser.send(path, {"site": "harbour", "sure": "yes"})
        )
        assert answer.status_code == 403


def test_sentences_are_counted_then_deleted(administrator: Browser, config: Config) -> None:
    say(config, 7100, device="pi-07")
    wish = {"site": "harbour", "device": "pi-07"}

    counted = administrator.send("/privacy/sentences", wish)
    assert "1 captions" in counted.text
    assert len(left(config, "pi-07")) == 1

    done = administrator.send("/privacy/sentences", wish | {"sure": "yes"})

    assert texts.of("en")("privacy.done") in done.text
    assert left(config, "pi-07") == []
    (entry, *_) = seeded_captions.look(config, audit.newest)
    assert (entry.actor, entry.action, entry.subject) == ("admin", "forget", "site=harbour device=pi-07")
    assert texts.of("en")("action.forget") in administrator.http.get("/audit").text


def test_a_stretch_of_time_is_meant_by_the_clock_of_the_site(administrator: Browser, config: Config) -> None:
    say(config, 7200, device="pi-08")
    span = {"site": "harbour", "device": "pi-08", "start": "2020-01-01T00:00", "end": "2020-01-02T00:00", "sure": "yes"}

    assert administrator.send("/privacy/sentences", span).status_code == 200
    assert len(left(config, "pi-08")) == 1


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, "privacy.nothing"),
        ({"device": "pi-01"}, "privacy.bad_wish"),
        ({"site": "harbour", "start": "yesterday"}, "privacy.bad_wish"),
        ({"site": "harbour", "start": "9999-12-31T23:59"}, "privacy.bad_wish"),
        ({"site": "harbour", "start": "2026-03-14T00:00", "end": "2026-03-13T00:00"}, "privacy.bad_wish"),
    ],
)
def test_a_wish_that_cannot_be_meant_is_refused(administrator: Browser, fields: dict[str, str], problem: str) -> None:
    answer = administrator.send("/privacy/sentences", fields | {"sure": "yes"})

    assert answer.status_code == 400
    assert texts.of("en")(problem) in answer.text


def test_a_number_is_counted_and_a_wrong_one_refused(administrator: Browser) -> None:
    assert "stay for now" in administrator.send("/privacy/number", {"phone": "+1 202 555 0143"}).text
    assert administrator.send("/privacy/number", {"phone": "0143"}).status_code == 400
    done = administrator.send("/privacy/number", {"phone": "+1 202 555 0199", "sure": "yes"})
    assert texts.of("en")("privacy.done") in done.text


def test_a_form_without_its_word_deletes_nothing(administrator: Browser, config: Config) -> None:
    say(config, 7300, device="pi-06")
    wish = {"site": "harbour", "device": "pi-06", "sure": "yes"}

    assert administrator.http.post("/privacy/sentences", data=wish).status_code == 403
    assert len(left(config, "pi-06")) == 1
