"""What the live page shows first."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from broker.config.broker import Severity
from broker.incidents import store
from broker.incidents.incident import Incident, State
from broker.notify.message.outage import LostDevice
from broker.store import migrate
from broker.store.engine import open_engine, writing
from broker.web.pages import live

NOW = datetime(2026, 3, 14, 3, 0, tzinfo=UTC)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    engine = open_engine(tmp_path / "wordcam.db")
    migrate.migrate(engine)
    with writing(engine) as opened:
        yield opened
    engine.dispose()


def begin(
    connection: Connection, danger: str, severity: Severity, minutes_ago: int, *, state: State = State.OPEN
) -> None:
    at = NOW - timedelta(minutes=minutes_ago)
    lost = (LostDevice("pi-01", "gone", at),) if danger.startswith("device") else ()
    cameras = ("pi-01/cam-0",)
    store.start(connection, Incident(0, "pier", danger, danger, severity, state, at, at, 1, cameras, None, lost=lost))


def test_the_most_severe_come_first_then_the_unanswered_then_the_oldest(connection: Connection) -> None:
    begin(connection, "smoke", "warning", 60)
    begin(connection, "fire", "critical", 40, state=State.ACKNOWLEDGED)
    begin(connection, "fall", "critical", 5)
    begin(connection, "gun", "critical", 10)

    shown = live.waiting_incidents(connection)["incidents"]

    assert [one.danger for one in shown] == ["gun", "fall", "fire", "smoke"]


def test_missed_devices_stand_apart_from_dangers(connection: Connection) -> None:
    for number in range(4):
        begin(connection, f"device-{number}", "critical", 90)
    begin(connection, "gun", "critical", 10)

    shown = live.waiting_incidents(connection)

    assert [one.danger for one in shown["incidents"]] == ["gun"]
    assert len(shown["notices"]) == 4
