"""The cumulative sum: silent about one odd frame, quick about a steady danger, and over once."""

from hypothesis import given
from hypothesis import strategies as st

from edge.look.memory import cusum
from edge.look.memory.cusum import NOTHING, Sum

excesses = st.floats(-18.5, 18.5)
gaps = st.floats(0, 100)


def after(frames: list[tuple[float, float]], begin: Sum = NOTHING) -> Sum:
    """Add frames of (excess, seconds since the one before)."""
    known, at = begin, 0.0
    for excess, gap in frames:
        at += gap
        known = cusum.add(known, excess, gap, at)
    return known


@given(excesses, gaps)
def test_one_frame_never_speaks(excess: float, gap: float) -> None:
    known = after([(excess, gap)])

    assert known.since is None
    assert known.probability < 0.5


@given(st.lists(gaps, max_size=20), excesses)
def test_one_odd_frame_among_calm_ones_never_speaks(gaps_: list[float], odd: float) -> None:
    frames = [(-8.0, gap) for gap in gaps_]

    assert after([*frames, (odd, 100.0), *frames]).since is None


@given(st.floats(0.5, 18.5), st.floats(0.2, 1.0))
def test_a_steady_danger_speaks_within_three_seconds(excess: float, gap: float) -> None:
    known, at = cusum.add(NOTHING, excess, cusum.FIRST_SECONDS, 0.0), 0.0
    while known.since is None:
        at += gap
        known = cusum.add(known, excess, gap, at)

    assert at <= 3.0
    assert known.since == at
    assert known.probability >= 0.5


def test_evidence_just_at_its_threshold_needs_a_few_seconds_more() -> None:
    known = after([(0.0, 1.0)] * 4)

    assert known.since is None
    assert cusum.add(known, 0.0, 1.0, 5.0).since == 5.0


def test_after_its_end_one_odd_frame_is_silent_again() -> None:
    over = after([(9.0, 1.0)] * 5 + [(-9.0, 1.0)] * 8)

    assert cusum.add(over, 9.0, 100.0, 200.0).since is None


@given(st.lists(st.tuples(st.floats(-0.5, 18.5), st.floats(0.1, 60)), max_size=60))
def test_a_danger_that_goes_on_stands_without_a_break(frames: list[tuple[float, float]]) -> None:
    begun = after([(5.0, 1.0)] * 3)

    assert begun.since is not None
    assert after(frames, begun).since == begun.since


def test_flames_that_are_hidden_for_moments_stay_one_danger() -> None:
    known, begun = NOTHING, set()
    for number in range(60):
        known = cusum.add(known, -9.0 if number % 3 == 2 else 4.0, 0.5, number / 2)
        begun.add(known.since)

    assert len(begun - {None}) == 1
    assert known.since is not None


def test_a_danger_that_is_over_ends_once_and_within_eight_seconds() -> None:
    known = after([(9.0, 1.0)] * 20)
    ongoing = []
    for number in range(30):
        known = cusum.add(known, -9.0, 1.0, 20.0 + number)
        ongoing.append(known.since is not None)

    assert ongoing == [True] * ongoing.count(True) + [False] * ongoing.count(False)
    assert 3 <= ongoing.count(True) <= 8


def test_hints_below_the_threshold_alone_begin_nothing() -> None:
    known = after([(-0.2, 1.0)] * 100)

    assert known.since is None
    assert known.probability == cusum.UNDECIDED


@given(st.lists(st.tuples(excesses, gaps, st.floats(0, 5)), max_size=40))
def test_more_evidence_never_leads_to_a_smaller_sum(frames: list[tuple[float, float, float]]) -> None:
    less = after([(excess, gap) for excess, gap, _ in frames])
    more = after([(excess + further, gap) for excess, gap, further in frames])

    assert more.value >= less.value or more.since is not None


@given(st.lists(st.tuples(excesses, st.floats(-100, 100)), max_size=40))
def test_the_probability_says_whether_the_danger_stands(frames: list[tuple[float, float]]) -> None:
    known = after(frames)

    assert 0 <= known.value <= cusum.MOST
    assert (known.probability >= 0.5) == (known.since is not None)
