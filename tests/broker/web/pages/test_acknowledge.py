"""Links in text messages: they act once, for whoever holds them, and never by being looked at."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from itsdangerous import TimestampSigner

from broker.config.broker import Config
from broker.incidents import responses
from broker.incidents.incident import Incident, State
from broker.retention import audit
from broker.store.tables import core
from broker.web import texts
from tests.broker.web import sample, seeded_captions
from tests.broker.web.serving import serving

PREVIEWS = (
    "WhatsApp/2.23.20.0 A",
    "TelegramBot (like TwitterBot)",
    "facebookexternalhit/1.1;kakaotalk-scrap/1.0",
    "Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 (KHTML, like Gecko) facebookexternalhit/1.1 Facebot Twitterbot/1.0",
)
"""What opens a link before anybody has touched it, to show a picture of the page beside the message."""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    return sample.fill(seeded_captions.config(tmp_path_factory.mktemp("console")), hours=1)


def link(address: str, config: Config, incident: Incident) -> str:
    """Return the link of the message that told of an incident, as it reaches the console."""
    alert = seeded_captions.alert_of(config, incident)
    whole = seeded_captions.signer(config).link(alert.id)
    assert whole.startswith(seeded_captions.PUBLIC)
    return address + whole.removeprefix(seeded_captions.PUBLIC)


def test_looking_changes_nothing_however_often(address: str, config: Config) -> None:
    incident = seeded_captions.tell(config)
    url = link(address, config, incident)

    for agent in PREVIEWS:
        assert httpx.get(url, headers={"user-agent": agent}).status_code == 200
        httpx.head(url, headers={"user-agent": agent})

    assert seeded_captions.now(config, incident).state is State.OPEN
    assert httpx.post(url).status_code == 200
    assert seeded_captions.now(config, incident).state is State.ACKNOWLEDGED


def test_someone_on_a_telephone_needs_no_login_and_no_script(address: str, config: Config) -> None:
    incident = seeded_captions.tell(config)
    url = link(address, config, incident)

    page = httpx.get(url)

    assert page.status_code == 200
    assert 'name="viewport" content="width=device-width' in page.text
    assert f'<form method="post" action="{httpx.URL(url).path}">' in page.text
    assert '<nav class="pages"' not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "same-origin"
    assert "set-cookie" not in page.headers


def test_it_acts_in_the_name_of_the_one_who_was_told(address: str, config: Config) -> None:
    incident = seeded_captions.tell(config, person=1)

    answered = httpx.post(link(address, config, incident))

    found = seeded_captions.now(config, incident)
    assert (found.acknowledged_by, found.acknowledged_how) == ("경비실", "link")
    assert texts.of("en")("link.done") in answered.text
    (entry, *_) = seeded_captions.look(config, audit.newest)
    assert (entry.actor, entry.action, entry.subject) == ("경비실", "acknowledge", f"incident {incident.id}")


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_page_speaks_the_telephones_language(address: str, config: Config, language: str) -> None:
    url = link(address, config, seeded_captions.tell(config))
    said = texts.of("ko" if language == "ko" else "en")
    asked = {"accept-language": "ko-KR,ko;q=0.9,en;q=0.8" if language == "ko" else "en-GB"}

    assert said("link.take") in httpx.get(url, headers=asked).text
    assert said("link.done") in httpx.post(url, headers=asked).text
    assert said("link.refused") in httpx.post(url, headers=asked).text


def test_it_acts_once(address: str, config: Config) -> None:
    incident = seeded_captions.tell(config)
    url = link(address, config, incident)

    first, second = httpx.post(url), httpx.post(url)

    assert (first.status_code, second.status_code) == (200, 410)
    assert texts.of("en")("link.refused") in second.text
    assert texts.of("en")("link.already", name="guard") in httpx.get(url).text


def test_a_link_that_is_too_old_does_nothing(address: str, config: Config) -> None:
    incident = seeded_captions.tell(config)
    number = seeded_captions.alert_of(config, incident).id
    token = seeded_captions.signer(config).token(number)
    old = core.alert.update().where(core.alert.c.id == number).values(created_at=datetime.now(UTC) - timedelta(days=2))
    seeded_captions.do(config, lambda connection: connection.execute(old))

    for ask in (httpx.get, httpx.post):
        assert ask(f"{address}/a/{token}").status_code == 410

    assert seeded_captions.now(config, incident).state is State.OPEN


def test_a_forged_link_does_nothing(address: str, config: Config) -> None:
    incident, other = seeded_captions.tell(config), seeded_captions.tell(config)
    number = seeded_captions.alert_of(config, incident).id
    mine = seeded_captions.signer(config).token(seeded_captions.alert_of(config, other).id)
    forged = [
        f"{number}-{mine.partition('-')[2]}",
        replace(seeded_captions.signer(config), secret="another secret").token(number),
        TimestampSigner(seeded_captions.SECRET, salt="another purpose").sign(str(number)).decode(),
        *(str(number), f"{number}-", f"{number}--", "x", "%00", "..%2f..%2fusers", "'; DROP TABLE alert;--", "칼"),
    ]

    for token in forged:
        for ask in (httpx.get, httpx.post):
            answered = ask(f"{address}/a/{token}")
            assert answered.status_code in (404, 410), token

    assert seeded_captions.now(config, incident).state is State.OPEN


def test_a_link_longer_than_any_is_not_read(address: str) -> None:
    assert httpx.get(f"{address}/a/{'x' * 201}").status_code == 404
    assert httpx.post(f"{address}/a/{'x' * 201}").status_code == 404


def test_a_link_about_what_is_over_says_so_and_changes_nothing(address: str, config: Config) -> None:
    incident = seeded_captions.tell(config)
    url = link(address, config, incident)
    at = datetime.now(UTC)
    seeded_captions.do(
        config, lambda connection: responses.false_alarm(connection, incident.id, by="kim", how="console", at=at)
    )

    assert texts.of("en")("link.ended") in httpx.get(url).text
    assert httpx.post(url).status_code == 200
    assert seeded_captions.now(config, incident).state is State.FALSE_ALARM


def test_without_links_in_the_configuration_there_are_none(config: Config) -> None:
    token = seeded_captions.signer(config).token(1)
    without = seeded_captions.without_links(config)

    with serving(without) as address:
        assert httpx.get(f"{address}/a/{token}").status_code == 404
        assert httpx.post(f"{address}/a/{token}").status_code == 404


@pytest.mark.parametrize(
    ("answer", "state"), [("going", State.ACKNOWLEDGED), ("over", State.RESOLVED), ("false", State.FALSE_ALARM)]
)
def test_every_button_answers_once_and_nothing_else_does(
    address: str, config: Config, answer: str, state: State
) -> None:
    incident = seeded_captions.tell(config)
    url = link(address, config, incident)

    assert f'action="{httpx.URL(url).path}/{answer}"' in httpx.get(url).text
    assert httpx.post(f"{url}/explode").status_code == 404
    assert [httpx.post(f"{url}/{answer}").status_code for _ in range(2)] == [200, 410]
    assert seeded_captions.now(config, incident).state is state


@pytest.mark.parametrize("answer", ["take", "going", "over", "false"])
def test_a_labelled_link_shows_its_button_first_and_answers_nothing_by_itself(
    address: str, config: Config, answer: str
) -> None:
    incident = seeded_captions.tell(config)
    url = f"{link(address, config, incident)}/{answer}"

    page = httpx.get(url)

    assert page.status_code == 200
    primary = page.text.split('class="primary"')[0].rpartition("action=")[2]
    assert primary.split('"')[1].endswith(answer if answer != "take" else url.rpartition("/")[0].rpartition("/")[2])
    assert seeded_captions.now(config, incident).state is State.OPEN
    assert httpx.get(f"{url}s").status_code == 404
    assert httpx.post(url).status_code == 200
    assert seeded_captions.now(config, incident).state is not State.OPEN
    assert httpx.post(url).status_code == 410
