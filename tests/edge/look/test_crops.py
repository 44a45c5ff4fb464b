"""The closer look: whether, where and in which order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import config
from edge.infer.detection import Detection
from edge.look import crops
from edge.look.crops import Reason, Region

HEIGHT, WIDTH = 720, 1280
SETTINGS = config.Crops()
LIMITS = {"gun": 0.5, "fire": 0.2}

shares = st.floats(0, 1, allow_nan=False)


def person(x: float, y: float, w: float, h: float, score: float = 0.9, name: str = "person") -> Detection:
    return Detection(name, score, x, y, w, h)


def regions(*people: Detection, **fields: float) -> list[Region]:
    return crops.regions(people, config.Crops(**fields), HEIGHT, WIDTH)  # type: ignore[arg-type]  # per_frame is an int


@pytest.mark.parametrize(
    ("evidence", "sought", "settings", "reason"),
    [
        pytest.param(0.3, ["gun"], SETTINGS, Reason.WORTH, id="a doubt"),
        pytest.param(0.5, ["gun"], SETTINGS, Reason.KNOWN, id="the frame says it"),
        pytest.param(0.1, ["gun"], config.Crops(min_evidence=0.2), Reason.CALM, id="too little for a doubt"),
        pytest.param(0.3, [], SETTINGS, Reason.OFF, id="a bundle that cannot judge crops"),
        pytest.param(0.3, ["gun"], config.Crops(per_frame=0), Reason.OFF, id="no crops wanted"),
    ],
)
def test_a_closer_look_needs_a_doubt(
    evidence: float, sought: list[str], settings: config.Crops, reason: Reason
) -> None:
    found = {"gun": evidence, "fire": 0.9}

    assert crops.judge(found, LIMITS, sought, settings) is reason


def test_a_crop_holds_its_person_in_the_middle_with_a_margin() -> None:
    [region] = regions(person(0.4, 0.4, 0.1, 0.2), margin=0.5)

    assert (region.left, region.top, region.side) == pytest.approx((0.3, 0.35, 0.3))
    assert (region.score, region.tallest) == (0.9, 0.2)


def test_a_crop_at_the_edge_is_moved_into_the_frame() -> None:
    [region] = regions(person(0.95, 0.0, 0.05, 0.2))

    assert region.left + region.side == pytest.approx(1.0)
    assert region.top == 0.0


def test_a_speck_is_shown_with_its_surroundings() -> None:
    [region] = regions(person(0.5, 0.5, 0.01, 0.02))

    assert region.side * HEIGHT == pytest.approx(crops.MIN_PIXELS)


@pytest.mark.parametrize(
    "unfit",
    [
        pytest.param(person(0.1, 0.1, 0.3, 0.8), id="fills the frame"),
        pytest.param(person(0.1, 0.1, 0.1, 0.2, score=0.29), id="hardly a person"),
        pytest.param(person(0.1, 0.1, 0.1, 0.2, name="fire"), id="no person"),
    ],
)
def test_only_small_and_sure_people_are_looked_at(unfit: Detection) -> None:
    assert regions(unfit) == []


def test_two_side_by_side_are_looked_at_together_and_one_far_off_alone() -> None:
    pair, alone = [person(0.1, 0.4, 0.1, 0.2), person(0.15, 0.4, 0.1, 0.25, 0.6)], person(0.8, 0.4, 0.1, 0.2, 0.5)

    together, other = regions(*pair, alone)

    assert (together.score, together.tallest) == (0.9, 0.25)
    assert together.left <= 0.05
    assert together.left + together.side >= 0.25
    assert other.left > 0.6


def test_a_crowd_is_not_joined_beyond_what_a_crop_gains() -> None:
    crowd = [person(x / 10, 0.4, 0.1, 0.3) for x in range(9)]

    found = regions(*crowd, per_frame=8, max_share=0.6)

    assert len(found) > 1
    assert all(region.side <= 0.6 for region in found)


def test_the_surest_goes_first_and_of_equals_the_smallest() -> None:
    unsure, large = person(0.0, 0.0, 0.1, 0.1, 0.5), person(0.6, 0.6, 0.1, 0.3, 0.93)
    small = person(0.7, 0.0, 0.1, 0.1, 0.91)

    found = regions(unsure, large, small, per_frame=3)

    assert [region.score for region in found] == [0.91, 0.93, 0.5]
    assert crops.regions([unsure, large, small], config.Crops(per_frame=1), HEIGHT, WIDTH) == found[:1]


@given(
    st.lists(st.builds(person, shares, shares, shares, shares, shares), max_size=12),
    st.builds(config.Crops, per_frame=st.integers(0, 8), max_share=shares, margin=st.floats(0, 4), min_score=shares),
    st.integers(1, 4000),
    st.integers(1, 4000),
)
def test_every_crop_lies_in_the_frame(people: list[Detection], settings: config.Crops, height: int, width: int) -> None:
    found = crops.regions(people, settings, height, width)

    assert len(found) <= settings.per_frame
    for region in found:
        assert 0 <= region.left <= region.left + region.side <= 1 + 1e-9
        assert 0 <= region.top <= region.top + region.side <= 1 + 1e-9
