"""Sweeps: grids and named variants, each a whole recipe, and everything wrong with one named before it is run."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from foundation.errors import Misconfigured
from tests.trainer import small_data
from trainer.recipe import recipe as recipes
from trainer.recipe import sweep
from trainer.recipe.sweep import Sweep

ROOT = Path(__file__).resolve().parents[3]


def load(folder: Path, **document: Any) -> Sweep:
    """Write a sweep over a small recipe, and read it."""
    small_data.recipe(folder, train=2, val=2)
    path = folder / "sweep.yaml"
    path.write_text(yaml.safe_dump({"name": "tries", "base": "recipe.yaml", **document}, sort_keys=False))
    return sweep.load(path)


def test_a_grid_has_every_combination_in_order(tmp_path: Path) -> None:
    found = load(tmp_path, fields={"training.optimizer": ["adam", "sgd"], "training.learning_rate": [0.01, 0.002]})

    assert [trial.name for trial in found.trials] == [
        "adam-learning-rate-0-01",
        "adam-learning-rate-0-002",
        "sgd-learning-rate-0-01",
        "sgd-learning-rate-0-002",
    ]
    assert [trial.recipe.training.optimizer for trial in found.trials] == ["adam", "adam", "sgd", "sgd"]
    assert found.trials[1].recipe.training.learning_rate == 0.002
    assert found.trials[1].changed == {"training.optimizer": "adam", "training.learning_rate": 0.002}


def test_named_variants_may_change_whole_sections_and_each_meets_the_grid(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        set={"training.epochs": 3},
        fields={"seed": [1, 2]},
        variants=[{"name": "plain"}, {"name": "wide", "set": {"decoder": {"state": 24}}}],
    )

    assert [trial.name for trial in found.trials] == ["plain-seed-1", "plain-seed-2", "wide-seed-1", "wide-seed-2"]
    assert {trial.recipe.training.epochs for trial in found.trials} == {3}
    assert found.trials[0].recipe.decoder.state == 12
    assert found.trials[3].recipe.decoder == recipes.Decoder(state=24)
    assert found.trials[3].recipe.seed == 2


def test_sections_that_the_base_leaves_out_begin_empty(tmp_path: Path) -> None:
    found = load(tmp_path, variants=[{"name": "with", "set": {"evidence.width": 7}}])

    assert found.trials[0].recipe.hazard_classifier == recipes.HazardClassifier(width=7)


def test_paths_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    base = small_data.recipe(tmp_path / "sub", train=2, val=2)
    path = tmp_path / "sweep.yaml"
    variants = [{"name": "own", "set": {"encoder.weights": "mine.pth"}}]
    path.write_text(yaml.safe_dump({"name": "tries", "base": "sub/recipe.yaml", "variants": variants}))

    (trial,) = sweep.load(path).trials

    assert trial.recipe.data == base.data
    assert trial.recipe.encoder.weights == str(tmp_path / "mine.pth")


def test_a_variant_whose_files_are_not_there_is_left_out_by_name(tmp_path: Path) -> None:
    found = load(tmp_path, variants=[{"name": "english"}, {"name": "korean", "needs": ["ko.json"]}])

    assert [trial.missing for trial in found.trials] == ["", str(tmp_path / "ko.json")]


def test_fields_and_base_can_be_given_beside_the_file(tmp_path: Path) -> None:
    load(tmp_path, fields={"seed": [1]})
    other = tmp_path / "other.yaml"
    other.write_text((tmp_path / "recipe.yaml").read_text().replace("0.0.1", "0.0.2"))

    found = sweep.load(tmp_path / "sweep.yaml", other, ["training.epochs=2", "training.optimizer=sgd"])

    assert found.trials[0].recipe.version == "0.0.2"
    assert found.trials[0].recipe.training == recipes.Training(epochs=2, optimizer="sgd")


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        pytest.param({}, "nothing to compare; give `fields` or `variants`", id="nothing"),
        pytest.param({"fields": {"seed": []}}, r"fields\.seed: no values", id="no values"),
        pytest.param({"fields": {"seed": 3}}, "Expected `array`, got `int`", id="one value"),
        pytest.param({"field": {"seed": [3]}}, "field: unknown key; did you mean `fields`", id="unknown key"),
        pytest.param({"fields": {"sede": [3]}}, "sede-3: .*did you mean `seed`", id="unknown field of the recipe"),
        pytest.param({"fields": {"training.optimizer": ["adma"]}}, r"adma: training\.optimizer: ", id="value"),
        pytest.param({"fields": {"seed.x": [3]}}, r"seed\.x: .*no part of a value", id="below a value"),
        pytest.param({"fields": {"data.captions": [[]]}}, "as named `variants`", id="list in a grid"),
        pytest.param({"fields": {"name": ["a"]}}, "a variant's own name", id="name"),
        pytest.param({"variants": [{"name": "a"}, {"name": "a"}]}, "two variants would be called a", id="twice"),
        pytest.param({"variants": [{"name": "A b"}]}, r"variants\[0\]\.name: Expected", id="no name for a folder"),
        pytest.param({"fields": {"seed": list(range(201))}}, "201 variants; at most 200", id="too many"),
        pytest.param({"base": "none.yaml", "fields": {"seed": [1]}}, "none.yaml: No such file", id="no base"),
    ],
)
def test_what_is_wrong_is_named_before_anything_is_run(
    tmp_path: Path, document: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(Misconfigured, match=complaint):
        load(tmp_path, **document)


@pytest.mark.parametrize("text", ["training.epochs", "=1", "seed={"])
def test_a_field_that_is_no_assignment_is_refused(tmp_path: Path, text: str) -> None:
    load(tmp_path, fields={"seed": [1]})

    with pytest.raises(Misconfigured, match=rf"--set {text}(:1)?: "):
        sweep.load(tmp_path / "sweep.yaml", None, [text])


def test_a_written_recipe_reads_back_the_same(tmp_path: Path) -> None:
    recipe = small_data.recipe(tmp_path, train=2, val=2, hazards=2, evidence={})
    sweep.write(recipe, tmp_path / "written.yaml")

    again = recipes.load(tmp_path / "written.yaml")

    assert again == recipe
    assert sweep.difference(again, recipe) == ""
    changed = msgspec.structs.replace(recipe, training=recipes.Training(epochs=99))
    assert sweep.difference(recipe, changed) == "training.epochs was 12 and is now 99"


def test_the_sweep_that_ships_compares_four_optimizers_in_two_languages() -> None:
    found = sweep.load(ROOT / "config" / "compare-seed.yaml")

    assert len(found.trials) == 8
    assert {trial.recipe.training.optimizer for trial in found.trials} == {"adam", "nadam", "adamax", "sgd"}
    assert {trial.recipe.language for trial in found.trials if not trial.missing} >= {"en"}
    assert {trial.recipe.encoder.name for trial in found.trials} == {"inception-v3"}
    korean = [trial for trial in found.trials if trial.name.startswith("korean")]
    assert all(trial.missing or trial.recipe.language == "ko" for trial in korean)
