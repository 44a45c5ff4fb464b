"""`wordcam-train` as a user runs it: from nothing to an export, killed on the way, and given bad files."""

import csv
import json
import time
from pathlib import Path

import pytest

from tests.trainer.workstation import ROOT, Workstation
from trainer import cli


def epochs(station: Workstation, stage: str = "captioner") -> list[dict[str, float]]:
    """Return the lines of a stage's CSV."""
    path = station.run / f"{stage}.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(stream)]


def test_sample_writes_images_that_the_smoke_recipe_reads(prepared: Workstation) -> None:
    folder = prepared.folder / "runs" / "sample"
    captions = json.loads((folder / "captions_train.json").read_text())

    assert len(captions["images"]) == 96
    assert all((folder / "images" / image["file_name"]).is_file() for image in captions["images"])
    assert {path.name for path in folder.glob("*.json")} == {
        f"{kind}_{split}.json" for kind in ("captions", "instances") for split in ("train", "val")
    }


def test_prepare_counts_the_data_and_encodes_it(untrained: Workstation) -> None:
    said = untrained.does("prepare", untrained.recipe)

    assert "sample" in said
    assert "192" in said
    assert "vocabulary: 15 words" in said
    for name in ("captions-train", "captions-train-mirrored", "captions-val", "boxes-train", "boxes-val"):
        progress = json.loads((untrained.run / "features" / name / "cache.json").read_text())
        assert progress["done"] == progress["rows"] > 0


def test_training_lowers_the_loss_and_learns_to_say_what_is_there(trained: Workstation) -> None:
    lines = epochs(trained)

    assert [line["epoch"] for line in lines] == list(range(6))
    assert lines[-1]["loss"] < lines[0]["loss"] * 0.8
    assert lines[-1]["val_loss"] < lines[0]["val_loss"] * 0.9
    assert max(line["val_cider"] for line in lines) > 0.7


def test_the_detector_learns_to_find_what_is_there(trained: Workstation) -> None:
    lines = epochs(trained, "detector")

    assert lines[-1]["loss"] < lines[0]["loss"] / 2
    assert max(line["val_ap50"] for line in lines) > 0.3


def test_every_stage_leaves_a_csv_and_events_for_tensorboard(trained: Workstation) -> None:
    for stage in ("captioner", "self-critical", "detector"):
        assert epochs(trained, stage)
        assert list((trained.run / "tensorboard" / stage / "train").glob("events.out.tfevents.*"))
    assert {"advantage", "policy", "likelihood", "val_cider"} <= set(epochs(trained, "self-critical")[0])


def test_the_best_weights_are_kept_with_their_figures(trained: Workstation) -> None:
    best = json.loads((trained.run / "captioner.weights.json").read_text())
    lines = epochs(trained)

    assert (trained.run / "captioner.weights.h5").stat().st_size > 0
    assert best["score"] == max(line["val_cider"] for line in lines)
    assert best["score"] == lines[best["epoch"]]["val_cider"]


def test_evaluate_answers_one_json_object_and_nothing_else(trained: Workstation) -> None:
    figures = json.loads(trained.does("evaluate", trained.recipe, "--json"))

    (captions,) = figures["captions"].values()
    assert list(captions) == [
        *("bleu_1", "bleu_2", "bleu_3", "bleu_4", "cider"),
        *("rouge_l", "bleu_seed", "jaccard", "cosine", "invented", "images"),
    ]
    assert captions["images"] == 24
    assert captions["bleu_1"] > 0.5
    assert captions["cider"] > 0.7
    assert set(figures["boxes"]) == {"circle", "square"}
    assert all(0 <= value <= 1 for kinds in figures["boxes"].values() for value in kinds.values())


def test_evaluate_shows_tables_to_people(trained: Workstation) -> None:
    said = trained.does("evaluate", trained.recipe)

    assert "bleu_4" in said
    assert "circle" in said


def test_training_again_after_the_end_changes_nothing(trained: Workstation) -> None:
    def state() -> dict[str, int]:
        return {str(path): path.stat().st_mtime_ns for path in trained.run.rglob("*") if path.is_file()}

    before = state()
    trained.does("train", trained.recipe)

    assert {path for path, when in state().items() if before.get(path) != when} <= {str(trained.run / "vocabulary.txt")}


def test_a_training_killed_in_the_middle_goes_on_without_repeat_or_gap(untrained: Workstation) -> None:
    slow = {
        "epochs": 8,
        "batch_size": 4,
        "captions_per_image": 2,
        "learning_rate": 5.0e-3,
        "ema_momentum": 0.9,
        "patience": 8,
    }
    untrained.change(training=slow)
    process = untrained.start("train", untrained.recipe, "--stage", "captioner")
    while len(epochs(untrained)) < 2:
        assert process.poll() is None, process.communicate()[1][-2000:]
        time.sleep(0.05)
    process.kill()
    process.communicate()
    before = epochs(untrained)
    assert 2 <= len(before) < 8

    untrained.does("train", untrained.recipe, "--stage", "captioner")

    after = epochs(untrained)
    assert [line["epoch"] for line in after] == list(range(8))
    assert after[: len(before) - 1] == before[:-1]
    best = json.loads((untrained.run / "captioner.weights.json").read_text())
    assert (untrained.run / "captioner.weights.h5").is_file()
    assert best["score"] == max(line["val_cider"] for line in after)


@pytest.mark.parametrize("verb", ["evaluate", "export"])
def test_what_is_not_trained_yet_is_named(untrained: Workstation, verb: str) -> None:
    options = ["--out", "exported"] if verb == "export" else []

    done = untrained.ends(verb, untrained.recipe, *options)

    assert done.returncode == 78
    last = done.stderr.splitlines()[-1]
    assert last.startswith("wordcam-train: ")
    assert "captioner.weights.h5: no captioner of this recipe" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_image_that_is_not_there_stops_before_anything_is_encoded(untrained: Workstation) -> None:
    (untrained.folder / "runs" / "sample" / "images" / "train-007.jpg").unlink()

    done = untrained.ends("train", untrained.recipe)

    assert done.returncode == 78
    assert "not there, the first is " in done.stderr
    assert "train-007.jpg" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("trainning: {}", "did you mean `training`?", id="unknown key"),
        pytest.param("seed: many", "seed: Expected `int`, got `str`", id="wrong type"),
        pytest.param("{", "not YAML", id="no YAML"),
    ],
)
def test_a_bad_recipe_is_one_clear_line_and_exit_78(tmp_path: Path, text: str, complaint: str) -> None:
    station = Workstation(tmp_path)
    station.lay_out()
    station.recipe.write_text(station.recipe.read_text().replace("seed: 1", text), encoding="utf-8")

    done = station.ends("prepare", station.recipe)

    assert done.returncode == 78
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"wordcam-train: {station.recipe}:")
    assert complaint in line
    assert not done.stdout


def test_a_recipe_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    done = Workstation(tmp_path).ends("train", "none.yaml")

    assert (done.returncode, done.stderr) == (78, "wordcam-train: none.yaml: No such file or directory\n")


def test_the_recipe_of_dangers_is_read_as_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = tmp_path / "dangers.yaml"
    recipe.write_text("version: 1.0.0\nscenes: []\nclip: here\n", encoding="utf-8")

    assert cli.main(["hazards", str(recipe), "--bundle", str(tmp_path)]) == 78
    assert "did you mean `clips`" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_no_fault_of_the_recipe(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "runs").write_text("a file where the folder should be")

    code = cli.main(["prepare", str(ROOT / "config" / "trainer-smoke.yaml"), "--runs", str(tmp_path / "runs")])

    assert code == 78
    assert f"{tmp_path / 'runs' / 'smoke'}: Not a directory" in capsys.readouterr().err


def test_the_verbs_are_those_the_documents_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--help"])

    said = capsys.readouterr().out
    assert all(verb in said for verb in ("sample", "words", "prepare", "train", "evaluate", "export"))
