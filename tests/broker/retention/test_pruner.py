"""What is too old goes, a little at a time, and nothing goes that somebody still needs."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from broker.config import broker
from broker.config.errors import Misconfigured
from broker.config.retention import Retention
from broker.incidents.responses import resolve
from broker.incidents.scheduler import PRUNING_PAUSE_SECONDS
from broker.notify import dead_letters, delivery_reports
from broker.notify.delivery_reports import Report
from broker.retention import audit
from broker.retention.audit import Entry
from broker.retention.pruner import AT_ONCE, EVERY, Pruner
from broker.store import search
from broker.store.engine import reading, writing
from broker.store.search import Question
from broker.store.tables import core
from broker.store.tables.console import caption_words
from broker.store.tables.messaging import delivery
from broker.web import search_terms
from tests.broker.device import event, said
from tests.broker.running_service import write_config
from tests.broker.scene import RULES, Scene, make_scheduler

MONTH = Retention(captions_days=30, incidents_days=365)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.close()


def prune(room: Scene, retention: Retention = MONTH) -> int:
    """Do one whole run, and return the number of its steps."""
    pruner = Pruner(room.engine, retention, clock=room.clock)
    steps = 0
    while pruner.step():
        steps += 1
    return steps


def index(room: Scene) -> None:
    with writing(room.engine) as connection:
        search.index(connection, [search_terms.entry(one, "") for one in search.unindexed(connection, limit=1000)])


def texts(room: Scene) -> list[str]:
    with reading(room.engine) as connection:
        return list(connection.scalars(select(core.caption.c.text).order_by(core.caption.c.id)))


def count(room: Scene, table: Any) -> int:
    with reading(room.engine) as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def end(room: Scene, incident: int = 1) -> None:
    """Let someone close an incident, and everyone be told."""
    room.do(resolve, incident, by="kim", how="console")
    room.walk()
    room.deliver()


def test_a_sentence_goes_with_its_decisions_and_its_words(room: Scene) -> None:
    room.say("a man without a gun")
    index(room)
    room.wait(days=30.5)
    room.say("a man walks")
    index(room)

    prune(room)

    assert texts(room) == ["a man walks"]
    assert count(room, core.decision) == 0
    assert count(room, caption_words) == 1
    with reading(room.engine) as connection:
        found = search.find(connection, Question(search_terms.asked("gun")))
        left = connection.exec_driver_sql("SELECT count(*) FROM caption_fts WHERE caption_fts MATCH 'gun'").scalar()
    assert (found, left) == ([], 0)


def test_what_is_younger_stays(room: Scene) -> None:
    room.say("a man walks")
    room.wait(days=29.5)
    room.say("a dog runs")

    assert prune(room) == 0
    assert texts(room) == ["a man walks", "a dog runs"]


def test_null_keeps_for_ever(room: Scene) -> None:
    room.say("a man walks")
    room.wait(days=3000)
    room.say("a dog runs")

    prune(room, Retention(captions_days=None))

    assert texts(room) == ["a man walks", "a dog runs"]


def test_what_an_open_incident_is_about_stays_until_its_end_is_told(room: Scene) -> None:
    room.say("a man with a gun")
    room.deliver()
    room.clock.now += timedelta(days=40)
    room.say("a man walks")

    prune(room)
    assert texts(room) == ["a man with a gun", "a man walks"]

    end(room)
    prune(room)
    assert texts(room) == ["", "a man walks"]


def test_what_an_unsent_message_tells_of_stays(room: Scene) -> None:
    room.say("a man with a gun")
    room.do(resolve, 1, by="guard", how="console")
    room.walk()
    room.clock.now += timedelta(days=40)
    room.say("a man walks")

    prune(room)

    assert texts(room)[0] == "a man with a gun"
    assert room.deliver() == ["first to guard"]


def test_a_row_that_a_message_points_at_loses_its_sentence_and_goes_with_the_message(room: Scene) -> None:
    room.say("a man with a gun")
    room.deliver()
    end(room)
    room.clock.now += timedelta(days=40)
    room.say("fire")
    room.deliver()
    end(room, 2)

    prune(room)
    assert texts(room) == ["", "fire"]
    assert len(room.alerts) == 4

    room.clock.now += timedelta(days=400)
    room.say("a man walks")
    prune(room)
    assert texts(room) == ["", "a man walks"]
    assert [one.id for one in room.incidents] == [2], "the newest stays: its number may not be given twice"


def test_an_emptied_sentence_is_not_found_and_not_sent_again(room: Scene) -> None:
    room.say("a man with a gun")
    room.deliver(rejected=["guard"])
    end(room)
    room.clock.now += timedelta(days=40)
    room.say("a man walks")

    prune(room)

    with reading(room.engine) as connection:
        assert [one.text for one in search.find(connection, Question())] == ["a man walks"]
    assert room.do(dead_letters.take_up, 1, by="kim") is False


def test_the_number_of_the_newest_is_never_given_again(room: Scene) -> None:
    room.say("a man walks")
    room.clock.now += timedelta(days=40)

    prune(room)
    room.say("a dog runs")

    with reading(room.engine) as connection:
        assert list(connection.scalars(select(core.caption.c.id))) == [1, 2]
    prune(room)
    assert texts(room) == ["a dog runs"]


@pytest.mark.parametrize("years", [-50, 25], ids=["a clock that stands still", "a clock that is ahead"])
def test_a_sentence_of_a_wrong_clock_goes_by_its_arrival(room: Scene, years: int) -> None:
    room.say("a man walks")
    with writing(room.engine) as connection:
        connection.execute(core.caption.update().values(captured_at=room.now + timedelta(days=365 * years)))
    room.clock.now += timedelta(days=29)

    prune(room)
    kept = texts(room)
    room.clock.now += timedelta(days=2)
    room.say("a dog runs")
    prune(room)

    assert (kept, texts(room)) == (["a man walks"], ["a dog runs"])


def test_an_incident_goes_with_its_timeline_its_messages_and_their_reports(room: Scene) -> None:
    room.say("a man with a gun")
    room.deliver()
    room.do(lambda connection, at: delivery_reports.record(connection, Report("test", "T1", "delivered", "", at)))
    end(room)
    room.clock.now += timedelta(days=366)
    room.say("fire")
    room.deliver()

    prune(room)

    assert [one.danger for one in room.incidents] == ["fire"]
    assert [one.incident_id for one in room.alerts] == [2]
    assert count(room, delivery) == 0
    with reading(room.engine) as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []


def test_the_audit_log_has_a_time_of_its_own(room: Scene) -> None:
    room.do(lambda connection, at: audit.add(connection, Entry(at, "kim", "terminal", "login")))
    room.clock.now += timedelta(days=731)
    room.do(lambda connection, at: audit.add(connection, Entry(at, "lee", "terminal", "login")))

    prune(room)

    with reading(room.engine) as connection:
        assert [one.actor for one in audit.newest(connection)] == ["lee"]


def test_no_step_takes_more_than_its_share(room: Scene) -> None:
    room.processor.process([said(event(seq=number, captured_at=room.now)) for number in range(100, AT_ONCE * 2 + 110)])
    room.clock.now += timedelta(days=31)
    room.say("a dog runs")
    pruner = Pruner(room.engine, MONTH, clock=room.clock)

    left = []
    while pruner.step():
        left.append(len(texts(room)))

    assert left[:3] == [AT_ONCE + 11, 11, 1]


def test_a_run_is_done_once_an_hour(room: Scene) -> None:
    room.say("a man walks")
    room.clock.now += timedelta(days=31)
    pruner = Pruner(room.engine, Retention(captions_days=31.001), clock=room.clock)
    assert not pruner.step()
    room.say("a dog runs")
    room.clock.now += EVERY - timedelta(seconds=1)

    assert not pruner.step()
    room.clock.now += timedelta(seconds=1)
    assert pruner.step()


def test_the_file_becomes_smaller(room: Scene) -> None:
    for batch in range(20):
        numbers = range(batch * 200, batch * 200 + 200)
        room.processor.process([said(event("a man " * 30, seq=number, captured_at=room.now)) for number in numbers])
    path = room.folder / "wordcam.db"
    with writing(room.engine) as connection:
        assert connection.exec_driver_sql("PRAGMA auto_vacuum").scalar() == 2
    checkpoint(room)
    before = path.stat().st_size
    room.clock.now += timedelta(days=31)

    prune(room)

    checkpoint(room)
    assert path.stat().st_size < before / 2


def checkpoint(room: Scene) -> None:
    raw = room.engine.raw_connection()
    raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    raw.close()


def test_the_scheduler_prunes_when_nothing_else_is_due(room: Scene) -> None:
    room.say("a man walks")
    room.clock.now += timedelta(days=31)
    room.say("a dog runs")
    pruner = Pruner(room.engine, MONTH, clock=room.clock)
    scheduler = make_scheduler(room.engine, RULES, room.grouper, clock=room.clock, prune=pruner.step)

    while scheduler.step() or scheduler.idle_seconds() == PRUNING_PAUSE_SECONDS:
        pass

    assert texts(room) == ["a dog runs"]


@pytest.mark.parametrize("days", [0, -1, 0.5, 10_000, "thirty"])
def test_a_time_that_makes_no_sense_is_refused(tmp_path: Path, days: Any) -> None:
    path = write_config(tmp_path, retention={"captions_days": days})

    with pytest.raises(Misconfigured, match=r"retention\.captions_days"):
        broker.load(path)
