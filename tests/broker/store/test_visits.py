"""Visits in the database: what captions tell of one person, put together."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from broker.retention import deletion
from broker.store import captions, migrate, visits
from broker.store.engine import open_engine, writing
from broker.store.tables import core
from contract.caption import InZone, Phase, Visit
from tests.broker.device import NOON, event

DOOR = InZone("north-door", 20, entered=True)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    engine = open_engine(tmp_path / "wordcam.db")
    migrate.migrate(engine)
    with writing(engine) as opened:
        yield opened
    engine.dispose()


def tell(connection: Connection, seq: int, *told: Visit, **fields: object) -> None:
    caption = event(f"sentence {seq}", seq=seq, visits=told, people=len(told), **fields)
    captions.add(connection, [caption], received_at=NOON)


def test_a_visit_is_one_story_from_arriving_to_leaving(connection: Connection) -> None:
    tell(connection, 10, Visit("anna", Phase.ARRIVES, 2))
    tell(connection, 30, Visit("anna", Phase.STAYS, 22, (DOOR,)), Visit("berta", Phase.ARRIVES, 1))
    tell(connection, 60, Visit("anna", Phase.LEAVES, 45))

    berta, anna = sorted(visits.find(connection).stories, key=lambda story: story.seconds)

    assert [entry.found.text for entry in anna.entries] == ["sentence 10", "sentence 30", "sentence 60"]
    assert [entry.people for entry in anna.entries] == [1, 2, 1]
    assert (anna.began_at, anna.ends_at) == (NOON + timedelta(seconds=8), NOON + timedelta(seconds=53))
    assert (anna.is_over, anna.zones, anna.is_danger) == (True, {"north-door": 20}, False)
    assert (berta.is_over, berta.seconds) == (False, 1)


def test_the_same_id_at_two_cameras_is_two_visits(connection: Connection) -> None:
    tell(connection, 1, Visit("anna", Phase.ARRIVES, 1))
    tell(connection, 2, Visit("anna", Phase.ARRIVES, 1), stream="cam-1")

    assert [story.first.stream for story in visits.find(connection).stories] == ["cam-1", "cam-0"]


def test_visits_are_found_by_place_time_and_page(connection: Connection) -> None:
    captions.add(connection, [event("nobody", seq=1)], received_at=NOON)
    for seq in range(2, 8):
        tell(connection, seq, Visit(f"visit-{seq}", Phase.ARRIVES, 0))

    page = visits.find(connection, limit=4)

    assert [story.first.text for story in page.stories] == [f"sentence {seq}" for seq in (7, 6, 5, 4)]
    assert [story.first.text for story in visits.find(connection, before=page.older, limit=4).stories] == [
        "sentence 3",
        "sentence 2",
    ]
    assert visits.find(connection, site="elsewhere").stories == ()
    late = visits.find(connection, since=NOON + timedelta(seconds=6), until=NOON + timedelta(seconds=7))
    assert [story.first.text for story in late.stories] == ["sentence 6"]


def test_one_caption_at_a_time_is_stored_as_many_are(connection: Connection) -> None:
    told = event("a man", seq=1, visits=(Visit("anna", Phase.STAYS, 22, (DOOR,)),), people=1)
    captions.add_one(connection, told, received_at=NOON)
    tell(connection, 2, Visit("anna", Phase.STAYS, 22, (DOOR,)))

    rows = connection.execute(select(core.caption.c.people, core.caption.c.visits)).all()

    assert rows[0] == rows[1]


def test_what_is_deleted_leaves_no_visit(connection: Connection) -> None:
    tell(connection, 1, Visit("anna", Phase.ARRIVES, 1))

    deletion.captions(connection, [1])

    assert visits.find(connection).stories == ()
