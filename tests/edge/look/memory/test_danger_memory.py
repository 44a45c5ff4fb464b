"""The memory of one camera: what stands, what is in doubt, and what may be learnt as calm."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.thresholds import Raised
from edge.look.crops import Region
from edge.look.memory.calm import Bounds, Calm
from edge.look.memory.danger_memory import QUARANTINE_SECONDS, Attention, Change, DangerMemory
from edge.look.memory.raised import MAX_RISE, RaisedThresholds
from edge.look.memory.reading import Reading, log_odds

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = 3600.0


def memory(lowest: float = 0.0) -> DangerMemory:
    return DangerMemory({"fire": 0.5, "gun": 0.5}, Calm({"fire": Bounds(lowest), "gun": Bounds()}))


def watch(known: DangerMemory, fire: float, seconds: float, *, begin: float, gap: float = 0.5) -> list[Change]:
    """Look at frames with so much evidence of a fire, in log-odds above the bundle's threshold."""
    return [
        known.look({"fire": Reading(fire), "gun": Reading(-9.0)}, begin + number * gap, NOW)
        for number in range(round(seconds / gap))
    ]


def test_a_danger_begins_once_and_ends_once() -> None:
    known = memory()

    changes = watch(known, 4.0, 30, begin=0) + watch(known, -9.0, 60, begin=30)

    assert [change for change in changes if change is not Change.NONE] == [Change.BEGAN, Change.ENDED]


def test_after_an_odd_frame_the_next_look_is_worth_it_soon_and_then_no_more() -> None:
    known = memory()
    attention = []
    for number, evidence in enumerate([5.0] + [-9.0] * 9):
        known.look({"fire": Reading(evidence), "gun": Reading(-9.0)}, number * 0.4, NOW)
        attention.append(known.attention)

    assert attention == [Attention.DOUBT] * 5 + [Attention.CALM] * 5
    assert known.ongoing == frozenset()


def test_a_belief_says_since_when_where_and_how_clearly() -> None:
    known = memory()
    where = Region(0.1, 0.2, 0.3, 0.9, 0.3)
    for number in range(5):
        known.look({"fire": Reading(2.0, where), "gun": Reading(-9.0)}, number / 2, NOW)

    first, second = known.beliefs()

    assert (first.danger, first.since, first.region) == ("fire", 1.0, where)
    assert first.probability >= 0.5
    assert first.evidence == pytest.approx(0.88, abs=0.01)
    assert (second.danger, second.since) == ("gun", None)
    assert second.probability < 0.01


def test_calm_is_learnt_once_nothing_has_followed_it() -> None:
    known = memory()

    watch(known, -6.0, QUARANTINE_SECONDS, begin=0)
    assert known.calm.seconds == 0

    watch(known, -6.0, HOUR, begin=QUARANTINE_SECONDS)
    assert known.calm.seconds == pytest.approx(HOUR, abs=2)


def test_what_comes_shortly_before_a_danger_is_not_learnt() -> None:
    known = memory()
    watch(known, -1.0, QUARANTINE_SECONDS - 10, begin=0)

    watch(known, 5.0, 30, begin=QUARANTINE_SECONDS - 10)

    assert known.calm.seconds == 0


def test_nothing_is_learnt_while_a_danger_stands_nor_shortly_after() -> None:
    known = memory()
    watch(known, 5.0, 10 * HOUR, begin=0, gap=5)
    watch(known, -9.0, QUARANTINE_SECONDS, begin=10 * HOUR)

    assert known.calm.seconds == 0
    assert known.calm.histograms == {}


def test_evidence_near_its_threshold_is_not_learnt() -> None:
    known = memory()

    watch(known, -0.3, HOUR, begin=0)

    assert known.calm.seconds == 0


@settings(max_examples=25, deadline=None)
@given(
    calm=st.lists(st.tuples(st.floats(-18.5, 18.5), st.floats(0.4, 600)), max_size=30),
    danger=st.floats(2.1, 18.5),
    hours=st.integers(1, 60),
    lowest=st.floats(-3, 0),
)
def test_a_lasting_danger_is_never_learnt_away(
    calm: list[tuple[float, float]], danger: float, hours: int, lowest: float
) -> None:
    known, at = memory(lowest), 0.0
    for excess, gap in calm:
        at += gap
        known.look({"fire": Reading(excess), "gun": Reading(-9.0)}, at, NOW)
    watch(known, danger, 4, begin=at)
    began = known.beliefs()[0].since
    before = known.shift("fire", NOW)

    watch(known, danger, hours * HOUR, begin=at + 4, gap=60)

    assert began is not None
    assert known.beliefs()[0].since == began
    assert known.shift("fire", NOW) == before


def test_a_camera_whose_calm_looks_dangerous_comes_to_need_more() -> None:
    known = memory()

    watch(known, -0.75, 40 * HOUR, begin=0, gap=30)

    assert known.threshold("fire", NOW) > 0.5
    assert known.threshold("gun", NOW) == pytest.approx(0.5)


def test_a_clock_that_jumps_neither_raises_an_alarm_nor_stops_the_learning() -> None:
    known = memory()
    for begin in (0.0, 1e9, -1e6, 5e9):
        watch(known, -6.0, HOUR, begin=begin, gap=30)

    assert known.ongoing == frozenset()
    assert 3 * HOUR < known.calm.seconds <= 4.1 * HOUR


def test_a_false_alarm_raises_the_threshold_until_its_date() -> None:
    known = memory()
    known.raised = RaisedThresholds.of([Raised("cam-0", "fire", 0.7, NOW + timedelta(days=1))], "cam-0")

    watch(known, log_odds(0.75), 30, begin=0)
    assert known.ongoing == frozenset()

    later = NOW + timedelta(days=2)
    for number in range(20):
        known.look({"fire": Reading(log_odds(0.75)), "gun": Reading(-9.0)}, 30 + number / 2, later)
    assert known.ongoing == {"fire"}


def test_what_shows_clearly_is_never_silenced_from_afar() -> None:
    known = memory()
    known.raised = RaisedThresholds((Raised("cam-0", "fire", 1.0, NOW + timedelta(days=1)),))

    watch(known, MAX_RISE + 0.1, 10, begin=0)

    assert known.ongoing == {"fire"}


def test_another_cameras_false_alarm_changes_nothing() -> None:
    raised = RaisedThresholds.of([Raised("cam-1", "fire", 0.9, NOW + timedelta(days=1))], "cam-0")

    assert raised.shift("fire", 0.5, NOW) == 0.0
