"""Comparisons: every variant a run of its own, features shared, failures named and left behind."""

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.trainer import small_data
from tests.trainer.workstation import Workstation
from trainer.data import prepare
from trainer.errors import CheckpointError
from trainer.evaluation import compare
from trainer.recipe import recipe as recipes
from trainer.recipe import sweep
from trainer.recipe.recipe import Recipe
from trainer.recipe.run_dir import RunDir
from trainer.recipe.sweep import Sweep

TRAINING = {"epochs": 2, "batch_size": 4, "captions_per_image": 2, "learning_rate": 2.0e-2, "score_images": 4}


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    return small_data.recipe(tmp_path, training=TRAINING)


def written(folder: Path, **document: Any) -> Path:
    """Write a sweep over the recipe in a folder."""
    path = folder / "sweep.yaml"
    path.write_text(yaml.safe_dump({"name": "tries", "base": "recipe.yaml", **document}, sort_keys=False))
    return path


def planned(folder: Path, **document: Any) -> Sweep:
    return sweep.load(written(folder, **document))


def test_variants_with_one_encoder_and_the_same_images_share_their_features(recipe: Recipe, tmp_path: Path) -> None:
    grid = {"training.optimizer": ["adam", "sgd"], "encoder.height": [32, 64]}
    places = []
    for trial in planned(tmp_path, fields=grid).trials:
        place = RunDir(tmp_path / "runs" / trial.name)
        compare.lay_out(trial.recipe, place, tmp_path / "runs")
        places.append(place.features.resolve())

    adam_small, adam_large, sgd_small, sgd_large = places
    assert adam_small == sgd_small
    assert adam_large == sgd_large
    assert adam_small != adam_large
    assert all(place.is_dir() for place in places)


def test_features_are_named_by_the_encoder_and_the_images_alone(recipe: Recipe, tmp_path: Path) -> None:
    prepared = prepare.gather(recipe)
    (batched,) = planned(tmp_path, variants=[{"name": "a", "set": {"encoder.batch_size": 1, "seed": 9}}]).trials
    small_data.recipe(tmp_path / "other", train=4)
    other = recipes.load(tmp_path / "other" / "recipe.yaml")

    name = compare.digest(recipe, prepared)

    assert compare.digest(batched.recipe, prepared) == name
    assert compare.digest(recipe, prepare.gather(other)) != name


def test_a_variants_recipe_stands_in_its_folder_for_every_other_verb(recipe: Recipe, tmp_path: Path) -> None:
    (trial,) = planned(tmp_path, fields={"seed": [4]}).trials
    compare.lay_out(trial.recipe, RunDir(tmp_path / "runs" / trial.name), tmp_path / "runs")

    assert recipes.load(tmp_path / "runs" / "seed-4" / "recipe.yaml") == trial.recipe


def test_a_folder_begun_with_other_fields_is_refused_by_the_field(recipe: Recipe, tmp_path: Path) -> None:
    place = RunDir(tmp_path / "runs" / "a")
    for epochs in (2, 3):
        (trial,) = planned(tmp_path, variants=[{"name": "a", "set": {"training.epochs": epochs}}]).trials
        if epochs == 2:
            compare.lay_out(trial.recipe, place, tmp_path / "runs")

    with pytest.raises(CheckpointError, match=r"recipe\.yaml: training\.epochs was 2 and is now 3; remove .*runs/a"):
        compare.lay_out(trial.recipe, place, tmp_path / "runs")


def test_a_failure_is_named_and_the_next_variant_tried(recipe: Recipe, tmp_path: Path) -> None:
    captions = {"name": "gone", "images": "images", "train": "gone.json", "val": "captions_val.json"}
    variants = [
        {"name": "gone", "set": {"data.captions": [captions]}},
        {"name": "korean", "needs": ["korean.json"]},
        {"name": "words", "set": {"vocabulary.min_count": 10_000}},
    ]
    said: list[str] = []

    outcomes = list(compare.run(planned(tmp_path, variants=variants), tmp_path / "runs", [], said.append))

    assert [outcome.status for outcome in outcomes] == ["failed", "left out", "failed"]
    assert "gone.json: No such file or directory" in outcomes[0].reason
    assert outcomes[1].reason == f"{tmp_path / 'korean.json'} is not there"
    assert "vocabulary.min_count" in outcomes[2].reason
    assert [line for line in said if line.startswith("[")] == ["[1/3] gone", "[2/3] korean", "[3/3] words"]


def test_what_is_not_trained_is_left_out_where_nothing_shall_be(recipe: Recipe, tmp_path: Path) -> None:
    plan = planned(tmp_path, fields={"seed": [1, 2]})
    done = RunDir(tmp_path / "runs" / "seed-2")
    done.folder.mkdir(parents=True)
    done.captioner.write_bytes(b"weights")

    found = compare.found(plan, tmp_path / "runs")

    assert [(outcome.status, outcome.reason) for outcome in found] == [("left out", "not trained"), ("trained", "")]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_comparison_is_stopped_goes_on_and_reports_every_variant(recipe: Recipe, tmp_path: Path) -> None:
    station = Workstation(tmp_path)
    path = written(
        tmp_path,
        fields={"training.optimizer": ["adam", "sgd"]},
        variants=[
            {"name": "plain"},
            {"name": "broken", "set": {"encoder.weights": "gone.pth"}},
        ],
    )
    runs = tmp_path / "runs" / "tries"
    with station.start("compare", path) as process:
        while not (runs / "plain-adam" / "captioner.csv").exists():
            assert process.poll() is None, process.communicate()[1][-3000:]
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate()
    assert process.returncode == 75, said[-2000:]
    assert "run the same command to go on" in said

    done = station.ends("compare", path, "--json")

    assert done.returncode == 78, done.stderr[-3000:]
    results = {variant["name"]: variant for variant in json.loads(done.stdout)["variants"]}
    assert list(results) == ["plain-adam", "plain-sgd", "broken-adam", "broken-sgd"]
    assert [result["status"] for result in results.values()] == ["trained", "trained", "failed", "failed"]
    assert "gone.pth" in results["broken-sgd"]["reason"]
    assert 0 <= results["plain-adam"]["captions"]["walls"]["bleu_1"] <= 1
    assert len((runs / "plain-adam" / "captioner.csv").read_text().splitlines()) == 3
    page = (runs / "report.html").read_text(encoding="utf-8")
    assert "a red wall" in page
    assert page.count("gone.pth") == 2
    station.does("report", runs / "plain-sgd" / "recipe.yaml", "--runs", runs, "--language", "ko")
    assert 'lang="ko"' in (runs / "plain-sgd" / "report.html").read_text(encoding="utf-8")
