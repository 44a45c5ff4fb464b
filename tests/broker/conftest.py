"""Databases of both kinds, for tests of what must be the same on both."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from broker.config.broker import Recipient
from broker.config.database import DATABASE_PASSWORD, Database
from broker.config.incidents import Incidents, PresenceSettings
from broker.store import migrate
from broker.store.engine import open_database
from testing import postgresql
from testing.postgresql import Cluster
from tests.broker.incidents.presence.missing_devices import SETTINGS
from tests.broker.scene import GUARD, Scene, empty_database

TEMPLATE = "wordcam_of_this_version"

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def started_cluster() -> Iterator[Cluster]:
    """A PostgreSQL server for all tests of this run."""
    if postgresql.find() is None:
        pytest.skip("PostgreSQL's server is not installed: apt-get install postgresql")
    with Cluster() as server:
        yield server


@pytest.fixture
def cluster(started_cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """The same, with its password where the service looks for it."""
    monkeypatch.setenv(DATABASE_PASSWORD, postgresql.PASSWORD)
    return started_cluster


@pytest.fixture
def empty_postgresql(cluster: Cluster) -> Database:
    """A PostgreSQL database without a table."""
    return Database(url=cluster.create(f"empty_{next(_numbers)}"), wait_seconds=0.5)


@pytest.fixture
def new_postgresql(cluster: Cluster) -> Callable[[], Database]:
    """Make PostgreSQL databases with the tables of this version and nothing in them."""

    def make() -> Database:
        with cluster.connect("postgres") as connection:
            made = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (TEMPLATE,)).fetchone()
        if made is None:
            engine = open_database(Database(url=cluster.create(TEMPLATE)))
            migrate.migrate(engine)
            engine.dispose()
        return Database(url=cluster.create(f"test_{next(_numbers)}", template=TEMPLATE), wait_seconds=0.5)

    return make


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """A database of each kind with the tables of this version and nothing in them."""
    if request.param == "postgresql":
        made: Database = request.getfixturevalue("new_postgresql")()
        return made
    settings = Database(path=tmp_path / "wordcam.db", wait_seconds=0.5)
    engine = open_database(settings)
    migrate.migrate(engine)
    engine.dispose()
    return settings


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    """The same, opened."""
    engine = open_database(database)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database with tables and nothing in them."""
    return empty_database(tmp_path_factory.mktemp("empty"))


@pytest.fixture
def missing_scene(empty_file: Path, tmp_path: Path) -> Iterator[Callable[..., Scene]]:
    """Makes scenes where devices are missed; takes people, `presence` and the fields of `incidents`."""
    made: list[Scene] = []

    def make(*people: Recipient, presence: PresenceSettings = SETTINGS, **changes: Any) -> Scene:
        settings = Incidents(**changes)
        made.append(Scene(tmp_path, people or (GUARD,), settings, template=empty_file, presence=presence))
        return made[-1]

    yield make
    for one in made:
        one.close()
