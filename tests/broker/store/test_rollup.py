"""Captions counted by quarter of an hour: as many as are there, however they came and went."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select

from broker.retention import deletion
from broker.store import captions, migrate, rollup, search
from broker.store.captions import GONE, Decision, Stored
from broker.store.engine import open_database, open_engine, reading, writing
from broker.store.rollup import Count
from broker.store.search import Indexed
from broker.store.tables import core
from broker.store.tables.console import caption_rollup
from tests.broker.device import event

MIDNIGHT = datetime(2026, 3, 14, 0, 0, tzinfo=UTC)
EDGES = [MIDNIGHT + timedelta(hours=hour) for hour in range(25)]


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "PostgreSQL":
        engine = open_database(request.getfixturevalue("new_postgresql")())
    else:
        engine = open_engine(tmp_path / "wordcam.db")
        migrate.migrate(engine)
    yield engine
    engine.dispose()


def say(connection: Connection, number: int, minute: int, *, danger: bool, site: str = "north-gate") -> None:
    """Let a camera say something at a minute of the day."""
    at = MIDNIGHT + timedelta(minutes=minute)
    stored = captions.add_one(connection, event(seq=number, site=site, captured_at=at), received_at=at)
    assert isinstance(stored, Stored)
    outcome = "first" if danger else "cancelled"
    captions.add_decision(connection, stored, Decision("gun", outcome, "test"), at=at)


def let_search_know(connection: Connection, limit: int = 1000) -> None:
    search.index(connection, [Indexed(found, "", "") for found in search.unindexed(connection, limit=limit)])


def by_hand(connection: Connection) -> list[Count]:
    """Count all captions by looking at each."""
    found = [one for one in search.after(connection, 0, limit=10_000) if one.text != GONE]
    hours = [[one for one in found if start <= one.captured_at < end] for start, end in pairwise(EDGES)]
    return [Count(len(hour), sum(one.is_danger for one in hour)) for hour in hours]


SAID = st.lists(st.tuples(st.integers(0, 1439), st.booleans()), min_size=1, max_size=40)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SAID, st.integers(0, 40), st.lists(st.integers(0, 39), max_size=20))
def test_counts_are_those_of_the_captions_that_are_there(
    engine: Engine, said: list[tuple[int, bool]], known: int, deleted: list[int]
) -> None:
    with engine.connect() as connection:
        before = connection.execute(select(core.caption.c.id)).scalars().all()
        first = len(before)
        for number, (minute, danger) in enumerate(said):
            say(connection, first + number, minute, danger=danger)
        let_search_know(connection, limit=max(1, known))
        assert rollup.by_step(connection, EDGES) == by_hand(connection)

        ids = list(connection.execute(select(core.caption.c.id).order_by(core.caption.c.id)).scalars())
        deletion.captions(connection, sorted({ids[place] for place in deleted if place < len(ids)}))
        assert rollup.by_step(connection, EDGES) == by_hand(connection)

        let_search_know(connection)
        assert rollup.by_step(connection, EDGES) == by_hand(connection)
        connection.rollback()


def test_one_site_is_counted_alone(engine: Engine) -> None:
    with writing(engine) as connection:
        say(connection, 1, 10, danger=True)
        say(connection, 2, 11, danger=False, site="harbour")
        let_search_know(connection)

        assert rollup.by_step(connection, EDGES, site="harbour")[0] == Count(1, 0)
        assert rollup.by_step(connection, EDGES)[0] == Count(2, 1)


def test_a_few_captions_that_search_does_not_know_yet_are_counted(engine: Engine) -> None:
    with writing(engine) as connection:
        say(connection, 1, 10, danger=True)

        assert not rollup.is_behind(connection)
        assert rollup.by_step(connection, EDGES)[0] == Count(1, 1)


def test_nothing_is_left_of_a_quarter_whose_captions_are_deleted(engine: Engine) -> None:
    with writing(engine) as connection:
        for number in range(3):
            say(connection, number, 0, danger=True)
        let_search_know(connection)
        ids = list(connection.execute(select(core.caption.c.id)).scalars())
        deletion.captions(connection, ids)

    with reading(engine) as connection:
        assert connection.execute(select(caption_rollup)).all() == []
