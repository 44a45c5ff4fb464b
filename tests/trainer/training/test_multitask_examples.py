"""What is known of each image, brought together."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.trainer import small_data
from trainer.data import prepare
from trainer.recipe.data import PseudoLabels
from trainer.recipe.recipe import Finetuning, Recipe
from trainer.recipe.run_dir import RunDir
from trainer.training import multitask_examples
from trainer.training.augmentation import AugmentedImage
from trainer.training.multitask_examples import MultitaskExample
from trainer.training.pseudo_labels import Found, digest

TUNING = Finetuning(augmentations=3, closeup_max_area=0.9, peaceful_closeup_share=1.0)


def small(folder: Path, **sections: Any) -> Recipe:
    parts: dict[str, Any] = {"hazard_classifier": {}, "detector": {"classes": ["wall", "fire"]}, "finetuning": {}}
    return small_data.recipe(folder, hazards=4, **(parts | sections))


def gathered(recipe: Recipe, folder: Path) -> list[MultitaskExample]:
    return multitask_examples.gather(recipe, TUNING, prepare.gather(recipe), RunDir(folder))


def test_sentences_labels_and_boxes_of_an_image_come_together(tmp_path: Path) -> None:
    known = gathered(small(tmp_path), tmp_path)

    walls = [example for example in known if not example.label]
    fires = [example for example in known if example.label == "fire"]
    assert len(walls) == 8
    assert {box[0] for example in walls for box in example.boxes} == {"wall"}
    assert all(len(example.sentences) == 2 for example in walls)
    assert {box[0] for example in fires for box in example.boxes} == {"fire"}
    assert all(example.variants[1].mirrored and len(example.variants) == 3 for example in known if not example.closeup)


def test_nobody_having_captioned_of_a_fire_there_is_none(tmp_path: Path) -> None:
    known = gathered(small(tmp_path), tmp_path)

    assert all("fire" in example.labelled for example in known if not example.label)


def taught(tmp_path: Path) -> Recipe:
    """Return a recipe whose teacher has seen one person in the middle of every image."""
    recipe = small(tmp_path, detector={"classes": ["wall", "fire", "person"]})
    network = tmp_path / "teacher.onnx"
    network.write_bytes(b"has drawn already")
    examples = [str(path) for path in (tmp_path / "images").iterdir()]
    found = Found(digest(network), {path: [(0.9, 0.4, 0.3, 0.2, 0.4), (0.1, 0.0, 0.0, 0.1, 0.1)] for path in examples})
    (tmp_path / "teacher.json").write_bytes(msgspec.json.encode(found))
    data = msgspec.structs.replace(recipe.data, pseudo_labels=PseudoLabels(weights=network))
    return msgspec.structs.replace(recipe, data=data)


@pytest.fixture
def prepared_without_people(tmp_path: Path) -> tuple[Recipe, prepare.Prepared]:
    recipe = taught(tmp_path)
    assert recipe.detector is not None
    without = msgspec.structs.replace(
        recipe, detector=msgspec.structs.replace(recipe.detector, classes=("wall", "fire"))
    )
    return recipe, prepare.gather(without)


def test_the_pseudo_label_network_draws_people_where_nobody_did(
    tmp_path: Path, prepared_without_people: tuple[Recipe, prepare.Prepared]
) -> None:
    recipe, prepared = prepared_without_people

    known = multitask_examples.gather(recipe, TUNING, prepared, RunDir(tmp_path))

    assert all("person" in example.labelled for example in known)
    assert all([box[0] for box in example.boxes].count("person") == 1 for example in known)


def test_calm_people_are_looked_at_closely_and_show_no_danger(
    tmp_path: Path, prepared_without_people: tuple[Recipe, prepare.Prepared]
) -> None:
    recipe, prepared = prepared_without_people

    closeup = [
        example for example in multitask_examples.gather(recipe, TUNING, prepared, RunDir(tmp_path)) if example.closeup
    ]

    assert closeup
    assert {example.label for example in closeup} == {"none"}
    assert not any(example.sentences for example in closeup)
    assert all(
        any(box[0] == "person" for box in example.boxed(variant).boxes) for example in closeup for variant in range(3)
    )


def test_the_same_seed_gives_the_same_examples(tmp_path: Path) -> None:
    recipe = small(tmp_path)

    assert gathered(recipe, tmp_path) == gathered(recipe, tmp_path)


def test_validation_images_are_shown_as_taken(tmp_path: Path) -> None:
    prepared = prepare.gather(small(tmp_path))

    known = multitask_examples.whole(prepared.val, prepared.boxes_val)

    assert [example.variants for example in known] == [(AugmentedImage(example.path),) for example in prepared.val]
    assert all(example.boxes for example in known if not example.label)
