"""Sightings that arrive late: a device was offline, and its outbox is sent when it is back."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from broker.config.incidents import Incidents
from broker.config.section import Language
from broker.config.sites import Places
from broker.notify.message.composer import Composer
from broker.notify.translation.none import NoTranslation
from tests.broker.device import event, said
from tests.broker.scene import CHAIN, CHIEF, GUARD, RULES, Scene


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path, people=(GUARD, CHIEF), settings=Incidents(escalation=(CHAIN,)))
    yield made
    made.close()


def arrives(room: Scene, number: int, *, site: str = "north-gate", **age: float) -> None:
    late = event(f"a man with a gun {number}", seq=900 + number, site=site, captured_at=room.now - timedelta(**age))
    room.processor.process([said(late)])


def test_guns_of_an_old_outbox_go_as_one_digest_and_are_not_escalated(room: Scene) -> None:
    arrives(room, 1, site="depot", days=40)
    arrives(room, 2, site="harbour", days=2)
    arrives(room, 3, site="north-gate", hours=3)

    assert room.deliver() == []
    assert room.wait(minutes=1) == ["digest to guard"]
    assert room.pass_by(hours=2, minutes=5) == []
    assert all(one.state.is_over for one in room.incidents)


def test_what_is_a_little_late_says_so_and_is_escalated(room: Scene) -> None:
    arrives(room, 1, minutes=25)

    assert room.deliver() == ["first to guard"]
    assert room.wait(minutes=5) == ["escalation to chief"]


def test_the_same_gun_seen_now_is_notified_at_once_and_escalated(room: Scene) -> None:
    arrives(room, 1, days=2)
    assert room.wait(minutes=1) == ["first to guard"]

    assert room.say("a gun") == ["gun: first"]
    assert room.deliver() == ["first to guard"]
    assert room.wait(minutes=5) == ["escalation to chief"]


def test_an_old_sighting_is_no_sign_that_a_danger_is_still_there(room: Scene) -> None:
    room.say("a gun")
    room.deliver()
    room.clock.now += timedelta(minutes=30)
    arrives(room, 7, days=2)

    assert "repeat to guard" not in room.deliver()


@pytest.mark.parametrize(
    ("language", "beginning"),
    [("en", "LATE by 40 days: ALERT gun - north-gate"), ("ko", "[40일 지연 · 경보] gun · north-gate")],
)
def test_the_text_says_how_late_it_is_and_carries_the_year(room: Scene, language: Language, beginning: str) -> None:
    arrives(room, 1, days=40)
    compose = Composer(Places.nameless(), RULES, NoTranslation())

    (alert, *_) = room.alerts
    changed = type(alert)(**{name: getattr(alert, name) for name in alert.__slots__} | {"language": language})

    text = compose(changed, room.now)
    assert text.startswith(beginning)
    assert "2026-02-02 03:00" in text
