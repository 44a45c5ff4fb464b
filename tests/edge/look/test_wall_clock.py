"""The device's clock, watched by one that nobody sets."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contract.status import Clock
from edge.look.wall_clock import EARLIEST, FORGET, WallClock

NOON = EARLIEST + timedelta(days=100, hours=12)


class Time:
    """Two clocks, of which one is set now and then."""

    def __init__(self) -> None:
        self.wall, self.uptime = NOON, 1000.0

    def pass_by(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.uptime += seconds

    def watched(self, folder: Path, latest: datetime = NOON) -> WallClock:
        return WallClock(lambda: self.wall, lambda: self.uptime, latest, folder / "timesync")


def test_a_clock_that_goes_on_is_right(tmp_path: Path) -> None:
    time = Time()
    clock = time.watched(tmp_path)

    for _ in range(5):
        time.pass_by(3600)
        assert clock.check() is None


def test_a_clock_that_was_set_back_is_said_until_it_shows_a_new_time_again(tmp_path: Path) -> None:
    time = Time()
    clock = time.watched(tmp_path)
    time.pass_by(600)
    before = clock.check()
    time.wall -= timedelta(hours=1)
    after = clock.check()
    time.pass_by(3500)
    still = clock.check()
    time.pass_by(200)

    assert (before, after, still) == (None, Clock.STEPPED_BACK, Clock.STEPPED_BACK)
    assert clock.check() is None


def test_a_clock_that_went_back_while_the_process_was_away_is_said(tmp_path: Path) -> None:
    assert Time().watched(tmp_path, latest=NOON + timedelta(minutes=5)).check() is Clock.STEPPED_BACK


def test_a_second_back_is_no_step(tmp_path: Path) -> None:
    assert Time().watched(tmp_path, latest=NOON + timedelta(seconds=1)).check() is None


def test_a_time_that_was_far_ahead_once_is_forgotten_after_a_day(tmp_path: Path) -> None:
    time = Time()
    clock = time.watched(tmp_path, latest=NOON + timedelta(days=9000))
    first = clock.check()
    time.pass_by(FORGET.total_seconds())

    assert (first, clock.check()) == (Clock.STEPPED_BACK, None)
    assert clock.latest == time.wall


@pytest.mark.parametrize("year", [1970, 2000, 2025])
def test_a_board_without_a_battery_is_not_synchronised(tmp_path: Path, year: int) -> None:
    time = Time()
    time.wall = datetime(year, 1, 1, tzinfo=UTC)

    assert time.watched(tmp_path).check() is Clock.UNSYNCHRONISED


def test_where_systemd_waits_for_the_time_so_does_the_device(tmp_path: Path) -> None:
    clock = Time().watched(tmp_path)
    (tmp_path / "timesync").mkdir()
    before = clock.check()
    (tmp_path / "timesync" / "synchronized").touch()

    assert (before, clock.check()) == (Clock.UNSYNCHRONISED, None)
