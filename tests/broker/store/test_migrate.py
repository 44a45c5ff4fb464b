"""Databases of every age."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, text

from broker.config.errors import Locked, Misconfigured
from broker.store import migrate
from broker.store.engine import open_engine, reading, writing
from broker.store.migrate import Age
from broker.store.tables import console, core, messaging  # noqa: F401 - they add their tables


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(tmp_path / "deep" / "wordcam.db", wait_seconds=0.05)
    yield engine
    engine.dispose()


def test_a_new_database_gets_the_tables_of_this_version(engine: Engine) -> None:
    assert migrate.age(engine) is Age.EMPTY

    migrate.require_current(engine)

    assert migrate.age(engine) is Age.CURRENT
    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"include_name": _is_ours})
        assert compare_metadata(context, core.metadata) == []


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Leave out the tables by which SQLite keeps its full-text index."""
    return not (kind == "table" and name is not None and name.startswith("caption_fts"))


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    assert migrate.migrate(engine) == migrate.migrate(engine)


def test_an_older_database_is_left_alone_until_migrate(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("CREATE TABLE leftover (id INTEGER)"))

    with pytest.raises(Misconfigured, match="made by an older version; copy the file, then run"):
        migrate.require_current(engine)
    migrate.migrate(engine)

    assert migrate.age(engine) is Age.CURRENT


def test_a_newer_database_is_refused(engine: Engine) -> None:
    migrate.migrate(engine)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    for attempt in (migrate.require_current, migrate.migrate):
        with pytest.raises(Misconfigured, match="made by a newer version of wordcam"):
            attempt(engine)


def test_a_failed_migration_leaves_nothing_behind(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE device (id INTEGER)"))

    with pytest.raises(Exception, match="already exists"):
        migrate.migrate(engine)

    with reading(engine) as connection:
        names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
    assert names == ["device"]


def test_what_is_committed_survives_a_power_cut(engine: Engine) -> None:
    with reading(engine) as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2


def test_a_reader_is_not_held_up_by_a_writer(engine: Engine) -> None:
    migrate.migrate(engine)

    with writing(engine), reading(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM caption")).scalar() == 0


def test_a_second_writer_is_told_that_it_is_locked(engine: Engine) -> None:
    with writing(engine), pytest.raises(Locked, match="database is locked"), writing(engine):
        pass


def fill(engine: Engine) -> None:
    """Write until a limit of SQLite's own is met, which it reports as a full disk."""
    with writing(engine) as connection:
        connection.execute(text("PRAGMA max_page_count = 1"))
        for number in range(100):
            row = text("INSERT INTO refusal VALUES (:key, '', 1, '', '', '', zeroblob(9000))")
            connection.execute(row, {"key": number})


def test_a_full_disk_is_something_to_wait_for(engine: Engine) -> None:
    migrate.migrate(engine)

    with pytest.raises(Locked, match="database or disk is full"):
        fill(engine)


def test_a_file_that_is_no_database_is_not_taken_for_a_locked_one(tmp_path: Path) -> None:
    path = tmp_path / "wordcam.db"
    path.write_text("this is a letter, not a database, and it is long enough to be looked at" * 20)
    engine = open_engine(path)

    with pytest.raises(Misconfigured, match="file is not a database"):
        migrate.age(engine)
    engine.dispose()


FULL = """
import resource, signal, sys
from pathlib import Path
from broker.config.errors import Locked
from broker.store import migrate
from broker.store.engine import open_engine

engine = open_engine(Path(sys.argv[1]))
migrate.require_current(engine)
migrate.check_writable(engine)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
try:
    migrate.check_writable(engine)
except Locked as error:
    print(error)
"""
"""Checks a database before and after the disk is full, as far as this process sees."""


def test_a_full_disk_is_not_called_writable(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FULL, str(tmp_path / "wordcam.db")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout
