"""Captions on their way."""

from edge.send.in_flight import MAX_DOUBLINGS, Flights


def test_a_caption_is_overdue_when_no_acknowledgement_comes() -> None:
    flights = Flights(resend_seconds=30)
    flights.publish("a", 1, now=0)
    flights.publish("b", 2, now=20)

    assert flights.overdue(29.9) == []
    assert flights.overdue(30) == [1]
    assert flights.overdue(50) == [1, 2]


def test_each_repeat_waits_twice_as_long_up_to_a_limit() -> None:
    flights = Flights(resend_seconds=1)
    waits = []
    now = 0.0
    flights.publish("a", 1, now)
    for _ in range(MAX_DOUBLINGS + 2):
        wait = next(wait for wait in range(1, 100) if flights.overdue(now + wait))
        waits.append(wait)
        now += wait
        flights.publish("a", 1, now)

    assert waits == [1, 2, 4, 8, 16, 32, 32]


def test_landing_gives_the_time_since_the_first_attempt() -> None:
    flights = Flights(resend_seconds=1)
    flights.publish("a", 1, now=10)
    flights.publish("a", 1, now=12)

    assert flights.land("a", now=15) == 5
    assert flights.land("a", now=16) is None
    assert len(flights) == 0


def test_a_caption_that_left_the_outbox_is_forgotten() -> None:
    flights = Flights(resend_seconds=1)
    flights.publish("a", 1, now=0)
    flights.publish("b", 2, now=0)

    flights.drop_seq(1)

    assert flights.overdue(99) == [2]
