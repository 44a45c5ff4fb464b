"""Bounds in time and in number, around any sender."""

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from broker.notify.call_timeout import MAX_ABANDONED, Clogged, Deadline, Late
from broker.notify.senders.by_recipient import SendersByRecipient
from broker.notify.senders.rate_limited import RateLimited
from broker.ports import Busy, Doubtful, Unreachable


class Slow:
    """Answers when it is let, or at once."""

    name = "slow"
    askable = True

    def __init__(self, gate: threading.Event, *, busy: bool = False) -> None:
        self.gate, self.busy = gate, busy
        self.sent: list[str] = []

    def send(self, to: str, text: str) -> str:
        """Wait for the gate."""
        if self.busy:
            raise Busy("not now", retry_after=timedelta(seconds=60))
        self.gate.wait()
        self.sent.append(text)
        return f"id-{len(self.sent)}"

    def find(self, to: str, text: str, *, since: datetime) -> Sequence[str]:
        """Wait for the gate, too."""
        self.gate.wait()
        return self.sent


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_a_call_that_does_not_end_is_in_doubt_and_the_next_gets_a_sender_of_its_own(gate: threading.Event) -> None:
    made: list[Slow] = []

    def make() -> Slow:
        made.append(Slow(gate))
        return made[-1]

    bounded = RateLimited(make, seconds=0.05, per_second=1e9)
    with pytest.raises(Doubtful, match=r"slow: no whole answer within 0\.05 s"):
        bounded.send("a", "first")
    with pytest.raises(Unreachable):
        bounded.find("a", "first", since=datetime.now(UTC))

    assert len(made) == 3


def test_messages_are_handed_over_no_faster_than_they_may_be(gate: threading.Event) -> None:
    gate.set()
    now = [0.0]
    bounded = RateLimited(lambda: Slow(gate), seconds=20, per_second=2, clock=lambda: now[0])

    assert bounded.send("a", "first") == "id-1"
    with pytest.raises(Busy) as caught:
        bounded.send("a", "second")
    now[0] = 0.5

    assert caught.value.retry_after == timedelta(seconds=0.5)
    assert bounded.send("a", "second") == "id-2"


def test_a_busy_provider_is_left_alone_by_every_message(gate: threading.Event) -> None:
    now = [0.0]
    slow = Slow(gate, busy=True)
    bounded = RateLimited(lambda: slow, seconds=20, per_second=10, clock=lambda: now[0])
    with pytest.raises(Busy):
        bounded.send("a", "first")
    slow.busy = False
    gate.set()
    now[0] = 59.0

    with pytest.raises(Busy, match=r"may send again in 1\.0 s"):
        bounded.send("b", "second")

    now[0] = 60.0
    assert bounded.send("b", "second") == "id-1"


def test_calls_that_hang_do_not_pile_up_for_ever(gate: threading.Event) -> None:
    deadline = Deadline(0.001)
    for _ in range(MAX_ABANDONED):
        with pytest.raises(Late):
            deadline.run(gate.wait)

    with pytest.raises(Clogged):
        deadline.run(gate.wait)


def test_what_a_call_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        Deadline(20).run(lambda: 1 // 0)


def test_the_switchboard_knows_everybodys_sender(gate: threading.Event) -> None:
    one, other = Slow(gate), Slow(gate)
    board = SendersByRecipient({"guard": one, "chief": other})

    assert (board.of("guard"), board.of("chief")) == (one, other)
    assert board.names == ("slow",)
    assert SendersByRecipient.alone(one).of("anybody") is one
    with pytest.raises(Unreachable, match="no recipient is called 'nobody'"):
        board.of("nobody")
