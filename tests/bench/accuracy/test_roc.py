"""The ROC: the area by hand and by the trapezoids of the curve, the shipped point, and the files."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.accuracy import alarms, roc

scores = st.lists(st.integers(0, 8).map(lambda eighth: eighth / 8), min_size=1, max_size=12)


def picture(label: str, *rules: str, **hazards: float) -> dict[str, Any]:
    return {
        "label": label,
        "hazards": [{"term": term, "probability": p} for term, p in hazards.items()],
        "fired": [{"rule": rule} for rule in rules],
    }


DETAIL = [
    picture("gun", "gun", gun=0.9),
    picture("gun", "weapon", weapon=0.6, gun=0.1),
    picture("gun", "fire", gun=0.3),
    picture("gun"),
    picture("none", "gun", gun=0.7),
    picture("none", "fire", fire=0.9),
    picture("set table"),
    picture("fire", "fire", fire=0.8),
]


def test_a_curve_counts_right_alarms_against_false_ones() -> None:
    curve = roc.curves(DETAIL, alarms.RIGHT)["gun"]["none"]

    assert (curve.dangerous, curve.peaceful) == (4, 2)
    assert [(point.threshold, point.false, point.true) for point in curve.points] == [
        (0.9, 0.0, 0.25),
        (0.7, 0.5, 0.25),
        (0.6, 0.5, 0.5),
        (0.3, 0.5, 0.75),
        (0.0, 1.0, 1.0),
    ]
    assert curve.auc == pytest.approx(4.5 / 8)


def test_the_shipped_rules_are_a_point_beside_the_curve() -> None:
    found = roc.curves(DETAIL, alarms.RIGHT)

    assert found["gun"]["none"].shipped == roc.Rates(false=0.5, true=0.5)
    assert found["fire"]["none"].shipped == roc.Rates(false=0.5, true=1.0)
    assert found["gun"]["all"].shipped.false == pytest.approx(1 / 3)


def test_labels_and_peaceful_kinds_that_are_not_there_have_no_curve() -> None:
    found = roc.curves(DETAIL, alarms.RIGHT)

    assert set(found) == {"gun", "fire"}
    assert set(found["gun"]) == {"none", "set table", "all"}


@given(scores, scores)
def test_the_area_is_that_under_the_curves_points(true: list[float], false: list[float]) -> None:
    detail = [picture("gun", gun=p) for p in true] + [picture("none", gun=p) for p in false]

    curve = roc.curves(detail, {"gun": frozenset({"gun"})})["gun"]["none"]
    points = [(0.0, 0.0), *((point.false, point.true) for point in curve.points)]

    x, y = np.array(points).T
    assert curve.auc == pytest.approx(float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2)))
    assert points[-1] == (1.0, 1.0)


def test_curves_are_written_and_drawn(tmp_path: Path) -> None:
    roc.write(roc.curves(DETAIL, alarms.RIGHT), tmp_path / "roc.json")

    written = json.loads((tmp_path / "roc.json").read_text(encoding="utf-8"))
    drawn = (tmp_path / "roc.svg").read_text(encoding="utf-8")
    assert written["gun"]["none"]["points"][0] == {"threshold": 0.9, "false": 0.0, "true": 0.25}
    assert drawn.lstrip().startswith("<?xml")


def test_every_rule_that_speaks_of_a_danger_has_its_term() -> None:
    assert set(roc.TERMS) == set(alarms.RIGHT)
