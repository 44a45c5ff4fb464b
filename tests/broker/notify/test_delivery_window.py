"""Whose message waits, and until when."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from broker.config.absence import Absence
from broker.config.broker import Recipient
from broker.config.section import Severity
from broker.notify import delivery_window
from broker.notify.contacts import Contact
from broker.notify.reasons import Away, HourlyLimit, QuietHours
from tests.broker.device import NOON
from tests.broker.incidents.policy.cases import minutes

SEOUL = ZoneInfo("Asia/Seoul")
SLEEPER = Recipient(name="guard", phone="+12025550143", quiet_hours=("22:00-07:00",))
DEAF = Recipient(name="guard", phone="+12025550143", quiet_hours=("22:00-07:00",), quiet_passes=None)
CAPPED = Recipient(name="guard", phone="+12025550143", max_per_hour=2)
NIGHT = NOON.replace(hour=23)


@pytest.mark.parametrize(
    ("person", "severity", "waits"),
    [(SLEEPER, "warning", True), (SLEEPER, "critical", False), (DEAF, "critical", True)],
)
def test_at_night_only_what_may_passes(person: Recipient, severity: Severity, waits: bool) -> None:
    found = delivery_window.quiet(person, severity, NIGHT)

    assert (found is not None) == waits
    if found is not None:
        assert found.until == NIGHT.replace(day=15, hour=7)
        assert found.reason == QuietHours("07:00")


def test_by_day_nobody_is_asleep() -> None:
    assert delivery_window.quiet(DEAF, "info", NOON.replace(hour=12)) is None


def test_one_message_too_many_waits_until_the_oldest_is_an_hour_old() -> None:
    recent = [NOON - minutes(5), NOON - minutes(50), NOON - minutes(61)]

    found = delivery_window.cap(CAPPED, recent, NOON)

    assert found is not None
    assert found.until == NOON + minutes(10)
    assert found.reason == HourlyLimit(2, 2)
    assert delivery_window.cap(CAPPED, recent[:1], NOON) is None


def test_whoever_is_away_gets_nothing_until_they_are_back() -> None:
    away = Contact("guard", away_until=NOON + minutes(30), away_because="lunch")

    found = delivery_window.decide(SLEEPER, away, "critical", recent=[], local=NOON)

    assert found == delivery_window.Deferral(NOON + minutes(30), Away("lunch"))
    assert delivery_window.decide(SLEEPER, away, "critical", recent=[], local=NOON + minutes(30)) is None


AWAY = Recipient(name="guard", phone="+12025550143", away=(Absence(start="2026-03-14", until="2026-03-15 08:00"),))


@pytest.mark.parametrize(
    ("local", "until"),
    [
        (datetime(2026, 3, 13, 23, 59, tzinfo=SEOUL), None),
        (datetime(2026, 3, 14, 0, 0, tzinfo=SEOUL), datetime(2026, 3, 15, 8, 0, tzinfo=SEOUL)),
        (datetime(2026, 3, 15, 8, 0, tzinfo=SEOUL), None),
    ],
)
def test_someone_is_away_as_the_configuration_says(local: datetime, until: datetime | None) -> None:
    deferral = delivery_window.decide(AWAY, None, "critical", recent=(), local=local)

    assert (deferral.until if deferral else None) == until


@pytest.mark.parametrize(
    ("start", "until"), [("2026-03-14", "2026-03-13"), ("today", "2026-03-13"), ("2026-03-14", "")]
)
def test_an_absence_that_is_none_is_refused(start: str, until: str) -> None:
    with pytest.raises(ValueError, match=r"away|not a time"):
        Absence(start=start, until=until)
