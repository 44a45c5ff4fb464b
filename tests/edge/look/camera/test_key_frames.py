"""Key frames: when they are enough."""

from dataclasses import dataclass
from typing import Literal

import pytest

from edge.look.camera.key_frames import Decoding, KeyFrames


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def stream(
    wanted: Literal["auto", "all", "key_frames"],
    period: float,
    *,
    every: int = 25,
    seconds: float = 10,
    slowness: float = 0.0,
) -> list[Decoding]:
    """Return what is decoded of each frame of a stream of 25 a second; `slowness` is added to the time of each."""
    clock = Clock()
    keys = KeyFrames(wanted, lambda: period, clock)
    found = []
    for number in range(int(25 * seconds)):
        found.append(keys.take(number / 25, is_key=number % every == 0))
        clock.now += 1 / 25 + (slowness if found[-1] is Decoding.ALL else 0)
    return found


@pytest.mark.parametrize(
    ("period", "every", "last"),
    [
        (1.0, 25, Decoding.ENOUGH),
        (5.0, 25, Decoding.ENOUGH),
        (0.2, 25, Decoding.ALL),
        (1.0, 50, Decoding.ALL),
        (0.2, 1, Decoding.ENOUGH),
    ],
    ids=["a look a second", "a look in five", "five looks", "few key frames", "motion JPEG"],
)
def test_key_frames_are_enough_where_they_come_as_often_as_looks(period: float, every: int, last: Decoding) -> None:
    assert stream("auto", period, every=every)[-1] is last


def test_what_is_configured_is_done() -> None:
    assert set(stream("all", 5.0)) == {Decoding.ALL}
    assert set(stream("key_frames", 0.1)) == {Decoding.CONFIGURED}


def test_nothing_is_left_out_before_two_intervals_are_known() -> None:
    found = stream("auto", 1.0)

    assert set(found[:50]) == {Decoding.ALL}
    assert set(found[50:]) == {Decoding.ENOUGH}


def test_a_device_that_is_too_slow_for_all_frames_catches_up() -> None:
    found = stream("auto", 0.2, seconds=120, slowness=0.02)

    assert Decoding.BEHIND in found
    after = found[found.index(Decoding.BEHIND) :]
    assert Decoding.ALL not in after or after.index(Decoding.ALL) % 25 == 0


def test_a_clock_that_drifts_is_no_slow_device() -> None:
    """A hundred parts in a million, for ten hours, a packet a second."""
    clock = Clock()
    keys = KeyFrames("auto", lambda: 0.2, clock)
    found = set()
    for number in range(36_000):
        found.add(keys.take(number * 0.9999, is_key=True))
        clock.now += 1

    assert found == {Decoding.ALL}


def test_a_camera_that_sets_its_clock_is_measured_anew() -> None:
    clock = Clock()
    keys = KeyFrames("auto", lambda: 0.2, clock)
    found = []
    for number in range(200):
        found.append(keys.take(number / 25 - (7200 if number > 100 else 0), is_key=number % 25 == 0))
        clock.now += 1 / 25

    assert set(found) == {Decoding.ALL}
