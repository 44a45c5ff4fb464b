"""Everything a recipe names, read and checked before any hour is spent on it."""

import json
import shutil
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from contract import vocabulary
from tests.trainer import small_data
from trainer.data import prepare
from trainer.data.quality.issues import Finding, Findings, Kind
from trainer.data.quality.validation import CheckProgress
from trainer.errors import CheckpointError, DataError
from trainer.recipe.data import Captions
from trainer.recipe.recipe import Recipe
from trainer.recipe.run_dir import RunDir

WALL = {"classes": ["wall"]}


def ruled(recipe: Recipe, **rules: str) -> Recipe:
    """Return the recipe with other rules for its data."""
    return msgspec.structs.replace(recipe, data=msgspec.structs.replace(recipe.data, **rules))


def found(findings: Findings, kind: Kind) -> Finding:
    """Return the one finding of a kind."""
    (finding,) = (finding for finding in findings if finding.kind is kind)
    return finding


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

    assert not prepared.boxes_train
    assert not prepared.boxes_val


def test_words_of_validation_sentences_are_not_learnt(tmp_path: Path) -> None:
    recipe = small_data.recipe(tmp_path)
    path = recipe.data.captions[0].val
    path.write_text(path.read_text().replace("a red wall", "a crimson wall"))

    assert "crimson" not in prepare.gather(recipe).vocabulary.ids


def test_images_that_are_not_there_are_counted_and_one_is_named(tmp_path: Path) -> None:
    recipe = small_data.recipe(tmp_path)
    for name in ("train-3.png", "val-0.png"):
        (tmp_path / "images" / name).unlink()

    with pytest.raises(DataError, match=r"2 images are not there, the first is .*train-3\.png"):
        prepare.gather(recipe)


def test_boxed_images_that_are_not_there_are_named(tmp_path: Path) -> None:
    recipe = small_data.recipe(tmp_path, detector=WALL)
    path = recipe.data.boxes[0].val
    path.write_text(path.read_text().replace("val-2.png", "other.png"))

    with pytest.raises(DataError, match=r"1 images are not there, the first is .*other\.png"):
        prepare.gather(recipe)


@pytest.mark.parametrize("kind", ["captions", "boxes"])
def test_an_image_to_learn_from_may_not_judge(tmp_path: Path, kind: str) -> None:
    recipe = small_data.recipe(tmp_path, detector=WALL)
    (source,) = getattr(recipe.data, kind)
    source.val.write_text(source.val.read_text().replace("val-2.png", "train-2.png"))

    with pytest.raises(DataError, match=r"1 images are in both train and val, the first is .*train-2\.png"):
        prepare.gather(recipe)


def test_a_broken_image_is_refused_where_images_are_opened(tmp_path: Path) -> None:
    recipe = small_data.recipe(tmp_path)
    broken = tmp_path / "images" / "val-1.png"
    broken.write_bytes(broken.read_bytes()[:60])

    findings = prepare.examine(recipe, None, thorough=True).findings

    assert found(findings, Kind.BROKEN).count == 1
    with pytest.raises(DataError, match=r"1 images cannot be decoded, the first is .*val-1\.png: .*truncated"):
        prepare.refuse(findings)


def test_unreadable_images_are_left_out_where_the_recipe_says_so(tmp_path: Path) -> None:
    recipe = ruled(small_data.recipe(tmp_path, detector=WALL), unreadable="skip")
    (tmp_path / "images" / "train-3.png").unlink()
    (tmp_path / "images" / "val-1.png").write_bytes(b"")

    prepared = prepare.gather(recipe)

    assert [len(examples) for examples in (prepared.train, prepared.val)] == [7, 3]
    assert [len(examples) for examples in (prepared.boxes_train, prepared.boxes_val)] == [7, 3]
    assert "train-3.png" not in {example.path.name for example in prepared.train}
    assert [
        (finding.where, finding.kind, finding.done) for finding in prepared.findings if finding.done == "left out"
    ] == [
        ("captions train", Kind.MISSING, "left out"),
        ("captions val", Kind.BROKEN, "left out"),
        ("boxes train", Kind.MISSING, "left out"),
        ("boxes val", Kind.BROKEN, "left out"),
    ]


def test_nothing_but_unreadable_images_is_refused_whatever_the_recipe_says(tmp_path: Path) -> None:
    recipe = ruled(small_data.recipe(tmp_path), unreadable="skip")
    shutil.rmtree(tmp_path / "images")

    with pytest.raises(DataError, match=r"12 images are not there, the first is .*train-0\.png"):
        prepare.gather(recipe)


def test_an_image_of_val_that_is_in_train_under_another_name_is_named(tmp_path: Path) -> None:
    prepared = prepare.examine(small_data.recipe(tmp_path, train=3, val=1), None, thorough=True)

    duplicate = found(prepared.findings, Kind.DUPLICATE)
    assert (duplicate.count, duplicate.done) == (1, "kept")
    assert duplicate.examples[0].endswith(f"val-0.png = {tmp_path}/images/train-0.png")
    assert len(prepared.train) == 3


def test_duplicates_leave_the_images_to_learn_from_where_the_recipe_says_so(tmp_path: Path) -> None:
    prepared = prepare.gather(ruled(small_data.recipe(tmp_path, train=6, val=2), duplicates="drop"))

    assert [example.path.name for example in prepared.train] == [f"train-{number}.png" for number in (2, 3)]
    assert len(prepared.val) == 2


def test_duplicates_are_refused_where_the_recipe_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"1 images of val are in train under another name, the first is .*val-0\.png"):
        prepare.gather(ruled(small_data.recipe(tmp_path, train=3, val=1), duplicates="refuse"))


def test_an_image_of_val_that_looks_like_one_in_train_is_named(tmp_path: Path) -> None:
    recipe = small_data.recipe(tmp_path)
    clouds = np.random.default_rng(1).integers(0, 256, (5, 5, 3), np.uint8)
    for name, side in (("train-2.png", 64), ("val-3.png", 48)):
        pixels = cv2.resize(clouds, (side, side), interpolation=cv2.INTER_CUBIC)
        assert cv2.imwrite(str(tmp_path / "images" / name), pixels)

    near_duplicates = found(prepare.examine(recipe, None, thorough=True).findings, Kind.NEAR_DUPLICATE)

    assert (near_duplicates.count, near_duplicates.done) == (1, "kept")
    assert near_duplicates.examples[0].endswith(f"val-3.png ~ {tmp_path}/images/train-2.png")


def test_what_a_run_knows_of_its_images_is_not_looked_at_again(tmp_path: Path) -> None:
    recipe, run = small_data.recipe(tmp_path), RunDir(tmp_path)
    watches = [CheckProgress(), CheckProgress()]
    for progress in watches:
        prepare.examine(recipe, run, thorough=True, progress=progress)

    assert [(progress.seen, progress.total, progress.opened) for progress in watches] == [(12, 12, 12), (12, 12, 0)]


def test_captions_without_a_word_and_images_without_a_caption_are_left_out_by_name(tmp_path: Path) -> None:
    recipe = small_data.recipe(tmp_path)
    table = "file,caption\ntrain-0.png,a red wall\ntrain-1.png,...\ntrain-2.png,a wall\ntrain-2.png,\n"
    recipe.data.captions[0].train.write_text(table)

    prepared = prepare.gather(recipe)

    assert [(example.path.name, len(example.sentences)) for example in prepared.train] == [
        ("train-0.png", 1),
        ("train-2.png", 1),
    ]
    assert found(prepared.findings, Kind.EMPTY_CAPTION).examples == ["train-1.png: '...'", "train-2.png: ''"]
    assert found(prepared.findings, Kind.UNCAPTIONED).examples == [str(tmp_path / "images" / "train-1.png")]


def test_sets_of_different_formats_are_learnt_from_together(tmp_path: Path) -> None:
    recipe = small_data.recipe(tmp_path)
    (first,) = recipe.data.captions
    for split in ("train", "val"):
        (tmp_path / f"{split}.txt").write_text(f"{split}-1.png#0\t{split}에는 벽이 있다\n", encoding="utf-8")
    korean = Captions(name="벽", images=first.images, train=tmp_path / "train.txt", val=tmp_path / "val.txt")
    recipe = msgspec.structs.replace(recipe, data=msgspec.structs.replace(recipe.data, captions=(first, korean)))

    prepared = prepare.gather(recipe)

    assert prepare.count(prepared) == [
        ("walls", "train", 8, 16),
        ("벽", "train", 1, 1),
        ("walls", "val", 4, 8),
        ("벽", "val", 1, 1),
    ]
    assert "벽이" in prepared.vocabulary.ids


def test_a_class_that_nobody_labelled_is_refused(tmp_path: Path) -> None:
    recipe = small_data.recipe(tmp_path, detector={"classes": ["wall", "door"]})

    with pytest.raises(
        DataError, match=r"detector\.classes: nothing in data\.boxes or data\.hazards is labelled \['door'\]"
    ):
        prepare.gather(recipe)


def test_the_vocabulary_is_kept_with_the_run(tmp_path: Path) -> None:
    prepared = prepare.gather(small_data.recipe(tmp_path))
    run = RunDir(tmp_path)

    prepare.keep_vocabulary(prepared, run)
    prepare.keep_vocabulary(prepared, run)

    assert vocabulary.load(run.vocabulary) == prepared.vocabulary


def test_a_vocabulary_without_weights_follows_the_data(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    prepare.keep_vocabulary(prepare.gather(small_data.recipe(tmp_path)), run)

    prepared = prepare.gather(small_data.recipe(tmp_path, hazards=2))
    prepare.keep_vocabulary(prepared, run)

    assert vocabulary.load(run.vocabulary) == prepared.vocabulary


@pytest.mark.parametrize("weights", ["captioner", "tuned"])
def test_weights_that_speak_other_words_stop_the_run_and_keep_their_vocabulary(tmp_path: Path, weights: str) -> None:
    run = RunDir(tmp_path)
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


@pytest.mark.parametrize(("train", "val", "split"), [(8, 0, "val has 0"), (8, 1, "val has 1"), (1, 4, "train has 1")])
def test_splits_too_small_to_learn_from_or_to_score_by_are_refused(
    tmp_path: Path, train: int, val: int, split: str
) -> None:
    recipe = small_data.recipe(tmp_path, train=train, val=val)

    with pytest.raises(DataError, match=rf"data: {split} captioned image.*, at least 2 are needed"):
        prepare.gather(recipe)


def test_captions_beyond_max_tokens_are_counted_and_named(tmp_path: Path) -> None:
    recipe = small_data.recipe(tmp_path)
    recipe = msgspec.structs.replace(recipe, decoder=msgspec.structs.replace(recipe.decoder, max_tokens=7))

    long = [finding for finding in prepare.gather(recipe).findings if finding.kind is Kind.TOO_LONG]

    assert [(finding.where, finding.count, finding.done) for finding in long] == [
        ("captions train", 8, "their end is cut"),
        ("captions val", 4, "their end is cut"),
    ]
    assert long[0].examples[0].endswith("train-0.png: 7 words, 6 are learnt")
