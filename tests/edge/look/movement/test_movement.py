"""Movement: followed while people are in view, judged where enough was seen, bounded in what it says."""

import numpy as np
import pytest

from contract.bundle import MOTION_FEATURES, MotionHead
from edge.infer.image import Picture
from edge.look.movement.movement import FEWEST_PAIRS, Movement, log_likelihood, summarise


def frame(number: int) -> Picture:
    return np.random.default_rng(number).integers(0, 255, (64, 64, 3)).astype(np.uint8)


def watch(looks: int, gap: float = 0.2, *, people: bool = True) -> Movement:
    movement = Movement()
    for number in range(looks):
        movement.see(frame(number), 360, 640, number * gap, people=people)
    return movement


def head(weight: float) -> MotionHead:
    size = MOTION_FEATURES
    return MotionHead(mean=(0.0,) * size, spread=(1.0,) * size, weights=(weight,) * size, bias=0.0, most=3.0)


def test_nothing_is_said_of_too_few_looks() -> None:
    assert watch(FEWEST_PAIRS).features is None
    assert watch(FEWEST_PAIRS + 1).features is not None


def test_the_contract_and_the_device_count_the_same_numbers() -> None:
    features = watch(9).features

    assert features is not None
    assert features.shape == (MOTION_FEATURES,)
    assert np.isfinite(features).all()


def test_where_nobody_is_nothing_is_followed() -> None:
    assert watch(9, people=False).features is None


@pytest.mark.parametrize("gap", [0.0, 0.6])
def test_looks_too_close_or_too_far_apart_are_not_compared(gap: float) -> None:
    assert watch(9, gap).features is None


def test_a_clock_that_goes_back_begins_anew() -> None:
    movement = watch(9)

    movement.see(frame(1), 360, 640, 0.0, people=True)

    assert movement.features is None


def test_a_frame_of_another_shape_begins_anew() -> None:
    movement = watch(9)

    movement.see(frame(1), 640, 360, 9 * 0.2, people=True)

    assert movement.features is None


def test_movement_says_no_more_than_its_head_may() -> None:
    features = np.full(MOTION_FEATURES, 100.0)

    assert [log_likelihood(head(weight), features) for weight in (1.0, -1.0)] == [3.0, -3.0]


def test_a_pair_more_of_the_same_changes_nothing() -> None:
    pairs = np.ones((4, 8), np.float32)

    assert np.allclose(summarise(pairs), summarise(np.ones((5, 8), np.float32)))
