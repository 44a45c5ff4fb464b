"""Devices whose clocks are wrong are believed in everything but the time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from broker.incidents.incident import State
from broker.ingest.clock_skew import AHEAD, corrected
from broker.ingest.decoder import Message
from broker.store.engine import reading
from broker.store.tables import core
from contract import caption, topics
from tests.broker.device import NOON, event, said, stated, status
from tests.broker.scene import Scene


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.close()


def test_a_clock_that_is_a_little_ahead_is_believed() -> None:
    early = event(captured_at=NOON + AHEAD)

    assert corrected(early, now=NOON) is early


def test_a_picture_of_last_year_is_believed() -> None:
    late = event(captured_at=NOON - timedelta(days=300))

    assert corrected(late, now=NOON) is late


def test_a_danger_from_the_future_is_told_of_as_of_now_and_counted(room: Scene) -> None:
    early = event("a man with a gun", captured_at=NOON + timedelta(days=1000))

    (answer,) = room.processor.process([said(early)])

    assert answer.ack.stored == (early.id,), "the device may let it go"
    assert room.incident.state is State.OPEN
    with reading(room.engine) as connection:
        assert connection.scalars(select(core.caption.c.captured_at)).all() == [NOON]
        table = core.refusal
        ((reason, count, detail),) = connection.execute(select(table.c.reason, table.c.count, table.c.detail)).all()
    assert (reason, count) == ("future", 1)
    assert "1000 days, 0:00:00 ahead of the server's clock" in detail


def test_the_age_of_an_event_dates_it_where_its_clock_is_impossible() -> None:
    begun = datetime(1970, 1, 1, 0, 3, tzinfo=UTC)
    found = event(captured_at=begun, time=begun + timedelta(seconds=2), age_seconds=3600)

    assert corrected(found, now=NOON).captured_at == NOON - timedelta(hours=1, seconds=2)


def test_a_clock_that_was_set_between_picture_and_event_does_not_date_it_wrongly() -> None:
    found = event(captured_at=datetime(1970, 1, 1, tzinfo=UTC), time=NOON, age_seconds=60)

    assert NOON - timedelta(seconds=90) <= corrected(found, now=NOON).captured_at <= NOON - timedelta(seconds=60)


def test_the_age_of_an_event_whose_time_is_possible_changes_nothing() -> None:
    found = event(captured_at=NOON - timedelta(days=2), age_seconds=60)

    assert corrected(found, now=NOON) is found


def test_the_same_caption_again_is_the_same(room: Scene) -> None:
    early = said(event("a man with a gun", captured_at=NOON + timedelta(days=1000)))

    for _ in range(3):
        room.processor.process([early])

    assert room.processor.counts.captions == 1
    assert room.deliver() == ["first to guard"]


@pytest.mark.parametrize("year", [1970, 2000, 2023])
def test_a_danger_of_a_clock_without_a_battery_is_of_now_and_counted(room: Scene, year: int) -> None:
    room.processor.process([said(event("a man with a gun", captured_at=NOON.replace(year=year)))])

    assert room.deliver() == ["first to guard"]
    assert room.alerts[0].captured_at == NOON
    with reading(room.engine) as connection:
        table = core.refusal
        assert connection.execute(select(table.c.reason, table.c.count)).all() == [("past", 1)]


def test_a_clock_whose_heartbeats_are_days_behind_is_corrected_by_as_much(room: Scene) -> None:
    behind = timedelta(days=3)
    for _ in range(2):
        room.clock.now += timedelta(seconds=60)
        room.processor.process([stated(status(at=room.now - behind))])

    early = event("a man with a gun", captured_at=room.now - behind - timedelta(seconds=4))
    room.processor.process([said(early)])

    assert room.deliver() == ["first to guard"]
    assert room.alerts[0].captured_at == room.now - timedelta(seconds=4)


def test_heartbeats_that_were_queued_or_retained_say_nothing_of_a_clock(room: Scene) -> None:
    old = room.now - timedelta(days=3)
    room.processor.process([stated(status(at=old + timedelta(seconds=60 * number))) for number in range(3)])
    room.clock.now += timedelta(seconds=60)
    room.processor.process([stated(status(at=old + timedelta(seconds=120)))])

    room.processor.process([said(event("a man with a gun", captured_at=old))])

    assert room.alerts[0].captured_at == old


@pytest.mark.parametrize(
    "broken",
    [
        ('"2026-03-14T03:00:00Z"', '"9999-12-31T23:59:59Z"'),
        ('"2026-03-14T03:00:00Z"', '"0001-01-01T00:00:00Z"'),
        ('"seq":0', '"seq":9223372036854775808'),
        ('"seq":0', f'"seq":1{"0" * 400}'),
    ],
    ids=["last year", "first year", "64 bits", "400 digits"],
)
def test_no_number_or_date_of_a_device_stops_the_service(room: Scene, broken: tuple[str, str]) -> None:
    payload = caption.encode(event("a man with a gun")).decode()
    assert broken[0] in payload
    message = Message(topics.topic("north-gate", "pi-01", "caption"), payload.replace(*broken).encode())

    (answer,) = room.processor.process([message])

    assert [one.reason for one in answer.ack.refused] == ["schema"]
    assert room.incidents == []
