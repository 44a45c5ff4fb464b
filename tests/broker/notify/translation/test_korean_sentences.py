"""Sentences of robbery, fights, falls, fire, weapons and calm in Korean, each read and judged."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from broker.notify.translation.offline import OfflineTranslator

FILE = Path(__file__).with_name("korean_sentences.tsv")

with FILE.open(encoding="utf-8", newline="") as rows:
    SENTENCES = list(csv.DictReader(rows, delimiter="\t"))


def translated(english: str) -> str:
    return OfflineTranslator().translate(english, source="en", target="ko")


@pytest.mark.parametrize("kind", sorted({row["kind"] for row in SENTENCES}))
def test_every_judged_sentence_still_reads_as_it_was_judged(kind: str) -> None:
    changed = {
        row["english"]: said
        for row in SENTENCES
        if row["kind"] == kind and (said := translated(row["english"])) != row["korean"]
    }

    assert changed == {}


def test_nearly_all_of_three_hundred_sentences_read_naturally() -> None:
    judged = Counter(row["judged"] for row in SENTENCES)

    assert len({row["english"] for row in SENTENCES}) == len(SENTENCES) >= 300
    assert set(judged) <= {"natural", "odd", "wrong", "english"}
    assert judged["natural"] >= 0.9 * len(SENTENCES)
    assert judged["wrong"] <= 0.02 * len(SENTENCES)


def test_what_is_judged_as_left_in_english_is_exactly_what_is_left() -> None:
    assert all((row["judged"] == "english") == (row["korean"] == row["english"]) for row in SENTENCES)


@pytest.mark.parametrize(
    ("english", "korean"),
    [
        ("a man is chasing a woman with a knife", "칼을 든 남자가 여자를 쫓고 있다"),
        ("a man stabs another man with a knife", "남자가 다른 남자를 칼로 찌른다"),
        ("a man who has a knife is walking", "칼을 가진 남자가 걷고 있다"),
        ("a man is talking to a man with a knife", "남자가 칼을 든 남자와 이야기하고 있다"),
    ],
)
def test_a_weapon_is_what_it_is_done_with_or_what_somebody_holds(english: str, korean: str) -> None:
    assert translated(english) == korean


@pytest.mark.parametrize(
    ("english", "korean"),
    [
        ("a woman attacked by two men", "남자 두 명에게 공격당하는 여자"),
        ("a man stabbed in the chest", "가슴을 칼에 찔리는 남자"),
        ("a man was hit in the face by a ball", "남자가 공에 얼굴을 맞았다"),
        ("a man has been shot", "남자가 총에 맞았다"),
        ("a woman is attacking a man", "여자가 남자를 공격하고 있다"),
    ],
)
def test_who_does_it_is_never_who_suffers_it(english: str, korean: str) -> None:
    assert translated(english) == korean


@pytest.mark.parametrize(
    "english",
    ["a man is holding a boy with a knife to his neck", "a man is not choking a woman", "a man frobs a knife"],
)
def test_what_might_turn_the_meaning_stays_in_english(english: str) -> None:
    assert translated(english) == english


@pytest.mark.parametrize(
    ("english", "korean"),
    [
        ("a person fallen in the hallway", "복도에 쓰러진 사람"),
        ("a man in a hallway holding a gun", "복도에서 총을 든 남자"),
        ("there is a man in the hallway holding a knife", "복도에 칼을 든 남자가 있다"),
        ("fire and smoke in a kitchen", "부엌에서 난 불과 연기"),
        ("a man walks to a counter with something in his hand", "남자가 손에 무언가를 들고 계산대로 걸어간다"),
        ("a man sits at a table with food on it", "남자가 위에 음식이 있는 탁자에 앉아 있다"),
        ("a group of people running from a fire", "불을 피해 달아나는 한 무리의 사람들"),
        ("a man choking on food", "음식에 목이 막히는 남자"),
    ],
)
def test_a_place_belongs_to_what_happens_there(english: str, korean: str) -> None:
    assert translated(english) == korean
