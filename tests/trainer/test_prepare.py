"""Everything a recipe names, read and checked before any hour is spent on it."""

import json
from pathlib import Path

import pytest

from contract import vocab
from tests.trainer import small_data
from trainer import prepare
from trainer.errors import CheckpointError, DataError
from trainer.run import Run

WALL = {"classes": ["wall"]}


def test_all_that_a_recipe_names_is_gathered(tmp_path: Path) -> None:
    prepared = prepare.gather(small_data.recipe(tmp_path, hazards=4, detector={"classes": ["wall", "fire"]}))

    assert prepare.count(prepared) == [
        ("scenes", "train", 4, 4),
        ("walls", "train", 8, 16),
        ("scenes", "val", 4, 4),
        ("walls", "val", 4, 8),
        ("boxes", "train", 12, 10),
        ("boxes", "val", 8, 6),
    ]
    assert prepared.terms == {"fire": ("fire",)}
    assert {"wall", "red", "fire", "empty"} < set(prepared.vocabulary.words)


def test_a_danger_that_the_vocabulary_cannot_name_is_left_out(tmp_path: Path) -> None:
    recipe = small_data.recipe(tmp_path, hazards=2)
    path = recipe.data.hazards[0].sentences
    path.write_text(path.read_text().replace("fire:\n  - fire", "fire:\n  - fire\n  flood:\n  - under water"))

    assert prepare.gather(recipe).terms == {"fire": ("fire",)}


def test_boxes_are_left_alone_where_no_detector_is_asked_for(tmp_path: Path) -> None:
    prepared = prepare.gather(small_data.recipe(tmp_path, hazards=2))

    assert prepared.boxes_train == prepared.boxes_val == []


def test_words_of_validation_sentences_are_not_learnt(tmp_path: Path) -> None:
    recipe = small_data.recipe(tmp_path)
    path = recipe.data.captions[0].val
    path.write_text(path.read_text().replace("a red wall", "a crimson wall"))

    assert "crimson" not in prepare.gather(recipe).vocabulary.ids


def test_pictures_that_are_not_there_are_counted_and_one_is_named(tmp_path: Path) -> None:
    recipe = small_data.recipe(tmp_path)
    for name in ("train-3.png", "val-0.png"):
        (tmp_path / "images" / name).unlink()

    with pytest.raises(DataError, match=r"2 pictures are not there, the first is .*train-3\.png"):
        prepare.gather(recipe)


def test_boxed_pictures_that_are_not_there_are_named(tmp_path: Path) -> None:
    recipe = small_data.recipe(tmp_path, detector=WALL)
    path = recipe.data.boxes[0].val
    path.write_text(path.read_text().replace("val-2.png", "other.png"))

    with pytest.raises(DataError, match=r"1 pictures are not there, the first is .*other\.png"):
        prepare.gather(recipe)


def test_a_picture_to_learn_from_may_not_judge(tmp_path: Path) -> None:
    recipe = small_data.recipe(tmp_path)
    path = recipe.data.captions[0].val
    path.write_text(path.read_text().replace("val-2.png", "train-2.png"))

    with pytest.raises(DataError, match=r"1 pictures are in both train and val, one is .*train-2\.png"):
        prepare.gather(recipe)


def test_a_boxed_picture_to_learn_from_may_not_judge(tmp_path: Path) -> None:
    recipe = small_data.recipe(tmp_path, detector=WALL)
    path = recipe.data.boxes[0].val
    path.write_text(path.read_text().replace("val-2.png", "train-2.png"))

    with pytest.raises(DataError, match=r"1 pictures are in both train and val, one is .*train-2\.png"):
        prepare.gather(recipe)


def test_a_class_that_nobody_labelled_is_refused(tmp_path: Path) -> None:
    recipe = small_data.recipe(tmp_path, detector={"classes": ["wall", "door"]})

    with pytest.raises(
        DataError, match=r"detector\.classes: nothing in data\.boxes or data\.hazards is labelled \['door'\]"
    ):
        prepare.gather(recipe)


def test_the_vocabulary_is_kept_with_the_run(tmp_path: Path) -> None:
    prepared = prepare.gather(small_data.recipe(tmp_path))
    run = Run(tmp_path)

    prepare.keep_vocabulary(prepared, run)
    prepare.keep_vocabulary(prepared, run)

    assert vocab.load(run.vocabulary) == prepared.vocabulary


def test_a_vocabulary_without_weights_follows_the_data(tmp_path: Path) -> None:
    run = Run(tmp_path)
    prepare.keep_vocabulary(prepare.gather(small_data.recipe(tmp_path)), run)

    prepared = prepare.gather(small_data.recipe(tmp_path, hazards=2))
    prepare.keep_vocabulary(prepared, run)

    assert vocab.load(run.vocabulary) == prepared.vocabulary


@pytest.mark.parametrize("weights", ["captioner", "tuned"])
def test_weights_that_speak_other_words_stop_the_run_and_keep_their_vocabulary(tmp_path: Path, weights: str) -> None:
    run = Run(tmp_path)
    prepare.keep_vocabulary(prepare.gather(small_data.recipe(tmp_path)), run)
    getattr(run, weights).touch()
    before = run.vocabulary.read_text()

    with pytest.raises(CheckpointError, match=r"vocabulary\.txt: 14 words, the recipe's data give 19; .*remove"):
        prepare.keep_vocabulary(prepare.gather(small_data.recipe(tmp_path, hazards=2)), run)

    assert run.vocabulary.read_text() == before


def test_no_captions_at_all_leave_nothing_to_say(tmp_path: Path) -> None:
    recipe = small_data.recipe(tmp_path)
    recipe.data.captions[0].train.write_text(json.dumps({"images": [], "annotations": []}))

    with pytest.raises(DataError, match=r"vocabulary\.min_count: no word occurs 1 times"):
        prepare.gather(recipe)
