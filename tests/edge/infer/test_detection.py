"""Boxes from the detector's numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.infer import detection

BOXES = np.array([[0.5, 0.5, 0.2, 0.4], [0.51, 0.5, 0.2, 0.4], [0.1, 0.1, 0.3, 0.3]], np.float32)


def read(scores: list[list[float]], iou_threshold: float = 0.5) -> list[detection.Detection]:
    return detection.read(
        BOXES, np.array(scores, np.float32), ("person", "fire"), score_threshold=0.3, iou_threshold=iou_threshold
    )


def test_of_two_boxes_on_one_thing_the_better_stays() -> None:
    found = read([[0.6, 0], [0.8, 0], [0.4, 0]])

    assert [(box.name, round(box.score, 2)) for box in found] == [("person", 0.8), ("person", 0.4)]
    assert (found[0].x, found[0].y, found[0].w, found[0].h) == pytest.approx((0.41, 0.3, 0.2, 0.4), abs=1e-6)


def test_boxes_of_two_classes_do_not_suppress_each_other() -> None:
    assert {box.name for box in read([[0.6, 0], [0, 0.8], [0, 0]])} == {"person", "fire"}


def test_boxes_that_overlap_less_than_the_threshold_both_stay() -> None:
    assert len(read([[0.6, 0], [0.8, 0], [0, 0]], iou_threshold=0.95)) == 2


def test_a_box_ends_at_the_edge_of_the_frame() -> None:
    (found,) = read([[0, 0], [0, 0], [0.9, 0]])

    assert (found.x, found.y, found.w, found.h) == pytest.approx((0, 0, 0.25, 0.25))


def test_scores_below_the_threshold_are_nothing() -> None:
    assert read([[0.29, 0.1]] * 3) == []


@given(st.integers(0, 2**32 - 1), st.integers(0, 30))
def test_whatever_stays_overlaps_little_and_whatever_goes_overlaps_something_better(seed: int, count: int) -> None:
    draw = np.random.default_rng(seed)
    low = draw.uniform(0, 0.8, (count, 2))
    corners = np.concatenate([low, low + draw.uniform(0.01, 0.2, (count, 2))], axis=1).astype(np.float32)
    scores = draw.uniform(0, 1, count).astype(np.float32)

    kept = detection.suppress(corners, scores, 0.4)

    overlaps = np.array([[_iou(one, other) for other in corners] for one in corners]).reshape(count, count)
    for row in range(count):
        better = [other for other in kept if other != row and scores[other] >= scores[row]]
        assert (row in kept) == all(overlaps[row, other] <= 0.4 + 1e-6 for other in better)


def _iou(one: np.ndarray, other: np.ndarray) -> float:
    sides = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    overlap = float(np.prod(np.maximum(sides, 0)))
    areas = sum(float(np.prod(box[2:] - box[:2])) for box in (one, other))
    return overlap / (areas - overlap)
