"""The tracker: boxes of many looks become people."""

import itertools
from collections.abc import Iterator

import numpy as np

from edge.infer.detection import Detection
from edge.look.visits.tracker import MAX_TRACKS, Track, Tracker, distinct

GAP_SECONDS = 0.5


def person(x: float, y: float = 0.4, *, score: float = 0.6, w: float = 0.06, h: float = 0.2) -> Detection:
    return Detection("person", score, x, y, w, h)


def follow(looks: list[list[Detection]]) -> Iterator[tuple[list[Track], list[Track], int]]:
    """Yield who was confirmed and who is gone at each look, and how many people are in view after it."""
    tracker = Tracker()
    for number, boxes in enumerate(looks):
        came, went = tracker.look(boxes, number * GAP_SECONDS)
        yield came, went, len(tracker.people)


def numbers(looks: list[list[Detection]]) -> tuple[list[int], list[int]]:
    found = list(follow(looks))
    return [track.number for came, _, _ in found for track in came], [
        track.number for _, went, _ in found for track in went
    ]


def test_who_walks_through_is_one_person_who_comes_and_goes() -> None:
    walk = [[person(0.05 * step)] for step in range(18)]

    assert numbers(walk + [[]] * 10) == ([1], [1])


def test_a_box_that_flickers_is_nobody() -> None:
    flicker = [[person(0.4)], [], [], [person(0.4)], [], []] * 5

    assert numbers(flicker) == ([], [])


def test_unsure_boxes_begin_nobody_and_keep_somebody() -> None:
    unsure = [person(0.4, score=0.32)]

    assert numbers([unsure] * 10) == ([], [])
    assert numbers([[person(0.4)]] * 3 + [unsure] * 20) == ([1], [])


def test_who_is_hidden_for_two_seconds_stays_the_same_person() -> None:
    walk = [[person(0.03 * step)] for step in range(20)]
    walk[8:12] = [[], [], [], []]

    assert numbers(walk) == ([1], [])


def test_two_who_cross_stay_two() -> None:
    cross = [[person(0.1 + 0.04 * step, 0.4), person(0.9 - 0.04 * step, 0.46, w=0.07)] for step in range(20)]

    found = list(follow(cross))

    assert numbers(cross) == ([1, 2], [])
    assert max(people for _, _, people in found) == 2


def test_several_boxes_of_one_person_are_one_person() -> None:
    boxes = [person(0.4), person(0.41, score=0.5), person(0.39, 0.42, score=0.4, h=0.1)]

    assert [box.score for box in distinct(boxes)] == [0.6]
    assert numbers([boxes] * 6) == ([1], [])


def test_people_at_random_places_are_told_apart_and_none_is_followed_twice() -> None:
    draw = np.random.default_rng(3)
    speeds = draw.uniform(-0.04, 0.04, 6)
    looks = [
        [person(0.15 * n + float(speeds[n]) * step + float(draw.normal(0, 0.003)), 0.12 * n) for n in range(6)]
        for step in range(15)
    ]

    came, went = numbers(looks)

    assert (len(came), went) == (6, [])


def test_a_crowd_is_followed_up_to_a_limit() -> None:
    crowd = [
        person(0.04 * column, 0.11 * row, w=0.02, h=0.05) for row, column in itertools.product(range(8), range(20))
    ]

    came, _ = numbers([crowd] * 4)

    assert len(came) == MAX_TRACKS
