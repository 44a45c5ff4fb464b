"""How many people the boxes of a frame stand for."""

from edge.infer.detection import Detection
from edge.look import counting


def person(score: float, x: float = 0.1, w: float = 0.2) -> Detection:
    return Detection("person", score, x, 0.2, w, 0.6)


def test_people_apart_are_counted_one_by_one() -> None:
    assert counting.count([person(0.5), person(0.6, x=0.4), person(0.4, x=0.7)]) == 3


def test_two_boxes_around_one_person_count_once() -> None:
    assert counting.count([person(0.6), person(0.5, x=0.12)]) == 1


def test_a_box_inside_a_surer_one_is_a_part_of_the_same_person() -> None:
    assert counting.count([person(0.6, w=0.3), person(0.5, x=0.2, w=0.1)]) == 1


def test_an_unsure_box_does_not_count_beside_a_sure_one() -> None:
    assert counting.count([person(0.6), person(0.35, x=0.6)]) == 1


def test_somebody_unsure_is_still_somebody() -> None:
    assert counting.count([person(0.31), person(0.32, x=0.6)]) == 1


def test_of_other_classes_every_box_counts() -> None:
    assert counting.count([Detection("gun", 0.3, 0.1, 0.1, 0.1, 0.1), Detection("gun", 0.3, 0.1, 0.1, 0.1, 0.1)]) == 2


def test_nothing_found_is_nothing_counted() -> None:
    assert counting.count([]) == 0
