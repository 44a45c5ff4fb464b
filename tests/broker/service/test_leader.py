"""Which instance leads, on either database, by clocks that nobody compares."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from broker.config.database import Database
from broker.config.errors import Locked
from broker.ports import Superseded, Term
from broker.service import leader
from broker.service import lease as leases
from broker.service.leader import EXPIRY_SECONDS, VALID_SECONDS, Decision, LeaderElection
from broker.service.lease import Lease
from broker.store.engine import open_database, reading, writing

LEASE = Lease(token=3, beats=9, holder="a", process="word", place="here", since=None, beat_at=None)


class Seconds:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


Make = Callable[[str], LeaderElection]


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def terms() -> list[str]:
    """Who became the leader, in order."""
    return []


@pytest.fixture
def make(database: Database, seconds: Seconds, terms: list[str]) -> Iterator[Make]:
    """Make instances, each with connections of its own, all by one clock."""
    engines: list[Engine] = []

    def instance(name: str) -> LeaderElection:
        engines.append(open_database(database))
        return LeaderElection(engines[-1], name, on_elected=lambda: terms.append(name), seconds=seconds)

    yield instance
    for engine in engines:
        engine.dispose()


@pytest.mark.parametrize(
    ("lease", "ours", "unrenewed_seconds", "reason"),
    [
        (replace(LEASE, holder=""), False, 0.0, Decision.VACANT),
        (LEASE, True, 0.0, Decision.RESTARTED),
        (LEASE, False, EXPIRY_SECONDS - 0.1, Decision.STAND_BY),
        (LEASE, False, EXPIRY_SECONDS, Decision.EXPIRED),
    ],
    ids=["vacant", "an earlier process of ours", "renewed", "expired"],
)
def test_the_lease_is_taken_for_a_reason(lease: Lease, ours: bool, unrenewed_seconds: float, reason: Decision) -> None:
    assert leader.decide(lease, ours=ours, unrenewed_seconds=unrenewed_seconds) is reason


def test_the_first_instance_leads_and_the_second_stands_by(make: Make) -> None:
    first, second = make("a"), make("b")

    for one in (first, second, first, second):
        one.step()

    assert first.term == Term(1)
    assert second.term is None


def test_one_that_comes_too_late_for_a_vacant_lease_says_that_it_stands_by(
    make: Make, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    first = make("a")
    engine = open_database(database)

    def meanwhile() -> float:
        """The first takes the lease between the second's look and its attempt."""
        if first.term is None:
            first.step()
        return 1000.0

    second = LeaderElection(engine, "b", on_elected=lambda: None, seconds=meanwhile)
    for _ in range(3):
        second.step()
    engine.dispose()

    assert first.term is not None
    assert second.term is None
    assert caplog.messages == ["became leader", "standby"]


def test_a_leader_whose_lease_expired_is_replaced_and_can_write_no_more(
    make: Make, seconds: Seconds, engine: Engine
) -> None:
    first, second = make("a"), make("b")
    first.step()
    second.step()
    stale = first.term
    assert stale is not None

    seconds.now += EXPIRY_SECONDS
    second.step()

    assert second.term == Term(2, after_expiry=True)
    with writing(engine) as connection, pytest.raises(Superseded):
        first.require(connection, stale)
    with writing(engine) as connection:
        second.require(connection, second.term)
    first.step()
    assert first.term is None


def test_a_lease_that_is_renewed_is_not_taken(make: Make, seconds: Seconds) -> None:
    first, second = make("a"), make("b")

    for _ in range(20):
        first.step()
        second.step()
        seconds.now += VALID_SECONDS - 0.5

    assert second.term is None
    assert first.term == Term(1)


def test_a_leader_stops_before_its_lease_expires(make: Make, seconds: Seconds) -> None:
    first, second = make("a"), make("b")
    first.step()
    second.step()

    seconds.now += VALID_SECONDS
    second.step()

    assert (first.term, second.term) == (None, None)
    first.step()
    assert first.term == Term(1)


def test_a_leader_that_is_stopped_releases_the_lease(make: Make, database: Database) -> None:
    first, second = make("a"), make("b")
    first.step()
    second.step()

    first.finish()
    second.step()

    assert first.term is None
    assert second.term == Term(2)


def test_an_instance_that_is_started_again_goes_on_at_once(make: Make) -> None:
    killed, again = make("a"), make("a")
    killed.step()

    again.step()

    assert again.term == Term(2)


def test_two_that_share_a_name_by_mistake_do_not_take_it_from_each_other_for_ever(make: Make) -> None:
    first, second = make("a"), make("a")
    first.step()
    second.step()

    for _ in range(5):
        first.step()
        second.step()

    assert first.term is None
    assert second.term == Term(2)


def test_of_two_that_wait_one_takes_over(make: Make, seconds: Seconds) -> None:
    first, second, third = make("a"), make("b"), make("c")
    for one in (first, second, third):
        one.step()

    seconds.now += EXPIRY_SECONDS
    for one in (second, third):
        one.step()

    assert second.term == Term(2, after_expiry=True)
    assert third.term is None


def test_who_has_seen_an_older_lease_is_too_late(engine: Engine) -> None:
    me = leases.Holder("a", "word", "here")
    with reading(engine) as connection:
        seen = leases.read(connection)
    with writing(engine) as connection:
        assert leases.acquire(connection, seen, me, at=datetime.now(UTC)) == 1

    with writing(engine) as connection:
        assert leases.acquire(connection, seen, replace(me, name="b"), at=datetime.now(UTC)) is None


def test_a_database_that_was_away_says_nothing_of_the_leader(make: Make, seconds: Seconds) -> None:
    first, second = make("a"), make("b")
    first.step()
    second.step()
    working, second.engine = second.engine, open_database(Database(url="postgresql://nobody@127.0.0.1:9/none"))

    seconds.now += EXPIRY_SECONDS
    with pytest.raises(Locked):
        second.step()
    second.engine.dispose()
    second.engine = working
    second.step()

    assert second.term is None


def test_the_workers_are_woken_when_a_term_begins(make: Make, terms: list[str]) -> None:
    one = make("a")

    one.step()
    one.step()

    assert terms == ["a"]
