"""Optical flow: what a struggle has and a walk has not, whatever the mast does."""

import numpy as np
from numpy.typing import NDArray

from edge.infer import image
from edge.look.movement import flow
from edge.look.movement.flow import FEATURES, Grey


def room(seed: int = 1) -> Grey:
    """Draw a picture with something to hold on to everywhere."""
    coarse = np.random.default_rng(seed).integers(30, 220, (12, 20))
    return np.kron(coarse, np.ones((8, 8))).astype(np.uint8)


def named(values: NDArray[np.float32]) -> dict[str, float]:
    return dict(zip(FEATURES, values.tolist(), strict=True))


def moved(picture: Grey, rows: slice, columns: slice, across: int) -> Grey:
    """Push a part of a picture sideways."""
    after = picture.copy()
    after[rows, columns] = np.roll(picture[rows, columns], across, axis=1)
    return after


def test_a_picture_that_stays_alike_has_no_speed() -> None:
    still = flow.measure(image.flow(room(), room()), None, 0.2)

    assert named(still)["faster"] < 0.05


def test_a_camera_that_shakes_moves_nobody() -> None:
    before = room()
    shaken = flow.measure(image.flow(before, np.roll(before, 3, axis=1)), None, 0.2)
    walked = flow.measure(image.flow(before, moved(before, slice(24, 72), slice(40, 80), 3)), None, 0.2)

    assert named(shaken)["fast"] < named(walked)["faster"] / 4


def test_people_who_go_one_way_go_together_and_others_do_not() -> None:
    before = room()
    walk = moved(before, slice(16, 80), slice(32, 112), 3)
    struggle = moved(moved(before, slice(16, 48), slice(32, 112), 3), slice(48, 80), slice(32, 112), -3)

    together, apart = (named(flow.measure(image.flow(before, after), None, 0.2)) for after in (walk, struggle))

    assert together["together"] > apart["together"]
    assert together["directions"] < apart["directions"]


def test_a_change_of_direction_is_a_jerk() -> None:
    before = room()
    right, left = (image.flow(before, moved(before, slice(16, 80), slice(32, 112), by)) for by in (3, -3))

    steady, turned = named(flow.measure(right, right, 0.2)), named(flow.measure(left, right, 0.2))

    assert steady["jerk"] < turned["jerk"] / 4


def test_speed_is_counted_by_time() -> None:
    found = image.flow(room(), moved(room(), slice(16, 80), slice(32, 112), 3))

    assert named(flow.measure(found, None, 0.4))["fast"] * 2 == named(flow.measure(found, None, 0.2))["fast"]


def test_brightness_keeps_the_frames_aspect() -> None:
    squashed = np.zeros((256, 256, 3), np.uint8)

    assert flow.grey(squashed, 1080, 1920).shape == (88, 160)
    assert flow.grey(squashed, 480, 640).shape == (120, 160)
