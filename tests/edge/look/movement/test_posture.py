"""Posture: who stood and stands no more has fallen; who walks, leaves or gets up again has not."""

from collections.abc import Iterable

from edge.infer.detection import Detection
from edge.look.movement.posture import LONGEST_SECONDS, Posture

ASPECT = 9 / 16
STANDS = Detection("person", 0.6, x=0.45, y=0.2, w=0.12, h=0.6)
LIES = Detection("person", 0.35, x=0.4, y=0.65, w=0.3, h=0.2)

Look = tuple[float, list[Detection]]


def at(box: Detection, x: float, *, y: float | None = None, h: float | None = None) -> Detection:
    return Detection("person", box.score, x=x, y=box.y if y is None else y, w=box.w, h=box.h if h is None else h)


def watch(looks: Iterable[Look]) -> list[bool]:
    posture = Posture()
    return [posture.look(people, ASPECT, seconds) for seconds, people in looks]


def test_someone_who_stood_and_lies_has_fallen() -> None:
    assert watch([(0.0, [STANDS]), (0.4, [STANDS]), (1.4, [LIES])]) == [False, False, True]


def test_a_detector_that_finds_nobody_in_who_lies_hides_no_fall() -> None:
    assert watch([(0.0, [STANDS]), (1.0, []), (1.4, []), (5.0, [])]) == [False, True, True, True]


def test_who_gets_up_has_fallen_no_more() -> None:
    assert watch([(0.0, [STANDS]), (1.0, [LIES]), (2.0, [STANDS])])[-1] is False


def test_who_walks_has_not_fallen() -> None:
    walk = [(number * 0.4, [at(STANDS, 0.1 + number * 0.06)]) for number in range(10)]

    assert not any(watch(walk))


def test_who_leaves_at_the_side_has_not_fallen() -> None:
    assert not any(watch([(0.0, [at(STANDS, 0.02)]), (1.0, []), (2.0, [])]))


def test_who_sits_down_is_still_as_tall_as_who_sits() -> None:
    sits = at(STANDS, STANDS.x, y=0.38, h=0.42)

    assert not any(watch([(0.0, [STANDS]), (0.4, [STANDS]), (0.8, [sits]), (1.2, [sits])]))


def test_who_lay_from_the_beginning_has_not_fallen() -> None:
    assert not any(watch((number * 0.4, [LIES]) for number in range(10)))


def test_who_is_missed_by_one_look_alone_has_not_fallen() -> None:
    assert watch([(0.0, [STANDS]), (0.4, []), (0.8, [STANDS])])[-1] is False


def test_someone_far_away_is_too_small_to_be_told() -> None:
    far = Detection("person", 0.6, x=0.45, y=0.4, w=0.04, h=0.2)

    assert not any(watch([(0.0, [far]), (1.0, [])]))


def test_a_fall_that_nobody_got_up_from_is_forgotten_in_the_end() -> None:
    assert watch([(0.0, [STANDS]), (1.0, []), (2.0 + LONGEST_SECONDS, [])]) == [False, True, False]


def test_a_clock_that_goes_back_begins_anew() -> None:
    assert watch([(100.0, [STANDS]), (101.0, []), (0.0, [])]) == [False, True, False]
