"""The bytes of captions that leave in an hour, whatever is written into the outbox."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge.send.allowance import Allowance

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = 3600


class Clock:
    """Both clocks of a test."""

    seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds)


def bucket(folder: Path, clock: Clock) -> Allowance:
    return Allowance(folder, 36_000, clock.monotonic, clock.now)


def spend(allowance: Allowance, size: int = 600) -> int:
    sent = 0
    while allowance.allows():
        allowance.take(size)
        sent += size
    return sent


def test_an_hours_bytes_may_go_at_once_and_then_at_their_rate(tmp_path: Path) -> None:
    clock = Clock()
    allowance = bucket(tmp_path, clock)

    assert spend(allowance) == 36_000
    clock.seconds += 60
    assert spend(allowance) == 600
    clock.seconds += 99 * HOUR
    assert spend(allowance) == 36_000, "what was not used is not saved for longer than an hour"


def test_in_no_hour_more_than_twice_the_bytes_leave(tmp_path: Path) -> None:
    clock = Clock()
    allowance = bucket(tmp_path, clock)
    sent = 0
    for _ in range(HOUR):
        sent += spend(allowance)
        clock.seconds += 1

    assert sent <= 2 * 36_000 + 600


def test_a_process_that_ends_again_and_again_sends_no_more(tmp_path: Path) -> None:
    clock = Clock()
    sent = 0
    for _ in range(100):
        allowance = bucket(tmp_path, clock)
        sent += spend(allowance)
        allowance.keep()
        clock.seconds += 1

    assert sent <= 36_000 + 100 * 610


def test_a_clock_that_went_back_brings_nothing(tmp_path: Path) -> None:
    clock = Clock()
    first = bucket(tmp_path, clock)
    spend(first)
    first.keep()
    clock.seconds -= 99 * HOUR

    assert spend(bucket(tmp_path, clock)) == 0


def test_a_damaged_file_is_a_full_bucket(tmp_path: Path) -> None:
    (tmp_path / "allowance.json").write_bytes(b"{")

    assert spend(bucket(tmp_path, Clock())) == 36_000
