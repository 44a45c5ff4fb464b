"""How many wrong passwords are allowed, for whom, and how the allowance comes back."""

import ipaddress
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from broker.store import migrate
from broker.store.engine import open_engine, writing
from broker.web.accounts import login, passwords, sessions, throttle, users
from broker.web.accounts.account import Account, Role
from broker.web.accounts.login import TryLater, Wrong
from broker.web.accounts.throttle import (
    PER_BROWSER,
    PER_NAME,
    PER_NAME_AND_NETWORK,
    PER_NETWORK,
    Failure,
    Limit,
    Origin,
    network_of,
)

NOW = datetime(2026, 3, 14, 3, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"
HERE = "192.0.2.7"
BROWSER = sessions.digest("the guard's browser")


def failures(count: int, name: str = "mina", address: str = HERE, browser: str = "") -> list[Failure]:
    """Return as many wrong passwords of this moment."""
    return [Failure(NOW, name, address, network_of(address), browser)] * count


def waits(made: list[Failure], origin: Origin, after: timedelta = timedelta(0)) -> bool:
    return throttle.wait(made, origin, now=NOW + after) > timedelta(0)


@pytest.mark.parametrize(
    ("limit", "made", "origin"),
    [
        (PER_NAME_AND_NETWORK, failures(5), Origin("mina", HERE)),
        (PER_NETWORK, failures(30, "someone"), Origin("mina", HERE)),
        (PER_NAME, failures(50, address="198.51.100.1"), Origin("mina", HERE)),
        (PER_BROWSER, failures(10, browser="b"), Origin("mina", HERE, "b")),
    ],
)
def test_a_try_beyond_the_limit_waits_until_one_has_come_back(
    limit: Limit, made: list[Failure], origin: Origin
) -> None:
    assert len(made) == limit.tries

    assert waits(made, origin)
    assert not waits(made[1:], origin)
    assert throttle.wait(made, origin, now=NOW) == timedelta(seconds=limit.seconds_each)
    assert not waits(made, origin, after=timedelta(seconds=limit.seconds_each))


def test_one_try_comes_back_at_a_time() -> None:
    later = NOW + timedelta(seconds=PER_NAME_AND_NETWORK.seconds_each)
    made = [*failures(5), Failure(later, "mina", HERE, HERE)]

    assert waits(made, Origin("mina", HERE), after=later - NOW)


def test_a_guesser_elsewhere_does_not_keep_the_guard_out() -> None:
    made = failures(5, address="198.51.100.9")

    assert not waits(made, Origin("mina", HERE))
    assert not waits(made, Origin("lee", "198.51.100.9"))


def test_strangers_do_not_count_against_a_browser_that_logged_in_before() -> None:
    made = failures(200)

    assert waits(made, Origin("mina", HERE))
    assert not waits(made, Origin("mina", HERE, BROWSER))


def test_a_known_browser_does_not_count_against_others() -> None:
    assert not waits(failures(10, browser=BROWSER), Origin("mina", HERE))


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
    ],
)
def test_an_address_counts_as_the_network_of_one_subscriber(address: str, network: str) -> None:
    assert network_of(address) == network


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_all_addresses_of_one_64_are_one_network(low: int, other: int) -> None:
    prefix = 0x20010DB800010002 << 64

    assert network_of(str(ipaddress.IPv6Address(prefix | low))) == network_of(
        str(ipaddress.IPv6Address(prefix | other))
    )


@given(st.text(max_size=200))
def test_any_address_has_a_network_that_fits_its_column(address: str) -> None:
    assert len(network_of(address)) <= 64


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A database with one guard."""
    opened = open_engine(tmp_path / "wordcam.db")
    migrate.migrate(opened)
    with writing(opened) as connection:
        users.add(connection, Account("mina", Role.GUARD, "en", passwords.digest(PASSWORD), NOW, NOW))
    yield opened
    opened.dispose()


def enter(engine: Engine, password: str, address: str, *, browser: str = "") -> object:
    return login.attempt(engine, Origin("mina", address, browser), password, now=NOW)


def test_sixty_guesses_at_once_get_five_tries(engine: Engine) -> None:
    with ThreadPoolExecutor(60) as pool:
        outcomes = list(pool.map(lambda _: enter(engine, "wrong", HERE), range(60)))

    assert sum(isinstance(one, Wrong) for one in outcomes) == PER_NAME_AND_NETWORK.tries
    assert sum(isinstance(one, TryLater) for one in outcomes) == 60 - PER_NAME_AND_NETWORK.tries


def test_guesses_from_all_over_one_64_do_not_keep_the_guard_out(engine: Engine) -> None:
    for number in range(52):
        enter(engine, "wrong", f"2001:db8:1:2::{number:x}")

    assert isinstance(enter(engine, PASSWORD, "2001:db8:1:2::ffff"), TryLater)
    assert isinstance(enter(engine, PASSWORD, HERE), Account)


def test_behind_one_router_the_known_browser_is_let_in(engine: Engine) -> None:
    enter(engine, PASSWORD, HERE, browser=BROWSER)
    while not isinstance(enter(engine, "wrong", HERE, browser=sessions.digest("another")), TryLater):
        pass

    assert isinstance(enter(engine, PASSWORD, HERE, browser=BROWSER), Account)


def test_a_known_browser_has_a_limit_of_its_own(engine: Engine) -> None:
    enter(engine, PASSWORD, HERE, browser=BROWSER)
    wrong = [enter(engine, "wrong", HERE, browser=BROWSER) for _ in range(PER_BROWSER.tries)]

    assert all(isinstance(one, Wrong) for one in wrong)
    assert isinstance(enter(engine, PASSWORD, HERE, browser=BROWSER), TryLater)


def test_the_right_password_makes_wrong_ones_before_it_count_no_more(engine: Engine) -> None:
    for _ in range(2):
        for _ in range(PER_NAME_AND_NETWORK.tries - 1):
            enter(engine, "wrong", HERE)
        assert isinstance(enter(engine, PASSWORD, HERE), Account)


def test_a_new_password_makes_every_browser_a_stranger(engine: Engine) -> None:
    entered = enter(engine, PASSWORD, HERE, browser=BROWSER)
    assert isinstance(entered, Account)
    with writing(engine) as connection:
        sessions.end_all(connection, entered.id)
    for _ in range(PER_NAME_AND_NETWORK.tries):
        enter(engine, "wrong", HERE)

    assert isinstance(enter(engine, PASSWORD, HERE, browser=BROWSER), TryLater)
