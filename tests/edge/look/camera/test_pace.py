"""Pace."""

from edge.look.camera.pace import Pace


def beats(work: list[float], period: float = 1.0) -> list[float]:
    """Return the times at which the beats came, working so many seconds after each."""
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    pace = Pace(period, sleep, lambda: now[0])
    found = []
    for seconds in work:
        pace.wait()
        found.append(now[0])
        now[0] += seconds
    return found


def test_beats_come_at_their_period() -> None:
    assert beats([0.1, 0.9, 0.3, 0.0]) == [0, 1, 2, 3]


def test_a_missed_beat_is_skipped_and_not_made_up_for() -> None:
    assert beats([0.1, 5.0, 0.1, 0.1]) == [0, 1, 6, 7]
