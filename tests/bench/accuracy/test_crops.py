"""Limits for crops chosen on a survey, and the whole bench on drawn pictures through the real programs."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from msgspec.structs import replace

from bench.accuracy import crop_survey, crops
from bench.accuracy.alarms import RULES
from bench.accuracy.crop_survey import Sight
from bench.device import commands
from contract import bundle
from edge.look import location_phrase
from edge.look.crops import Region
from tests.edge.look.test_scene import CROP_LIMITS, LIMITS, street

FRAME_LIMIT = 0.5


def sight(label: str, frame: float, *crops: float) -> Sight:
    return Sight(label, {"gun": frame}, tuple({"gun": crop} for crop in crops))


def choose(*sights: Sight, budget: float = 0.0) -> crop_survey.Limit:
    return crop_survey.choose(sights, "gun", FRAME_LIMIT, budget)


def test_the_limit_lies_just_above_what_peaceful_crops_show() -> None:
    peaceful = [sight("none", 0.1, 0.3, 0.62), sight("set table", 0.2)]
    guns = [sight("gun", 0.1, 0.7), sight("gun", 0.1, 0.5), sight("gun", 0.8), sight("gun", 0.1)]

    found = choose(*peaceful, *guns)

    assert found == crop_survey.Limit(FRAME_LIMIT, 0.621, by_frames=0.25, added=0.25, false=0.0)


def test_a_budget_buys_a_lower_limit() -> None:
    peaceful = [sight("none", 0.1, crop / 100) for crop in range(100)]
    guns = [sight("gun", 0.1, 0.97)]

    assert choose(*peaceful, *guns, budget=0.0).limit is None
    assert choose(*peaceful, *guns, budget=0.05).limit == 0.941
    assert choose(*peaceful, *guns, budget=0.05).false == 0.05


def test_everyday_pictures_and_scenes_are_held_to_the_budget_apart() -> None:
    everyday = [sight("calm", 0.0) for _ in range(99)]
    scenes = [sight("none", 0.1, 0.8)]

    assert choose(*everyday, *scenes, sight("gun", 0.1, 0.9), budget=0.01).limit == 0.801


def test_what_gains_nothing_is_not_sought() -> None:
    found = choose(sight("none", 0.1, 0.9), sight("gun", 0.1, 0.8))

    assert found.limit is None
    assert found.added == 0


def test_a_place_before_the_sentence_changes_no_alarm() -> None:
    sentences = [
        "a man is holding a gun",
        "a person is carrying a weapon",
        "a man is walking down a corridor",
        "two men are fighting",
        "a man has fallen and is lying on the floor",
        "a person is falling to the floor",
        "a man with a toy gun",
        "a man is cutting bread with a knife",
        "a boy lying on the grass",
        "there is no gun",
    ]
    regions = [Region(left, 0.4, 0.2, 0.9, tallest) for left in (0.0, 0.4, 0.8) for tallest in (0.1, 0.3, 0.6)]
    told = [location_phrase.tell(sentence, region, "en") for sentence in sentences for region in regions]

    bare, placed = (commands.judged(RULES, [{"text": text} for text in texts]) for texts in (sentences, told))

    fired = [[found["rule"] for found in outcome["fired"]] for outcome in bare]
    assert sum(map(bool, fired)) >= 4
    assert [[found["rule"] for found in outcome["fired"]] for outcome in placed] == [
        rules for rules in fired for _ in regions
    ]


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    """Armed and unarmed people on a green field."""
    listed = []
    for number, left in enumerate((0.05, 0.4, 0.75)):
        for label in ("gun", "none"):
            file = f"{label}{number}.png"
            cv2.imwrite(str(tmp_path / file), np.ascontiguousarray(street(label == "gun", left)[..., ::-1]))
            listed.append({"file": file, "label": label})
    path = tmp_path / "hazards.json"
    path.write_text(json.dumps(listed), encoding="utf-8")
    return path


@pytest.fixture
def judging(tiny: Path, tmp_path: Path) -> Path:
    """The tiny bundle with evidence, and no limits for crops yet."""
    folder = shutil.copytree(tiny, tmp_path / "bundle")
    bundle.write(folder, replace(bundle.load(folder), evidence=LIMITS))
    return folder


def test_limits_are_chosen_tried_and_written(
    judging: Path, scenes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("rules: [{name: gun, severity: critical, says: [gun], hazards: {gun: 0.3}}]\n", encoding="utf-8")
    words = ["--bundle", str(judging), "--hazards", str(scenes), "--rules", str(rules), "--write", "--json"]

    code = crops.main(words)

    said = capsys.readouterr()
    assert code == 0, said.err
    report = json.loads(said.out)
    assert set(report["limits"]) == {"gun"}
    assert report["limits"]["gun"]["added"] == 1
    assert report["without"]["gun"]["alarmed"] == 0
    assert report["with_crops"]["gun"]["right"] == 3
    assert report["with_crops"]["none"]["alarmed"] == 0
    assert (report["price"]["share"], report["price"]["crops"]) == (1, 1)
    assert bundle.load(judging).crop_evidence == {"gun": report["limits"]["gun"]["limit"]}
    assert report["limits"]["gun"]["limit"] < CROP_LIMITS["gun"]


def test_people_get_tables_and_the_bundle_stays_as_it_is(
    judging: Path, scenes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert crops.main(["--bundle", str(judging), "--hazards", str(scenes), "--crops", "per_frame=1"]) == 0

    assert "per_frame 1" in capsys.readouterr().out
    assert bundle.load(judging).crop_evidence == {}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--crops", "per_fram=1"], "--crops: per_fram: unknown key; did you mean `per_frame`?"),
        (["--bundle", "/nowhere"], "/nowhere/manifest.json: No such file"),
    ],
)
def test_what_is_wrong_is_named(
    words: list[str], complaint: str, judging: Path, scenes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert crops.main(["--bundle", str(judging), "--hazards", str(scenes), *words]) == 78
    assert complaint in capsys.readouterr().err
