"""What a detector answers for: overlaps of known size, which point owns which box, and what a perfect one loses."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from trainer.models import detection_loss, detector

POINTS = detector.points((8, 8, 1))
"""84 points of three levels."""

PERSON, DOG = [0.5, 0.5, 0.5, 0.5], [0.2, 0.3, 0.2, 0.3]


@pytest.mark.parametrize(
    ("one", "other", "iou", "giou"),
    [
        pytest.param([0.5, 0.5, 0.4, 0.2], [0.5, 0.5, 0.4, 0.2], 1, 1, id="the same"),
        pytest.param([0.5, 0.5, 0.4, 0.4], [0.6, 0.5, 0.4, 0.4], 0.12 / 0.20, 0.12 / 0.20, id="shifted by a quarter"),
        pytest.param([0.5, 0.5, 0.8, 0.8], [0.5, 0.5, 0.4, 0.4], 0.25, 0.25, id="one inside the other"),
        pytest.param([0.1, 0.5, 0.2, 0.2], [0.9, 0.5, 0.2, 0.2], 0, -0.6, id="far apart"),
        pytest.param([0.25, 0.25, 0.5, 0.5], [0.75, 0.75, 0.5, 0.5], 0, -0.5, id="corner to corner"),
    ],
)
def test_overlaps_are_what_geometry_says(one: list[float], other: list[float], iou: float, giou: float) -> None:
    boxes = tf.constant([one, other]), tf.constant([other, one])

    np.testing.assert_allclose(detection_loss.iou(*boxes), [iou, iou], atol=1e-5)
    np.testing.assert_allclose(detection_loss.giou(*boxes), [giou, giou], atol=1e-5)


def truth(*rows: list[float]) -> Any:
    """Return true boxes [1, G, 5], padded by one row."""
    return tf.constant([[*rows, [-1.0, 0, 0, 0, 0]]], tf.float32)


def inside(box: list[float]) -> Any:
    """Return which points lie in a box, written without the module under test."""
    return (abs(POINTS[:, 0] - box[0]) < box[2] / 2) & (abs(POINTS[:, 1] - box[1]) < box[3] / 2)


def assigned(boxes: Any, odds: Any, *rows: list[float]) -> Any:
    """Return (wanted [P, C], target [P, 4], weight [P]) for predictions boxes [P, 4] and odds [P, C]."""
    wanted = truth(*rows)
    overlap = detection_loss.iou(wanted[:, :, None, 1:], tf.constant(boxes, tf.float32)[None, None])
    found = detection_loss.assign(wanted, overlap, tf.constant(odds, tf.float32)[None], POINTS)
    return [values.numpy()[0] for values in found]


def random_predictions(classes: int = 2) -> tuple[Any, Any]:
    random = np.random.default_rng(6)
    boxes = np.concatenate([POINTS, random.uniform(0.1, 0.6, (len(POINTS), 2))], 1)
    return boxes, random.normal(0, 1, (len(POINTS), classes))


def test_a_point_outside_a_box_never_answers_for_it() -> None:
    wanted, _, weight = assigned(*random_predictions(), [0.0, *PERSON])

    assert (weight[~inside(PERSON)] == 0).all()
    assert (wanted[~inside(PERSON)] == 0).all()
    assert 1 <= (weight > 0).sum() <= detection_loss.TOP_POINTS


def test_each_point_answers_for_one_box_of_its_class() -> None:
    wanted, target, weight = assigned(*random_predictions(), [0.0, *PERSON], [1.0, *DOG])

    for kind, box in enumerate((PERSON, DOG)):
        owned = wanted[:, kind] > 0
        assert owned.any()
        np.testing.assert_allclose(target[owned], np.tile(box, (owned.sum(), 1)), atol=1e-6)
        np.testing.assert_array_equal(wanted[owned, kind], weight[owned])
    assert ((wanted > 0).sum(-1) <= 1).all()


def test_the_best_aligned_point_is_wanted_as_much_as_it_overlaps() -> None:
    boxes, odds = random_predictions()
    _, _, weight = assigned(boxes, odds, [0.0, *PERSON])
    overlap = detection_loss.iou(tf.constant([PERSON]), tf.constant(boxes, tf.float32)).numpy()
    alignment = (1 / (1 + np.exp(-odds[:, 0]))) ** detection_loss.ALPHA * overlap**detection_loss.BETA
    best = np.where(inside(PERSON), alignment, 0).argmax()

    assert weight.argmax() == best
    assert weight.max() == pytest.approx(overlap[weight > 0].max(), rel=1e-3)


def test_padding_owns_nothing() -> None:
    wanted, _, weight = assigned(*random_predictions())

    assert not wanted.any()
    assert not weight.any()


def test_a_box_between_all_points_is_left_alone() -> None:
    _, _, weight = assigned(*random_predictions(), [0.0, 0.5, 0.5, 0.001, 0.001])

    assert not weight.any()


def loss_of(boxes: Any, odds: Any, true: Any, labelled: tuple[float, ...] = (1.0, 1.0)) -> float:
    predicted = tf.constant(boxes, tf.float32)[None], tf.constant(odds, tf.float32)[None]
    return float(detection_loss.loss(true, tf.constant([labelled]), *predicted, POINTS))


def perfect(box: list[float], kind: int = 0) -> tuple[Any, Any]:
    """Return predictions of which every point inside says the box and its class, and no other says anything."""
    odds = np.full((len(POINTS), 2), -20.0)
    odds[inside(box), kind] = 20.0
    return np.tile(box, (len(POINTS), 1)), odds


def test_a_perfect_prediction_loses_almost_nothing() -> None:
    assert loss_of(*perfect(PERSON), truth([0.0, *PERSON])) < 1e-3
    assert loss_of(*perfect(DOG, 1), truth([1.0, *DOG])) < 1e-3


@pytest.mark.parametrize(
    ("boxes", "odds"),
    [
        pytest.param(perfect([0.55, 0.5, 0.5, 0.5])[0], perfect(PERSON)[1], id="a shifted box"),
        pytest.param(perfect(PERSON)[0], perfect(PERSON, 1)[1], id="another class"),
        pytest.param(perfect(PERSON)[0], -perfect(PERSON)[1], id="the opposite scores"),
        pytest.param(perfect(PERSON)[0], np.full((len(POINTS), 2), -20.0), id="silence"),
    ],
)
def test_what_is_wrong_costs(boxes: Any, odds: Any) -> None:
    assert loss_of(boxes, odds, truth([0.0, *PERSON])) > 0.1


def test_a_class_that_was_not_labelled_adds_no_loss() -> None:
    boxes, odds = perfect(PERSON)
    shouting = odds.copy()
    shouting[:, 1] = 20.0
    true = truth([0.0, *PERSON])

    assert loss_of(boxes, shouting, true, (1.0, 0.0)) == pytest.approx(loss_of(boxes, odds, true, (1.0, 0.0)))
    assert loss_of(boxes, shouting, true) > 1 + loss_of(boxes, odds, true)


def test_an_empty_image_only_asks_for_silence() -> None:
    silent = np.full((len(POINTS), 2), -20.0)

    assert loss_of(perfect(PERSON)[0], silent, truth()) < 1e-6
    assert loss_of(perfect(PERSON)[0], -silent, truth()) > 1


def test_the_gradient_moves_boxes_and_scores_towards_the_truth() -> None:
    boxes, odds = (tf.Variable(values[None], dtype=tf.float32) for values in random_predictions())
    before = after = float("inf")
    for step in range(60):
        with tf.GradientTape() as tape:
            loss = detection_loss.loss(truth([0.0, *PERSON]), tf.constant([[1.0, 1.0]]), boxes, odds, POINTS)
        before, after = (float(loss), after) if step == 0 else (before, float(loss))
        for variable, gradient in zip((boxes, odds), tape.gradient(loss, (boxes, odds)), strict=True):
            assert np.isfinite(gradient).all()
            variable.assign_sub((0.02 if variable is boxes else 5.0) * gradient)

    assert after < before / 3
