"""Bad pictures: which are drawn, how they are rendered, and the way through device and server."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.accuracy import bad_pictures
from bench.accuracy.alarms import Picture

RED = (0, 0, 255)


@pytest.fixture
def hazards(tmp_path: Path) -> Path:
    """Two calm pictures, of which the tiny bundle calls the red one a fire, and one of a danger."""
    for name, colour in (("red", RED), ("green", (0, 255, 0)), ("gun", (90, 90, 90))):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.full((96, 128, 3), colour, np.uint8))
    listed = [
        {"file": "red.png", "label": "none"},
        {"file": "green.png", "label": "none"},
        {"file": "gun.png", "label": "gun"},
    ]
    path = tmp_path / "hazards.json"
    path.write_text(json.dumps(listed), encoding="utf-8")
    return path


def test_every_kind_is_counted_over_the_same_calm_pictures(
    tiny: Path, hazards: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = hazards.parent / "rules.yaml"
    rules.write_text("rules: [{name: fire, severity: critical, says: [fire]}]\n", encoding="utf-8")
    words = ["--bundle", str(tiny), "--hazards", str(hazards), "--rules", str(rules), "--pictures", "2", "--json"]

    assert bad_pictures.main(words) == 0
    found = json.loads(capsys.readouterr().out)["kinds"]

    assert list(found) == ["day", "dark", "gain", "infrared", "blur"]
    assert {one["pictures"] for one in found.values()} == {2}
    assert (found["day"]["alarmed"], found["blur"]["alarmed"]) == (1, 1)


def test_more_pictures_than_there_are_is_refused(hazards: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bad_pictures.main(["--hazards", str(hazards)]) == 78
    assert "2 calm pictures, where 40 are asked for" in capsys.readouterr().err


def test_the_same_seed_draws_the_same_pictures_and_no_danger() -> None:
    found = [Picture(Path(f"{number}.png"), "gun" if number % 2 else "none") for number in range(20)]

    drawn = bad_pictures.sample(found, 5, seed=3)

    assert drawn == bad_pictures.sample(found, 5, seed=3)
    assert {one.label for one in drawn} == {"none"}


def test_blur_takes_away_detail_and_leaves_the_light() -> None:
    bgr = np.random.default_rng(1).integers(0, 255, (128, 128, 3), np.uint8)

    blurred = bad_pictures.blur(bgr, 0.0)

    assert blurred.std() < bgr.std() / 4
    assert blurred.mean() == pytest.approx(bgr.mean(), abs=2)
