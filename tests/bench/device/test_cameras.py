"""The measurement of several cameras, over a real film."""

from bench.device import cameras
from tests.edge import pictures


def test_two_cameras_are_watched_and_counted_together() -> None:
    run = cameras.measure(pictures.bikes(), 2, None, 1.0)
    _, _, row = cameras.lines(iter([run]))

    assert run.captions >= 2
    assert run.frames > 0
    assert run.cpu_seconds > 0
    assert row.startswith("| 2 |  | ")
