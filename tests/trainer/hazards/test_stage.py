"""The stage as a whole, from pictures to a bundle that alarms, on drawn scenes of a few cameras."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from contract import bundle
from edge.infer import image
from edge.infer.captioner import Captioner
from trainer.errors import CheckpointError, DataError
from trainer.hazards import recipe, stage
from trainer.hazards.recipe import HazardRecipe

NOW = datetime(2026, 11, 29, tzinfo=UTC)
CAMERAS = 8
SHOTS = 8


def draw(path: Path, camera: int, burning: bool, draws: np.random.Generator) -> None:
    """Draw a room in greens and blues of its own, with a red spot where it burns."""
    room = np.random.default_rng(camera).integers(0, 150, (6, 8, 3)).astype(np.uint8)
    room[..., 2] = 40
    pixels = cv2.resize(room, (128, 96), interpolation=cv2.INTER_NEAREST)
    if burning:
        x, y = draws.integers(0, 80), draws.integers(0, 50)
        pixels[y : y + 40, x : x + 40] = (10, 10, 250)
    cv2.imwrite(str(path), pixels)


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a recipe with its scenes: half of them of one source, half of another."""
    folder = tmp_path_factory.mktemp("scenes")
    draws = np.random.default_rng(1)
    for split in ("train", "val"):
        entries = []
        for number in range(CAMERAS * SHOTS):
            camera, burning = number // SHOTS, number % 2 == 0
            name = f"{split}-{number}.png"
            draw(folder / name, camera, burning, draws)
            entry = {"file": name, "label": "fire" if burning else "none", "source": "ab"[camera % 2]}
            entries.append({**entry, "width": 128, "height": 96, "boxes": []})
        (folder / f"{split}.json").write_text(json.dumps(entries), encoding="utf-8")
    document = {
        "version": "1.2.3",
        "scenes": [{"name": "drawn", "train": "train.json", "val": "val.json"}],
        "left_out": [["a"], ["b"]],
        "fit": {"hidden": 4, "linear_epochs": 30, "hidden_epochs": 30, "batch": 64},
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return folder / "recipe.yaml"


@pytest.fixture(scope="module")
def made(listed: Path, tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, stage.Report]:
    work = tmp_path_factory.mktemp("runs")
    folder = shutil.copytree(tiny, work / "bundle")
    return folder, work, stage.run(recipe.load(listed), folder, work, NOW)


def test_fires_at_new_places_are_found_and_calm_is_left_alone(made: tuple[Path, Path, stage.Report]) -> None:
    _, _, report = made

    assert min(report.dangers["fire"].new_place.values()) >= 0.8
    assert max(report.any_danger.values()) <= 0.1


def test_the_bundle_alarms_by_itself(made: tuple[Path, Path, stage.Report], listed: Path) -> None:
    folder, _, _ = made
    captioner = Captioner.open(folder)
    entries = json.loads((listed.parent / "val.json").read_text(encoding="utf-8"))
    found = [
        captioner.weigh(captioner.encode(image.read(listed.parent / entry["file"]))).evidence["fire"] >= 0.5
        for entry in entries
    ]
    right = [alarm == (entry["label"] == "fire") for alarm, entry in zip(found, entries, strict=True)]

    assert np.mean(right) >= 0.85
    assert bundle.load(folder).version == "1.2.3"


def test_places_can_be_looked_at(made: tuple[Path, Path, stage.Report]) -> None:
    _, work, report = made
    places = json.loads((work / "places.json").read_text(encoding="utf-8"))

    assert sum(len(keys) for keys in places.values()) == 2 * CAMERAS * SHOTS
    assert sum(report.places.values()) == len(places)


def test_what_an_alarm_is_worth_is_drawn_and_the_worst_place_named(made: tuple[Path, Path, stage.Report]) -> None:
    _, work, report = made

    assert (work / "roc.svg").read_text(encoding="utf-8").rstrip().endswith("</svg>")
    assert all(one.right <= one.pictures for one in report.worst.values())


def test_a_run_that_goes_on_encodes_nothing_twice(
    made: tuple[Path, Path, stage.Report], listed: Path, tmp_path: Path
) -> None:
    folder, work, _ = made
    before = {path: path.stat().st_mtime_ns for path in (work / "features").iterdir()}

    stage.run(recipe.load(listed), shutil.copytree(folder, tmp_path / "bundle"), work, NOW)

    assert {path: path.stat().st_mtime_ns for path in (work / "features").iterdir()} == before


def test_features_of_another_encoder_are_refused(
    made: tuple[Path, Path, stage.Report], listed: Path, tmp_path: Path
) -> None:
    folder, work, _ = made
    other = shutil.copytree(folder, tmp_path / "bundle")
    manifest = bundle.load(other)
    with (other / manifest.files["encoder"].name).open("ab") as file:
        file.write(b"\0" * 16)
    encoder = bundle.describe(other / manifest.files["encoder"].name, "int8")
    manifest.files["encoder"] = encoder
    bundle.write(other, manifest)

    with pytest.raises(CheckpointError, match="another encoder"):
        stage.run(recipe.load(listed), other, work, NOW)


def test_a_picture_that_is_missing_is_named(listed: Path, tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "gone.json").write_text('[{"file": "gone.png", "label": "none"}]', encoding="utf-8")
    scenes = recipe.Scenes(name="gone", train=tmp_path / "gone.json", val=tmp_path / "gone.json")

    with pytest.raises(DataError, match=r"gone\.png"):
        stage.run(HazardRecipe(version="1.0.0", scenes=(scenes,)), tiny, tmp_path, NOW)
