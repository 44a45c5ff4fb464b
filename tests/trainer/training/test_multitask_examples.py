"""What is known of each picture, brought together."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.trainer import small_data
from trainer.data import prepare
from trainer.recipe.data import Teacher
from trainer.recipe.recipe import Recipe, Tuning
from trainer.recipe.run_dir import Run
from trainer.training import multitask_examples
from trainer.training.augmentation import View
from trainer.training.multitask_examples import Lesson
from trainer.training.pseudo_labels import Found, digest

TUNING = Tuning(views=3, close_below=0.9, calm_share=1.0)


def small(folder: Path, **sections: Any) -> Recipe:
    parts: dict[str, Any] = {"evidence": {}, "detector": {"classes": ["wall", "fire"]}, "tuning": {}}
    return small_data.recipe(folder, hazards=4, **(parts | sections))


def gathered(recipe: Recipe, folder: Path) -> list[Lesson]:
    return multitask_examples.gather(recipe, TUNING, prepare.gather(recipe), Run(folder))


def test_sentences_labels_and_boxes_of_a_picture_come_together(tmp_path: Path) -> None:
    known = gathered(small(tmp_path), tmp_path)

    walls = [lesson for lesson in known if not lesson.label]
    fires = [lesson for lesson in known if lesson.label == "fire"]
    assert len(walls) == 8
    assert {box[0] for lesson in walls for box in lesson.boxes} == {"wall"}
    assert all(len(lesson.sentences) == 2 for lesson in walls)
    assert {box[0] for lesson in fires for box in lesson.boxes} == {"fire"}
    assert all(lesson.views[1].mirrored and len(lesson.views) == 3 for lesson in known if not lesson.close)


def test_nobody_having_spoken_of_a_fire_there_is_none(tmp_path: Path) -> None:
    known = gathered(small(tmp_path), tmp_path)

    assert all("fire" in lesson.labelled for lesson in known if not lesson.label)


def taught(tmp_path: Path) -> Recipe:
    """Give a recipe whose teacher has seen one person in the middle of every picture."""
    recipe = small(tmp_path, detector={"classes": ["wall", "fire", "person"]})
    network = tmp_path / "teacher.onnx"
    network.write_bytes(b"has drawn already")
    pictures = [str(path) for path in (tmp_path / "images").iterdir()]
    found = Found(digest(network), {path: [(0.9, 0.4, 0.3, 0.2, 0.4), (0.1, 0.0, 0.0, 0.1, 0.1)] for path in pictures})
    (tmp_path / "teacher.json").write_bytes(msgspec.json.encode(found))
    data = msgspec.structs.replace(recipe.data, teacher=Teacher(weights=network))
    return msgspec.structs.replace(recipe, data=data)


@pytest.fixture
def prepared_without_people(tmp_path: Path) -> tuple[Recipe, prepare.Prepared]:
    recipe = taught(tmp_path)
    assert recipe.detector is not None
    without = msgspec.structs.replace(
        recipe, detector=msgspec.structs.replace(recipe.detector, classes=("wall", "fire"))
    )
    return recipe, prepare.gather(without)


def test_the_teacher_draws_people_where_nobody_did(
    tmp_path: Path, prepared_without_people: tuple[Recipe, prepare.Prepared]
) -> None:
    recipe, prepared = prepared_without_people

    known = multitask_examples.gather(recipe, TUNING, prepared, Run(tmp_path))

    assert all("person" in lesson.labelled for lesson in known)
    assert all([box[0] for box in lesson.boxes].count("person") == 1 for lesson in known)


def test_calm_people_are_looked_at_closely_and_show_no_danger(
    tmp_path: Path, prepared_without_people: tuple[Recipe, prepare.Prepared]
) -> None:
    recipe, prepared = prepared_without_people

    close = [lesson for lesson in multitask_examples.gather(recipe, TUNING, prepared, Run(tmp_path)) if lesson.close]

    assert close
    assert {lesson.label for lesson in close} == {"none"}
    assert not any(lesson.sentences for lesson in close)
    assert all(any(box[0] == "person" for box in lesson.boxed(view).boxes) for lesson in close for view in range(3))


def test_the_same_seed_gives_the_same_lessons(tmp_path: Path) -> None:
    recipe = small(tmp_path)

    assert gathered(recipe, tmp_path) == gathered(recipe, tmp_path)


def test_validation_pictures_are_shown_as_taken(tmp_path: Path) -> None:
    prepared = prepare.gather(small(tmp_path))

    known = multitask_examples.whole(prepared.val, prepared.boxes_val)

    assert [lesson.views for lesson in known] == [(View(picture.path),) for picture in prepared.val]
    assert all(lesson.boxes for lesson in known if not lesson.label)
