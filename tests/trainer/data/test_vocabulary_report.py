"""Splitting Korean at spaces makes every noun with each particle a word of its own; that mistake stays visible here."""

import json
from pathlib import Path

import pytest

from trainer import cli, tokenizers
from trainer.data import vocabulary_report
from trainer.errors import DataError
from trainer.recipe.recipe import Vocabulary

CAPTIONS = Path(__file__).resolve().parents[1] / "tokenizers" / "korean" / "captions.json"

LEARNT = ["아이가 사과를 먹는다", "사과가 접시에 있다", "배를 먹는다", "배도 있다", "귤도 있다"]
HELD = ["사과도 있다", "배가 접시에 있다", "귤을 먹는다", "귤이 있다", "아이가 배를 먹는다"]

WAYS = {"spaces": vocabulary_report.spaces, "kiwi": tokenizers.splitter("ko")}
"""Without Okt, which takes Java and its time to start."""


def test_one_noun_with_three_particles_is_one_word_and_not_three() -> None:
    sentences = ["사과를 먹는다", "사과가 있다", "사과도 있다"]

    apples = {unit: {word for text in sentences for word in cut(text) if "사과" in word} for unit, cut in WAYS.items()}

    assert apples["spaces"] == {"사과를", "사과가", "사과도"}
    assert apples["kiwi"] == {"사과"}


def test_vocabulary_and_unknown_words_of_both_ways_side_by_side() -> None:
    spaces, kiwi = vocabulary_report.compare(LEARNT, HELD, WAYS, Vocabulary(min_count=1))

    assert (spaces.unit, spaces.distinct, spaces.tokens, spaces.unknown) == ("spaces", 9, 12, 4)
    assert (kiwi.unit, kiwi.distinct, kiwi.tokens, kiwi.unknown) == ("kiwi", 13, 24, 0)


@pytest.mark.parametrize("min_count", [1, 2, 4])
def test_on_real_captions_morphemes_leave_far_fewer_words_unknown(min_count: int) -> None:
    learnt, held = vocabulary_report.read(CAPTIONS, None)

    spaces, kiwi = vocabulary_report.compare(learnt, held, WAYS, Vocabulary(min_count=min_count))

    assert kiwi.distinct < spaces.distinct
    assert kiwi.unknown / kiwi.tokens < 0.6 * spaces.unknown / spaces.tokens


def test_every_tenth_image_is_held_out_with_all_its_captions() -> None:
    learnt, held = vocabulary_report.read(CAPTIONS, None)

    assert (len(learnt), len(held)) == (88, 8)
    assert held[0].startswith("아이들이 들판에서 차를 타고 논다")


def test_a_second_file_is_held_out_whole(tmp_path: Path) -> None:
    other = tmp_path / "val.csv"
    other.write_text("file,caption\na.jpg,개가 있다\n", encoding="utf-8")

    learnt, held = vocabulary_report.read(CAPTIONS, other)

    assert len(learnt) == 96
    assert held == ["개가 있다"]


def test_too_few_images_to_hold_some_out_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "few.csv"
    path.write_text("file,caption\na.jpg,개가 있다\n", encoding="utf-8")

    with pytest.raises(DataError, match=r"few\.csv: 1 images are too few to hold some out; give a second file"):
        vocabulary_report.read(path, None)


def test_the_command_prints_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["words", str(CAPTIONS), "--min-count", "2"]) == 0
    said = capsys.readouterr().out
    assert cli.main(["words", str(CAPTIONS), "--min-count", "2", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)

    assert "different words" in said
    assert {"spaces", "kiwi"} <= set(rows)
    assert f"{rows['kiwi']['unknown'] / rows['kiwi']['tokens']:.1%}" in said
