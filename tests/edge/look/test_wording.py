"""A sentence agrees with the people counted and the dangers believed."""

import pytest

from contract import bundle, sensitive_words
from edge.infer.detection import Detection
from edge.look import wording
from tests.conftest import REPOSITORY

SHIPPED = bundle.load(REPOSITORY / "models" / "wordcam-1")
NAMED = {"fallen": ("lying on the floor", "has fallen"), "gun": ("gun", "pistol"), "fire": ("fire", "flames")}
NONE: frozenset[str] = frozenset()


def people(*lefts: float) -> list[Detection]:
    return [Detection("person", 0.6, left, 0.2, 0.1, 0.6) for left in lefts]


@pytest.mark.parametrize(
    ("text", "count", "expected"),
    [
        ("two people are standing in a room", 1, "a person is standing in a room"),
        ("a group of men are playing soccer", 2, "two men are playing soccer"),
        ("two people are in the water", 3, "three people are in the water"),
        ("two women in a street", 7, "a group of women in a street"),
        ("a group of people are walking", 5, "a group of people are walking"),
        ("two people stand on a street", 1, "two people stand on a street"),
        ("a man is walking in a room", 3, "a man is walking in a room"),
        ("two people are in the water", 0, "two people are in the water"),
    ],
)
def test_the_number_of_people_is_the_one_that_was_counted(text: str, count: int, expected: str) -> None:
    found = people(*(0.12 * number for number in range(count)))

    assert wording.settle(text, found, NONE, NAMED) == expected


def test_a_sentence_that_leaves_out_a_believed_danger_is_replaced() -> None:
    said = wording.settle("a man is standing in a room", people(0.1), {"fallen"}, NAMED)

    assert said == "a person is lying on the floor"
    assert any(expression in said for expression in NAMED["fallen"])


def test_a_sentence_that_names_a_believed_danger_stays_as_it_is() -> None:
    text = "a man is holding a pistol in a room"

    assert wording.settle(text, people(0.1, 0.5), {"gun", "fire"}, NAMED) == text


@pytest.mark.parametrize(
    ("text", "danger", "expected"),
    [
        ("people are fighting in a street", "fight", "people are fighting"),
        ("a building is on fire", "fire", "a fire is burning"),
        ("a street is full of smoke", "smoke", "smoke fills the view"),
        ("a man is falling down in a room", "falling", "a man is falling down in a room"),
        ("a man is holding a gun in a room", "gun", "a man is holding a gun in a room"),
    ],
)
def test_where_a_fire_or_a_fight_is_stays_unsaid(text: str, danger: str, expected: str) -> None:
    assert wording.settle(text, [], {danger}, SHIPPED.hazards) == expected


def test_what_is_said_of_each_danger_names_it_as_the_shipped_bundle_does() -> None:
    assert set(wording.DANGERS) == set(SHIPPED.hazards)
    for danger, said in wording.DANGERS.items():
        assert any(f" {expression} " in f" {said} " for expression in SHIPPED.hazards[danger])


def test_of_several_dangers_the_gravest_for_people_is_said() -> None:
    assert wording.settle("a room", [], {"fire", "gun"}, NAMED) == "a person is holding a gun"


@pytest.mark.parametrize(
    ("text", "lefts", "expected"),
    [
        ("a room seen from a camera on the wall", (), "a room, nobody in it"),
        ("a quiet place seen by a camera", (), "nobody is in view"),
        ("a few people are seen from a camera above", (0.05, 0.8), "two people are in view"),
        ("a room seen from a camera on the wall", (0.05,), "a person is in a room, on the left"),
        ("people are walking in the street", (0.05, 0.2), "two people are in view, on the left"),
        ("people are in a shop", (), "people are in view"),
        ("a black and white view of a street", (0.8,), "a person is in view, on the right"),
    ],
)
def test_a_sentence_about_the_camera_gives_way_to_who_is_where(
    text: str, lefts: tuple[float, ...], expected: str
) -> None:
    assert wording.settle(text, people(*lefts), NONE, NAMED) == expected


def test_no_sentence_of_these_says_what_race_or_origin_someone_is_of() -> None:
    assert [said for said in wording.DANGERS.values() if sensitive_words.found(said.split())] == []
