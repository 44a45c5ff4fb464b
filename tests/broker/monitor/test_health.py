"""Checks: which there are, and when each fails."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from broker.monitor import health as checks
from broker.monitor.health import FRESH_SECONDS, Health
from broker.monitor.thread_heartbeat import ThreadHeartbeat
from broker.store import migrate
from broker.store.engine import open_engine, writing


@dataclass
class Seconds:
    now: float = 0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(tmp_path / "wordcam.db", wait_seconds=0.05)
    migrate.require_current(engine)
    yield engine
    engine.dispose()


def failing(health: Health) -> list[str]:
    return [check.name for check in health.ready() if not check.ok]


def of(engine: Engine) -> Health:
    return Health([lambda: checks.database(engine)])


def test_a_thread_that_does_not_turn_any_more_is_named() -> None:
    seconds = Seconds()
    heartbeats = {name: ThreadHeartbeat(60, seconds) for name in ("scheduler", "dispatcher")}
    health = Health([], heartbeats, seconds)
    seconds.now = 50
    heartbeats["scheduler"].beat()
    seconds.now = 61

    assert [(check.name, check.ok) for check in health.alive()] == [("scheduler", True), ("dispatcher", False)]
    assert failing(health) == ["dispatcher"]


def test_a_database_of_another_version_is_not_ready(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))

    assert failing(of(engine)) == ["migrations"]


def test_a_database_that_is_held_is_not_ready(engine: Engine) -> None:
    other = open_engine(Path(str(engine.url.database)), wait_seconds=0.05)
    with writing(other):
        assert failing(of(engine)) == ["database", "migrations"]
    other.dispose()

    assert failing(of(engine)) == []


def test_whoever_asks_all_the_time_gets_the_same_answer_for_a_while() -> None:
    seconds = Seconds()
    connected = [True]
    health = Health([lambda: checks.mqtt(connected[0])], {}, seconds)

    assert failing(health) == []
    connected[0] = False
    assert failing(health) == []
    seconds.now += FRESH_SECONDS + 0.1
    assert failing(health) == ["mqtt"]
