"""Databases of every released version, and of a checkout since, become this version's with all that is in them."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, func, select

from broker.cli import main
from broker.config.broker import Recipient
from broker.incidents import store
from broker.incidents.incident import State
from broker.notify import dead_letters, notifications
from broker.store import captions, migrate
from broker.store.engine import open_engine, reading, writing
from broker.store.migrate import Age
from broker.store.tables import console, core, messaging  # noqa: F401 - as there
from foundation.errors import MISCONFIGURED
from tests.broker.device import event, said
from tests.broker.running_service import write_config
from tests.broker.scene import Scene

GOLDEN = Path(__file__).resolve().parent / "golden"
RELEASES = sorted(GOLDEN.glob("wordcam-*.sql"))
FIRST = GOLDEN / "wordcam-0.1.0.sql"

ROOT = Path(__file__).resolve().parents[3]

KILLED = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from broker.store import migrate
from broker.store.engine import open_engine

engine, left = open_engine(Path(sys.argv[1])), int(sys.argv[2])

def count(*_):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)

event.listen(engine, "after_cursor_execute", count)
migrate.migrate(engine)
"""
"""Migrates a database, and is killed after so many statements."""


ONLY_OURS = {"include_name": lambda name, kind, _: kind != "table" or not str(name).startswith("caption_fts")}
"""Leaves out the tables by which SQLite keeps its full-text index."""


def restore(dump: Path, folder: Path) -> Path:
    """Make the database that a release left behind."""
    path = folder / "wordcam.db"
    with sqlite3.connect(path) as database:
        database.executescript(dump.read_text(encoding="utf-8"))
    database.close()
    return path


def counted(path: Path) -> dict[str, int]:
    """Count the rows of every table, but for those by which SQLite keeps its index."""
    with sqlite3.connect(path) as database:
        found = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        names = [name for (name,) in found if not name.startswith("caption_fts")]
        counts = {name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}
    database.close()
    return counts


@pytest.mark.parametrize("dump", RELEASES, ids=lambda path: path.stem)
def test_no_row_is_lost_on_the_way_to_this_version(dump: Path, tmp_path: Path) -> None:
    path = restore(dump, tmp_path)
    before = counted(path)
    engine = open_engine(path)
    assert migrate.age(engine) is Age.OLDER

    migrate.migrate(engine)

    assert migrate.age(engine) is Age.CURRENT
    with reading(engine) as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        assert compare_metadata(MigrationContext.configure(connection, opts=ONLY_OURS), core.metadata) == []
    engine.dispose()
    assert {name: count for name, count in counted(path).items() if name in before} == before


@pytest.mark.parametrize("statements", [1, 2, 3, 8, 21, 34, 55])
@pytest.mark.parametrize("dump", RELEASES, ids=lambda path: path.stem)
def test_a_migration_that_is_killed_is_done_by_the_next_one(dump: Path, statements: int, tmp_path: Path) -> None:
    path = restore(dump, tmp_path)
    before = counted(path)
    words = [sys.executable, "-c", KILLED, str(path), str(statements)]

    ended = subprocess.run(words, cwd=ROOT, env=os.environ, check=False).returncode

    assert ended in (-signal.SIGKILL, 0)
    if ended:
        assert counted(path) == before, "all or nothing"
    engine = open_engine(path)
    migrate.migrate(engine)
    assert migrate.age(engine) is Age.CURRENT
    engine.dispose()


@pytest.mark.parametrize(
    "verb",
    [["migrate"], ["run"], ["console"], ["incidents"], ["export"], ["forget", "--everything"], ["dead", "list"]],
    ids=" ".join,
)
def test_a_database_newer_than_the_program_is_refused_with_one_line(
    verb: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_config(tmp_path, web={"port": 0})
    engine = open_engine(tmp_path / "wordcam.db")
    migrate.migrate(engine)
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()

    assert main.main([*verb, "--config", str(config)]) == MISCONFIGURED

    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said == (
        f"wordcam-broker: {tmp_path / 'wordcam.db'}: made by a newer version of wordcam; install that version, or name"
        " another file"
    )


def test_migrate_lets_an_old_file_become_smaller_from_then_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_config(tmp_path)
    path = restore(FIRST, tmp_path)

    for _ in range(2):
        assert main.main(["migrate", "--config", str(config)]) == 0

    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA auto_vacuum").fetchone() == (2,)
    database.close()
    assert "at version" in capsys.readouterr().out


def test_the_first_release_becomes_this_version_with_everything_in_it(tmp_path: Path) -> None:
    engine = open_engine(restore(FIRST, tmp_path))
    assert migrate.age(engine) is Age.OLDER

    migrate.migrate(engine)

    assert migrate.age(engine) is Age.CURRENT
    with reading(engine) as connection:
        heard = captions.after(connection, 0, limit=100)
        told = notifications.of_incident(connection, 1) + [
            found for n in (1, 2) if (found := notifications.get(connection, n))
        ]
        counted = connection.execute(select(func.count()).select_from(core.refusal)).scalar()
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


def test_the_service_goes_on_with_a_released_database(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    template = restore(FIRST, tmp_path / "old")
    engine = open_engine(template)
    migrate.migrate(engine)
    engine.dispose()
    room = Scene(tmp_path, template=template)

    room.processor.process([said(event("a gun", seq=99))])

    assert room.incident.state is State.OPEN
    assert sorted(room.deliver()) == ["first to guard", "first to guard"]
    with reading(room.engine) as connection:
        assert [one.kind.value for one in store.timeline(connection, 1)] == ["opened", "told"]
    room.close()


def test_going_back_and_forth_keeps_messages_that_refer_to_each_other(tmp_path: Path) -> None:
    asleep = Recipient(name="guard", phone="+12025550143", quiet_hours=("00:00-07:00",), quiet_passes=None)
    room = Scene(tmp_path, people=(asleep,))
    for site in ("north-gate", "depot"):
        room.say("a gun", site=site)
    room.wait(hours=4)
    with writing(room.engine) as connection:
        notifications.mark_dead(connection, 1, error="no such number")
        dead_letters.take_up(connection, 1, by="kim", at=room.now)
    before = _everything(room.engine)

    for way, revision in ((command.downgrade, "0004"), (command.upgrade, "head")):
        with writing(room.engine) as connection:
            config = Config()
            config.set_main_option("script_location", "broker:store/migrations")
            config.attributes["connection"] = connection
            way(config, revision)

    assert _everything(room.engine) == before
    assert [one.told_in for one in before["alert"]] == [3, 3, None]
    room.close()


def _everything(engine: Engine) -> dict[str, list[Any]]:
    with reading(engine) as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        found = (core.alert, core.incident, core.decision, core.incident_event, messaging.resend)
        return {table.name: list(connection.execute(select(table).order_by(table.c.id))) for table in found}
