"""The network that finds boxes: one point a cell of each level, in one order everywhere."""

from typing import Any

import numpy as np
import pytest

from trainer.models import detector


def shapes(side: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the encoder's maps at an input of `side` pixels."""
    return {"c3": (side // 8, side // 8, 6), "c4": (side // 16, side // 16, 8), "cells": ((side // 32) ** 2, 10)}


def maps(side: int, batch: int = 1) -> dict[str, Any]:
    random = np.random.default_rng(7)
    return {name: random.normal(size=(batch, *shape)).astype(np.float32) for name, shape in shapes(side).items()}


@pytest.mark.parametrize(
    ("side", "points"), [(224, 28 * 28 + 14 * 14 + 7 * 7), (96, 12 * 12 + 6 * 6 + 3 * 3), (32, 4 * 4 + 2 * 2 + 1)]
)
def test_every_point_has_a_box_and_its_odds(side: int, points: int) -> None:
    network = detector.build(shapes(side), classes=3, width=8)

    for batch in (1, 2):
        found = network(maps(side, batch))
        assert found["boxes"].shape == (batch, points, 4)
        assert found["odds"].shape == (batch, points, 3)
    assert detector.points(shapes(side)["c3"]).shape == (points, 2)


def test_points_go_from_the_finest_level_to_the_coarsest_row_by_row() -> None:
    points = detector.points((12, 12, 1))

    np.testing.assert_allclose(points[:2], [[0.5 / 12, 0.5 / 12], [1.5 / 12, 0.5 / 12]])
    np.testing.assert_allclose(points[12], [0.5 / 12, 1.5 / 12])
    np.testing.assert_allclose(points[144], [0.5 / 6, 0.5 / 6])
    np.testing.assert_allclose(points[-1], [2.5 / 3, 2.5 / 3])


def test_an_image_wider_than_high_keeps_its_axes_apart() -> None:
    wide = {"c3": (4, 8, 6), "c4": (2, 4, 8), "cells": (2, 10)}
    network = detector.build(wide, classes=1, width=8)

    points = detector.points(wide["c3"])
    found = network({name: np.zeros((1, *shape), np.float32) for name, shape in wide.items()})["boxes"][0].numpy()

    np.testing.assert_allclose(points[7], [7.5 / 8, 0.5 / 4])
    assert found.shape == (len(points), 4)
    assert (abs(found[:, :2] - points) < found[:, 2:] / 2).all()


def test_each_box_lies_around_its_point_as_far_as_its_distances_say() -> None:
    network = detector.build(shapes(64), classes=1, width=8)
    for level in range(3):
        layer = network.get_layer(f"head{level}_distances")
        left, top, right, bottom = 0.1, 0.2, 0.3, 0.1
        odds = np.log([d / (1 - d) for d in (left, top, right, bottom)]).astype(np.float32)
        layer.set_weights([np.zeros_like(layer.get_weights()[0]), odds])

    boxes = network(maps(64))["boxes"][0].numpy()

    points = detector.points(shapes(64)["c3"])
    np.testing.assert_allclose(boxes[:, 0], points[:, 0] + 0.1, atol=1e-5)
    np.testing.assert_allclose(boxes[:, 1], points[:, 1] - 0.05, atol=1e-5)
    np.testing.assert_allclose(boxes[:, 2:], np.tile([0.4, 0.3], (len(points), 1)), atol=1e-5)


def test_an_untrained_detector_expects_almost_nothing() -> None:
    network = detector.build(shapes(96), classes=2, width=8)
    still = {name: np.zeros_like(values) for name, values in maps(96).items()}

    scores = 1 / (1 + np.exp(-network(still)["odds"].numpy()))

    np.testing.assert_allclose(scores, detector.PRIOR, rtol=1e-3)
