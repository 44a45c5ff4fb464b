"""Thresholds: no source's calm may exceed its own."""

import numpy as np
import pytest

from bench.accuracy import shares
from trainer.hazards import choosing
from trainer.hazards.choosing import Frames
from trainer.hazards.features import Example
from trainer.hazards.recipe import DANGERS, Bounds, Source

BOUNDS = Bounds()


def frames(rows: list[tuple[str, str, float]]) -> Frames:
    """Make frames of (source, label, log-odds of fire)."""
    examples = [
        Example(key=str(n), split="train", source=s, label=label, kind="frame") for n, (s, label, _) in enumerate(rows)
    ]
    odds = np.full((len(rows), len(DANGERS)), -9.0)
    odds[:, DANGERS.index("fire")] = [found for *_, found in rows]
    return Frames(examples, np.ones_like(odds), odds, odds, np.arange(len(rows)).astype(str))


def test_the_source_whose_calm_reaches_highest_decides() -> None:
    rows = [("quiet", "none", -5.0)] * 400 + [("restless", "none", 2.0)] * 40 + [("restless", "fire", 3.0)] * 10
    found = choosing.choose(frames(rows), {}, BOUNDS)["fire"]

    assert found.decided_by == "restless"
    assert 2.0 < found.threshold < 3.0
    assert found.new_place == {"restless": 1.0}
    assert found.calm == {"quiet": 0.0, "restless": 0.0}


def test_a_source_is_judged_as_new_by_what_the_others_allow() -> None:
    rows = [("a", "none", 1.0)] * 40 + [("b", "none", -1.0)] * 40 + [("a", "fire", 0.5)] * 10
    found = choosing.choose(frames(rows), {}, BOUNDS)["fire"]

    assert found.new_place == {"a": 0.0}
    assert found.new_source == {"a": 1.0}


def test_a_bound_for_foreign_sources_raises_the_threshold_of_that_danger() -> None:
    known = frames([("a", "none", 1.0)] * 40 + [("b", "none", -1.0)] * 40)
    foreign = known.new_place.copy()
    foreign[40:, DANGERS.index("fire")] = 4.0
    seen = Frames(known.examples, known.known, known.new_place, foreign, known.places)

    assert choosing.choose(seen, {}, BOUNDS)["fire"].threshold < 2
    assert choosing.choose(seen, {}, Bounds(foreign_share={"smoke": 0.05}))["fire"].threshold < 2
    bounded = choosing.choose(seen, {}, Bounds(foreign_share={"fire": 0.05}))["fire"]
    assert (bounded.threshold > 4, bounded.decided_by) == (True, "b")


def test_a_source_with_a_handful_of_calm_pictures_has_no_say() -> None:
    rows = [("large", "none", -1.0)] * 100 + [("small", "none", 9.0)] * 5
    assert choosing.choose(frames(rows), {}, BOUNDS)["fire"].threshold < 0


def test_a_camera_that_knows_its_calm_may_go_lower() -> None:
    rows = [("a", "none", -3.0)] * 196 + [("a", "none", 2.0)] * 4 + [("b", "none", -4.0)] * 500
    found = choosing.choose(frames(rows), {}, BOUNDS)["fire"]

    assert found.floor < found.threshold


def test_a_source_of_calm_pictures_is_calm_whatever_its_labels() -> None:
    examples = frames([("tables", "knife", 0.0), ("shops", "knife", 0.0)]).examples
    assert choosing.calm(examples, {"tables": Source(calm=True)}).tolist() == [True, False]


@pytest.mark.parametrize(("found", "of"), [(0, 70), (3, 100), (12, 491), (5, 5)])
def test_the_upper_bound_is_the_one_that_measurements_show(found: int, of: int) -> None:
    assert choosing.upper_bound(found, of) == pytest.approx(shares.upper_bound(found, of), abs=1e-3)


def test_few_pictures_may_alarm_as_often_as_the_bare_share_allows() -> None:
    assert choosing.allowed(70, BOUNDS) == 1
    assert choosing.allowed(70, Bounds(share=0.0)) == 0
    assert choosing.upper_bound(choosing.allowed(2000, Bounds(share=0.0)), 2000) <= BOUNDS.upper


def test_an_interval_counts_places_and_not_pictures() -> None:
    alarmed = np.array([True] * 50 + [False] * 50)

    many = choosing.interval(alarmed, np.arange(100))
    two = choosing.interval(alarmed, alarmed)

    assert 0.35 < many[0] < 0.5 < many[1] < 0.65
    assert two == (0.0, 1.0)
