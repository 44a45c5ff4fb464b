"""What an alarm is worth at every threshold, and where it is worth least."""

import numpy as np
import pytest

from trainer.hazards import roc
from trainer.hazards.choosing import Choice
from trainer.hazards.recipe import DANGERS
from trainer.hazards.roc import Judged

NONE_KNOWN: dict[str, float] = {}


def choice(threshold: float) -> Choice:
    return Choice(threshold, threshold, "x", NONE_KNOWN, NONE_KNOWN, {}, {}, NONE_KNOWN)


def judged(odds: list[float], labels: list[str], places: list[str]) -> Judged:
    every = np.zeros((len(odds), len(DANGERS)), np.float32)
    every[:, DANGERS.index("fire")] = odds
    calm = np.array([label == "none" for label in labels])
    return Judged(every, np.ones_like(every), np.array(labels), np.array(places), calm)


def test_a_curve_runs_from_no_alarm_to_all() -> None:
    false, right = roc.curve(np.array([2.0, 1.0]), np.array([1.5, 0.0]))

    assert list(zip(false.tolist(), right.tolist(), strict=True)) == [(0, 0), (0, 0.5), (0.5, 0.5), (0.5, 1), (1, 1)]


@pytest.mark.parametrize(
    ("true", "false", "area"),
    [([3.0, 2.0], [1.0, 0.0], 1.0), ([1.0, 1.0], [1.0], 0.5), ([0.0], [1.0, 2.0], 0.0), ([1.5], [1.0, 2.0], 0.5)],
)
def test_the_area_is_the_share_of_pairs_in_the_right_order(true: list[float], false: list[float], area: float) -> None:
    assert roc.area(np.array(true), np.array(false)) == area


def test_the_worst_place_is_that_of_the_least_share() -> None:
    odds = [1.0] * 10 + [1.0] * 2 + [-1.0] * 8 + [-1.0] * 3
    places = ["a"] * 10 + ["b"] * 10 + ["small"] * 3

    found = roc.worst(judged(odds, ["fire"] * 23, places), {"fire": choice(0.0)})

    assert (found["fire"].place, found["fire"].pictures, found["fire"].right) == ("b", 10, 2)


def test_calm_that_is_left_open_is_not_counted() -> None:
    one = judged([1.0, 0.0, 2.0], ["fire", "none", "none"], ["a", "b", "c"])
    one.known[2] = 0.0

    true, false = one.pairs("fire")

    assert (true.tolist(), false.tolist()) == ([1.0], [0.0])
