"""Recipes that were written for version 0.1.0."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from foundation import yaml_file
from foundation.errors import Misconfigured
from tests.trainer import small_data
from trainer.recipe import recipe
from trainer.recipe.recipe import Recipe

OLD: dict[str, Any] = {
    "training": {"pictures": 8, "sentences": 2, "average": 0.5, "score_pictures": 9},
    "encoder": {"batch": 3},
    "evidence": {"pictures": 7, "false_share": 0.01},
    "detector": {"pictures": 5},
    "self_critical": {"pictures": 6},
    "tuning": {"views": 3, "close_share": 0.2, "least_area": 0.6, "evidence_weight": 1.0},
}


def test_the_old_names_of_fields_mean_the_new_ones(tmp_path: Path) -> None:
    small_data.recipe(tmp_path, hazards=2, detector={"classes": ["fire"]})
    path = tmp_path / "recipe.yaml"
    document = yaml.safe_load(path.read_text())
    document["data"] |= {"twins": "drop"}
    document["data"]["hazards"][0] |= {"drawn": {"fire": ["fire"]}}
    path.write_text(yaml.safe_dump(document | OLD))

    read = recipe.load(path)

    assert read.data.duplicates == "drop"
    assert read.data.hazards[0].labelled_classes == {"fire": ("fire",)}
    assert (read.training.batch_size, read.training.captions_per_image, read.training.score_images) == (8, 2, 9)
    assert (read.training.ema_momentum, read.encoder.batch_size, read.self_critical.batch_size) == (0.5, 3, 6)
    assert read.hazard_classifier is not None
    assert (read.hazard_classifier.batch_size, read.hazard_classifier.false_positive_rate) == (7, 0.01)
    assert read.finetuning is not None
    assert (read.finetuning.augmentations, read.finetuning.closeup_share) == (3, 0.2)
    assert (read.finetuning.min_area, read.finetuning.hazards_weight) == (0.6, 1.0)


def test_a_field_given_by_both_names_is_refused(tmp_path: Path) -> None:
    small_data.recipe(tmp_path)
    path = tmp_path / "recipe.yaml"
    path.write_text(path.read_text() + "training: {pictures: 8, batch_size: 8}\n")

    with pytest.raises(Misconfigured, match=r"training\.pictures: this is the old name of `batch_size`"):
        recipe.load(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("training.pictures", "training.batch_size"),
        ("tuning.views", "finetuning.augmentations"),
        ("evidence", "hazard_classifier"),
        ("data.teacher.least_score", "data.pseudo_labels.min_score"),
        ("training.epochs", "training.epochs"),
    ],
)
def test_a_sweep_may_use_the_old_names_too(old: str, new: str) -> None:
    assert yaml_file.today(Recipe, old) == new
