"""Captions in Korean: the shipped rules hear them, and a language that no rule hears is warned of."""

from pathlib import Path

import pytest

from broker.ingest.batch import BatchProcessor
from broker.rules import compiler, engine, korean, languages
from broker.rules.engine import Seen
from broker.rules.schema import RulesFile, RuleText
from tests.broker.device import event, said
from tests.broker.scene import Scene

BOOK = compiler.load(Path(__file__).parents[3] / "config" / "rules.yaml")


def dangers(text: str, **hazards: float) -> list[str]:
    return [found.rule.danger for found in engine.judge(BOOK, Seen(text, hazards=hazards)) if found.fired]


@pytest.mark.parametrize("word", ["총", "총을", "총이", "총으로", "총과", "총만"])
def test_a_noun_is_found_under_its_particles(word: str) -> None:
    assert korean.stem(word) == "총"


@pytest.mark.parametrize(
    ("sentence", "danger"),
    [
        ("한 남자가 총을 들고 있다", "gun"),
        ("복면을 쓴 사람이 권총으로 직원을 위협한다", "gun"),
        ("남자가 칼을 휘두르고 있다", "knife"),
        ("남자가 손에 칼을 든 채 걷는다", "knife"),
        ("건물에 불이 나고 있다", "fire"),
        ("차가 불타고 있다", "fire"),
        ("부엌에서 연기가 나고 있다", "smoke"),
        ("두 남자가 싸우고 있다", "fight"),
        ("한 남자가 다른 남자를 때리고 있다", "fight"),
        ("노인이 계단에서 넘어진다", "fall"),
        ("사람이 바닥에 쓰러져 있다", "fall"),
        ("한 남자가 도로에 엎드려 있다", "fall"),
        ("의식을 잃은 사람", "fall"),
    ],
)
def test_a_danger_in_korean_fires(sentence: str, danger: str) -> None:
    assert dangers(sentence) == [danger]


@pytest.mark.parametrize(
    "sentence",
    [
        "총 세 명이 복도에 서 있다",
        "총 3명이 걷고 있다",
        "아이가 장난감 총을 들고 있다",
        "총이 없는 남자가 서 있다",
        "요리사가 칼로 채소를 썰고 있다",
        "빈 복도에 불이 켜져 있다",
        "배우가 무대에서 연기하고 있다",
        "남자가 담배 연기를 내뿜는다",
        "한 여자가 잔디에 누워 있다",
        "아이들이 눈싸움을 하고 있다",
        "사람들이 거리를 걷고 있다",
        "a smoke-free sign on a wall",
        "a gun-free zone sign",
    ],
)
def test_a_peaceful_sentence_fires_nothing(sentence: str) -> None:
    assert dangers(sentence) == []


@pytest.mark.parametrize("sentence", ["he fell off a ladder", "she falls down the stairs"])
def test_a_fall_of_someone_who_is_only_a_pronoun_is_a_fall(sentence: str) -> None:
    assert dangers(sentence) == ["fall"]


def test_what_the_model_believes_counts_in_any_language() -> None:
    assert dangers("ein Mann steht im Flur", gun=0.9) == ["gun"]
    assert dangers("한 남자가 서 있다", fire=0.9) == ["fire"]


def test_a_language_that_no_rule_hears_is_warned_of_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    english = RulesFile(rules=(RuleText(name="gun", says=("gun",)),))
    room = Scene(tmp_path)
    book = compiler.build(english, origin="rules.yaml")
    processor = BatchProcessor(
        room.engine,
        book,
        room.grouper,
        on_notification=lambda: None,
        metrics=room.processor.metrics,
        clock=room.clock,
    )

    processor.process([said(event("총을 든 남자", seq=number, language="ko")) for number in range(3)])
    processor.process([said(event("a gun", seq=9, language="en"))])
    room.close()

    warned = [record for record in caplog.records if record.getMessage() == "no rule hears the language of a camera"]
    assert [vars(record)["language"] for record in warned] == ["ko"]
    assert languages.heard(BOOK) == {"ko", "en"}


def test_the_shipped_rules_have_no_expression_that_every_sentence_is_tried_by() -> None:
    assert BOOK.index.regexes == ()
