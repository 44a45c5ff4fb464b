"""Counting false alarms on peaceful sentences."""

import json
from pathlib import Path

import pytest

from bench.accuracy import rule_false_alarms
from bench.service import rule_speed

PEACEFUL = ["A red fire hydrant on a street.", "A  knife and\na fork beside a plate.", "Two dogs run."]


def test_substrings_see_danger_inside_other_words() -> None:
    assert rule_false_alarms.substring_alarms([*PEACEFUL, "He has begun to eat.", "A house is on FIRE."]) == 4


@pytest.mark.parametrize("bare", [True, False], ids=["a bare list", "COCO"])
def test_both_shapes_of_captions_are_read_and_judged(
    bare: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sentences = [{"image_id": 1, "caption": text} for text in PEACEFUL]
    file = tmp_path / "captions.json"
    file.write_text(json.dumps(sentences if bare else {"annotations": sentences}), encoding="utf-8")

    assert rule_false_alarms.main(["--captions", str(file), "--json"]) == 0

    assert json.loads(capsys.readouterr().out) == {
        "sentences": 3,
        "rules": 0,
        "words": 2,
        "stems": 2,
        "fewest": 2,
        "ratio": 2.0,
    }


def test_people_get_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "captions.json"
    file.write_text(json.dumps([{"caption": text} for text in PEACEFUL]), encoding="utf-8")

    assert rule_false_alarms.main(["--captions", str(file)]) == 0
    assert "shipped" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("{}", "missing required field `annotations`", id="no annotations"),
        pytest.param("[]", "no captions", id="empty"),
        pytest.param("[1]", "Expected `object`, got `int`", id="numbers"),
    ],
)
def test_a_file_of_the_wrong_shape_is_named(
    text: str, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "captions.json"
    file.write_text(text, encoding="utf-8")

    assert rule_false_alarms.main(["--captions", str(file)]) == 78
    said = capsys.readouterr().err
    assert str(file) in said
    assert complaint in said


def test_more_rules_are_made_of_the_sentences_own_words() -> None:
    sentences = [f"{first} {second}" for first in ("red", "blue", "green") for second in ("bus", "dog", "cow", "car")]

    cost = rule_speed.compare(sentences)

    assert cost["few_us"] > 0
    assert cost["ratio"] == pytest.approx(cost["many_us"] / cost["few_us"], rel=10)
