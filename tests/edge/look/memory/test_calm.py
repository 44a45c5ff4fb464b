"""A camera's own calm: what its thresholds follow, how fast, and how far."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.look.memory import calm
from edge.look.memory.calm import BIN, KNOWN_SECONDS, MARGIN, MAX_RISE, Bounds, Calm

DAY = 86_400.0


def learnt(excess: float, seconds: float = DAY, bounds: Bounds | None = None) -> Calm:
    made = Calm({"fire": bounds or Bounds()})
    for _ in range(round(seconds / 60)):
        made.learn({"fire": excess}, 60.0)
    return made


def test_before_anything_is_learnt_the_bundles_thresholds_hold() -> None:
    made = Calm({"fire": Bounds(lowest=-2.0)})

    assert (made.known, made.shift("fire"), made.quantile("fire")) == (False, 0.0, None)


def test_calm_with_much_evidence_raises_the_threshold_above_it() -> None:
    assert learnt(0.3, 2 * DAY).shift("fire") == pytest.approx(0.5 + MARGIN)


def test_calm_with_little_evidence_leaves_the_threshold_where_the_bundle_has_it() -> None:
    assert learnt(-8.0).shift("fire") == 0.0


def test_once_calm_is_known_the_threshold_comes_down_to_the_bundles_floor() -> None:
    bounds = Bounds(lowest=-1.5)

    assert learnt(-8.0, KNOWN_SECONDS - 60, bounds).shift("fire") == 0.0
    assert learnt(-8.0, KNOWN_SECONDS + 2 * DAY, bounds).shift("fire") == -1.5


def test_the_threshold_never_comes_closer_than_the_margin_to_what_calm_reaches() -> None:
    made = learnt(-2.1, 4 * DAY, Bounds(lowest=-3.0))

    assert made.shift("fire") == pytest.approx(-2.0 + MARGIN)


@given(st.lists(st.tuples(st.floats(-18.5, 18.5), st.floats(0, 60)), min_size=1, max_size=200))
def test_no_threshold_moves_faster_or_further_than_allowed(frames: list[tuple[float, float]]) -> None:
    made = Calm({"fire": Bounds(lowest=-1.0)})
    seconds = 0.0
    for excess, gap in frames:
        before = made.shift("fire")
        made.learn({"fire": excess}, gap)
        seconds += gap
        assert abs(made.shift("fire") - before) <= gap * calm.STEP_PER_SECOND + 1e-12
        assert -1.0 <= made.shift("fire") <= MAX_RISE
    assert made.seconds == pytest.approx(seconds)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99, 0.9995])
def test_the_quantile_is_right_to_one_bin(share: float) -> None:
    values = np.random.default_rng(5).normal(-4, 2, 20_000)
    made = Calm({"fire": Bounds(quantile=share)})
    for value in values.tolist():
        made.learn({"fire": value}, 1.0)

    found = made.quantile("fire")

    assert found is not None
    assert 0 <= found - np.quantile(values, share, method="higher") <= BIN + 1e-9


def test_old_calm_fades_in_favour_of_new() -> None:
    made = Calm({"fire": Bounds(quantile=0.5)})
    for excess in (-6.0, -3.0):
        for _ in range(40):
            made.learn({"fire": excess}, DAY)

    assert made.quantile("fire") == pytest.approx(-3.0 + BIN)
    assert sum(made.histograms["fire"].values()) <= calm.MEMORY_SECONDS * 1.001


@given(st.lists(st.floats(-18.5, 18.5), min_size=1, max_size=50), st.floats(0, 10))
def test_a_calm_with_more_evidence_never_has_a_lower_threshold(values: list[float], further: float) -> None:
    less, more = Calm({"fire": Bounds()}), Calm({"fire": Bounds()})
    for value in values:
        less.learn({"fire": value}, 1.0)
        more.learn({"fire": value + further}, 1.0)

    assert more.target("fire") >= less.target("fire")


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("inf"), float("nan")])
def test_time_that_no_clock_can_measure_teaches_nothing(seconds: float) -> None:
    made = Calm({"fire": Bounds()})

    made.learn({"fire": 0.0}, seconds)

    assert (made.seconds, made.histograms) == (0.0, {})


def test_calm_that_people_vouch_for_counts_at_once() -> None:
    made = Calm({"fire": Bounds(quantile=0.98)})
    for value in (-1.0, 0.1, 0.3):
        made.learn({"fire": value}, 1.0)

    made.settle()

    assert made.shift("fire") == pytest.approx(0.5 + MARGIN)
