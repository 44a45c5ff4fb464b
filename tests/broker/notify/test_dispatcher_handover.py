"""What a notifier may still do when another instance takes over in the middle of its work."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, Engine

from broker.notify import notifications
from broker.notify.senders.by_recipient import SendersByRecipient
from broker.ports import Doubtful, Rejected, Superseded, Term, Unreachable
from broker.service import lease
from broker.store.engine import writing
from testing.fake_twilio import FakeTwilio
from tests.broker.notify.test_dispatcher import Bench


@pytest.fixture
def bench(engine: Engine) -> Iterator[Bench]:
    with FakeTwilio() as twilio:
        yield Bench(engine, twilio)


@dataclass
class Posted:
    """A post whose turn the test gives; what it requires is asked of the database."""

    given: Term | None
    questions: int = 1_000_000
    """After so many it is no longer sure of its turn."""

    @property
    def term(self) -> Term | None:
        """The turn, as long as it is sure."""
        self.questions -= 1
        return self.given if self.questions >= 0 else None

    def require(self, connection: Connection, term: Term) -> None:
        """Ask as the real one does."""
        lease.require(connection, term.token)


def relieve(engine: Engine, name: str) -> Term:
    """Let an instance take the duty up, whoever has it."""
    with writing(engine) as connection:
        me = lease.Holder(name, name, "here")
        token = lease.acquire(connection, lease.read(connection), me, at=datetime.now(UTC))
    assert token is not None
    return Term(token, after_expiry=True)


def test_off_duty_nothing_is_sent(bench: Bench) -> None:
    dispatcher = bench.restart(Posted(None))

    assert not dispatcher.step()

    assert (bench.row.state, bench.twilio.posts) == ("waiting", 0)


def test_one_that_was_paused_cannot_begin_to_send(bench: Bench) -> None:
    paused = bench.restart(Posted(relieve(bench.engine, "a")))
    relieve(bench.engine, "b")

    with pytest.raises(Superseded):
        paused.step()

    assert (bench.row.state, bench.twilio.posts) == ("waiting", 0)


def test_one_that_was_paused_after_it_looked_cannot_begin_to_send_either(bench: Bench) -> None:
    paused = bench.restart(Posted(relieve(bench.engine, "a")))
    compose = paused.compose

    def slowly(alert: notifications.Notification, now: datetime) -> str:
        relieve(bench.engine, "b")
        return compose(alert, now)

    paused.compose = slowly
    with pytest.raises(Superseded):
        paused.step()

    assert (bench.row.state, bench.twilio.posts) == ("waiting", 0)


def test_a_turn_that_ends_between_the_intent_and_the_sending_puts_the_message_off(bench: Bench) -> None:
    dispatcher = bench.restart(Posted(relieve(bench.engine, "a"), questions=1))

    dispatcher.step()

    assert (bench.row.state, bench.twilio.posts) == ("waiting", 0)


class Relieved:
    """A sender during whose call another instance takes over."""

    name = "relieved"
    askable = True

    def __init__(self, engine: Engine, ending: Exception | str) -> None:
        self.engine, self.ending = engine, ending

    def send(self, to: str, text: str) -> str:
        """Take the message, or fail as told, too late."""
        relieve(self.engine, "b")
        if isinstance(self.ending, Exception):
            raise self.ending
        return self.ending

    def find(self, to: str, text: str, *, since: datetime) -> list[str]:
        """Know nothing."""
        return []


def test_that_a_message_was_taken_is_written_down_even_too_late(bench: Bench) -> None:
    slow = bench.restart(Posted(relieve(bench.engine, "a")))
    slow.senders = SendersByRecipient.alone(Relieved(bench.engine, "SM1"))

    slow.step()

    assert (bench.row.state, bench.row.provider_id) == ("sent", "SM1")


@pytest.mark.parametrize("problem", [Unreachable("no"), Rejected("never"), Doubtful("who knows")], ids=str)
def test_that_it_was_not_taken_is_left_to_the_successor(bench: Bench, problem: Exception) -> None:
    slow = bench.restart(Posted(relieve(bench.engine, "a")))
    slow.senders = SendersByRecipient.alone(Relieved(bench.engine, problem))

    with pytest.raises(Superseded):
        slow.step()

    assert bench.row.state == "sending"


def test_what_a_silent_one_left_half_sent_waits_until_it_can_no_longer_be_sending(bench: Bench) -> None:
    with writing(bench.engine) as connection:
        notifications.begin(connection, bench.row.id, text="ALERT a gun", provider="twilio", at=bench.clock.now)
    bench.restart(Posted(relieve(bench.engine, "b")))

    assert not bench.step_after(0)
    assert bench.row.state == "doubt"
    assert not bench.step_after(29)
    assert bench.step_after(1)

    assert bench.row.state == "waiting"


def test_a_message_that_was_sent_meanwhile_is_not_begun(bench: Bench) -> None:
    with writing(bench.engine) as connection:
        notifications.mark_sent(connection, bench.row.id, provider_id="SM1", at=bench.clock.now)

        assert not notifications.begin(connection, bench.row.id, text="again", provider="twilio", at=bench.clock.now)


def test_a_message_that_was_sent_under_two_ids_keeps_the_first(bench: Bench) -> None:
    with writing(bench.engine) as connection:
        assert notifications.mark_sent(connection, bench.row.id, provider_id="SM1", at=bench.clock.now)
        assert notifications.mark_sent(connection, bench.row.id, provider_id="SM1", at=bench.clock.now)

        assert not notifications.mark_sent(connection, bench.row.id, provider_id="SM2", at=bench.clock.now)

    assert bench.row.provider_id == "SM1"
