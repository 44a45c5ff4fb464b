"""Average precision of detections that are known, and the truth that training sees."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.trainer import small_data
from trainer.data.example import BoxExample
from trainer.errors import CheckpointError
from trainer.recipe.recipe import Detector
from trainer.recipe.run_dir import RunDir
from trainer.training.stages import detector
from trainer.training.stages.detector import BoxBatches, BoxFeatures

CLASSES = ("person", "gun")
SIZES = Detector(classes=CLASSES, batch_size=2)

TRUTH = (
    (("person", 0.1, 0.2, 0.3, 0.4), ("gun", 0.6, 0.6, 0.2, 0.3)),
    (("person", 0.0, 0.0, 0.5, 1.0), ("person", 0.5, 0.0, 0.5, 0.5)),
    (),
    (("gun", 0.25, 0.25, 0.5, 0.5),),
)
"""Boxes of four images: class, left, top, width, height."""


def cached(labelled: tuple[frozenset[str], ...] = (frozenset(CLASSES),) * 4) -> BoxFeatures:
    """Return the images; every map holds nothing but its row."""
    examples = [
        BoxExample(Path(f"{row}.jpg"), boxes, named)
        for row, (boxes, named) in enumerate(zip(TRUTH, labelled, strict=True))
    ]
    rows = np.arange(len(TRUTH), dtype=np.float16)
    return BoxFeatures(
        examples, ({"c3": rows[:, None, None, None], "c4": rows[:, None, None, None], "cells": rows[:, None, None]},)
    )


def telling(change: Callable[[str, Any], Any] = lambda _, box: box, *, silent: tuple[int, ...] = ()) -> Any:
    """Return a network that says the truth, each box (cx, cy, w, h) changed, but nothing of the silent images."""
    boxes = np.full((len(TRUTH), 3, 4), 0.01, np.float32)
    odds = np.full((len(TRUTH), 3, len(CLASSES)), -20.0, np.float32)
    for row, found in enumerate(TRUTH):
        for point, (name, left, top, width, height) in enumerate(found):
            boxes[row, point] = change(name, np.array([left + width / 2, top + height / 2, width, height]))
            odds[row, point, CLASSES.index(name)] = -20.0 if row in silent else 5.0 - row

    def network(maps: dict[str, Any]) -> dict[str, Any]:
        rows = tf.cast(maps["cells"][:, 0, 0], tf.int32)
        return {"boxes": tf.gather(boxes, rows), "odds": tf.gather(odds, rows)}

    return network


def test_perfect_detections_have_an_average_precision_of_one() -> None:
    figures = detector.average_precision(telling(), cached(), SIZES)

    assert set(figures) == set(CLASSES)
    for kinds in figures.values():
        assert kinds == {"ap": pytest.approx(1.0), "ap50": pytest.approx(1.0)}


def test_boxes_a_little_off_count_only_where_little_is_asked() -> None:
    shorter = detector.average_precision(telling(lambda _, box: box * [1, 1, 1, 0.62]), cached(), SIZES)

    assert shorter["gun"] == {"ap": pytest.approx(0.3), "ap50": pytest.approx(1.0)}


def test_height_and_width_are_not_mistaken_for_each_other() -> None:
    turned = detector.average_precision(telling(lambda _, box: box[[0, 1, 3, 2]]), cached(), SIZES)

    assert turned["gun"]["ap"] < 0.6
    assert turned["person"]["ap"] < 0.6


def test_what_is_missed_lowers_recall() -> None:
    figures = detector.average_precision(telling(silent=(3,)), cached(), SIZES)

    assert figures["gun"]["ap50"] == pytest.approx(51 / 101)
    assert figures["person"]["ap50"] == pytest.approx(1.0)


def test_a_class_is_judged_only_where_its_source_looked_for_it() -> None:
    person, both = frozenset({"person"}), frozenset(CLASSES)

    figures = detector.average_precision(telling(silent=(3,)), cached((both, both, both, person)), SIZES)

    assert figures["gun"]["ap50"] == pytest.approx(1.0)


def test_silence_has_an_average_precision_of_nothing() -> None:
    assert detector.average_precision(telling(silent=(0, 1, 2, 3)), cached(), SIZES) == {
        name: {"ap": 0.0, "ap50": 0.0} for name in CLASSES
    }


def test_the_truth_of_a_batch_says_boxes_and_which_classes_were_looked_for(tmp_path: Path) -> None:
    recipe = small_data.recipe(tmp_path)
    plain = cached((frozenset({"gun"}),) * 4)
    batches = BoxBatches(BoxFeatures(plain.examples, plain.maps * 2), recipe, SIZES)
    seen = set()

    for _ in range(6):
        batches.on_epoch_begin()
        for index in range(len(batches)):
            maps, truth = batches[index]
            assert truth.shape == (2, detector.MAX_BOXES + 1, 6)
            for row, rows in zip(maps["cells"][:, 0, 0], truth, strict=True):
                assert rows[-1].tolist() == [0, 1, 0, 0, 0, 0]
                kinds = rows[:-1, 0][rows[:-1, 0] >= 0]
                assert sorted(CLASSES[int(kind)] for kind in kinds) == sorted(box[0] for box in TRUTH[int(row)])
                seen |= {(int(row), round(float(box[1]), 3)) for box in rows[:-1] if box[0] >= 0}

    assert {(0, 0.25), (0, 0.75), (0, 0.7), (0, 0.3)} <= seen


def test_the_largest_boxes_stay_where_there_are_too_many(tmp_path: Path) -> None:
    sides = [0.01 * number for number in range(1, 31)]
    crowd = BoxExample(Path("crowd.jpg"), tuple(("person", 0, 0, side, side) for side in sides), frozenset(CLASSES))
    maps = {name: np.zeros((1, 1), np.float16) for name in detector.MAPS}

    _, truth = BoxBatches(BoxFeatures([crowd], (maps,)), small_data.recipe(tmp_path), SIZES)[0]

    np.testing.assert_allclose(truth[0, :-1, 3], sides[::-1][: detector.MAX_BOXES], rtol=1e-5)


def test_a_detector_that_was_never_trained_is_named(tmp_path: Path) -> None:
    shapes = {"c3": (1, 4, 4, 2), "c4": (1, 2, 2, 2), "cells": (1, 1, 2)}
    maps = {name: np.zeros(shape, np.float16) for name, shape in shapes.items()}

    with pytest.raises(CheckpointError, match=r"detector\.weights\.h5: no detector of this recipe; train it first"):
        detector.load(Detector(width=4), maps, RunDir(tmp_path))
