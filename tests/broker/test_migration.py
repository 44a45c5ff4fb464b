"""Databases of every released version become this version's, with all that is in them."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, func, select

from broker.config import Recipient
from broker.incident import State
from broker.store import alerts, captions, dead, incidents, message_tables, schema, tables
from broker.store.engine import open_engine, reading, writing
from broker.store.schema import Age
from tests.broker.device import event, said
from tests.broker.scene import Scene

GOLDEN = Path(__file__).resolve().parent / "golden"
RELEASES = sorted(GOLDEN.glob("wordcam-*.sql"))


def restore(dump: Path, folder: Path) -> Path:
    """Make the database that a release left behind."""
    path = folder / "wordcam.db"
    with sqlite3.connect(path) as database:
        database.executescript(dump.read_text(encoding="utf-8"))
    database.close()
    return path


@pytest.mark.parametrize("dump", RELEASES, ids=lambda path: path.stem)
def test_a_released_database_becomes_this_version_with_everything_in_it(dump: Path, tmp_path: Path) -> None:
    engine = open_engine(restore(dump, tmp_path))
    assert schema.age(engine) is Age.OLDER

    schema.migrate(engine)

    assert schema.age(engine) is Age.CURRENT
    with reading(engine) as connection:
        heard = captions.after(connection, 0, limit=100)
        told = alerts.of_incident(connection, 1) + [found for n in (1, 2) if (found := alerts.get(connection, n))]
        counted = connection.execute(select(func.count()).select_from(tables.refusal)).scalar()
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    engine.dispose()
    assert [(caption.text, [one.outcome for one in caption.decisions]) for caption in heard] == [
        ("a man walks", []),
        ("a man is holding a gun", ["first"]),
        ("a red fire hydrant", ["cancelled"]),
        ("a house is on fire", ["first"]),
    ]
    assert [(alert.key, alert.kind, alert.state, alert.incident_id) for alert in told] == [
        ("old/1", "first", "sent", None),
        ("old/2", "first", "waiting", None),
    ]
    assert (counted, broken) == (1, [])


@pytest.mark.parametrize("dump", RELEASES, ids=lambda path: path.stem)
def test_the_service_goes_on_with_a_released_database(dump: Path, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    template = restore(dump, tmp_path / "old")
    engine = open_engine(template)
    schema.migrate(engine)
    engine.dispose()
    room = Scene(tmp_path, template=template)

    room.reception.accept([said(event("a gun", seq=99))])

    assert room.incident.state is State.OPEN
    assert sorted(room.deliver()) == ["first to guard", "first to guard"]
    with reading(room.engine) as connection:
        assert [one.kind.value for one in incidents.timeline(connection, 1)] == ["opened", "told"]
    room.close()


def test_going_back_and_forth_keeps_messages_that_refer_to_each_other(tmp_path: Path) -> None:
    asleep = Recipient(name="guard", phone="+12025550143", quiet_hours=("00:00-07:00",), quiet_passes=None)
    room = Scene(tmp_path, people=(asleep,))
    for site in ("north-gate", "depot"):
        room.say("a gun", site=site)
    room.wait(hours=4)
    with writing(room.engine) as connection:
        alerts.mark_dead(connection, 1, error="no such number")
        dead.take_up(connection, 1, by="kim", at=room.now)
    before = _everything(room.engine)

    for way, revision in ((command.downgrade, "0004"), (command.upgrade, "head")):
        with writing(room.engine) as connection:
            config = Config()
            config.set_main_option("script_location", "broker:migrations")
            config.attributes["connection"] = connection
            way(config, revision)

    assert _everything(room.engine) == before
    assert [one.told_in for one in before["alert"]] == [3, 3, None]
    room.close()


def _everything(engine: Engine) -> dict[str, list[Any]]:
    with reading(engine) as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        found = (tables.alert, tables.incident, tables.decision, tables.incident_event, message_tables.resend)
        return {table.name: list(connection.execute(select(table).order_by(table.c.id))) for table in found}
