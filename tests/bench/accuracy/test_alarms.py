"""Counting alarms by label, and the whole way from pictures to counts through the real programs."""

import json
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest

from bench.accuracy import alarms, own_calm
from bench.accuracy.shares import upper_bound
from contract import examples


def outcome(*rules: str) -> dict[str, Any]:
    return {"text": "…", "fired": [{"rule": rule, "severity": "critical", "because": "…"} for rule in rules]}


def test_alarms_are_counted_by_label_and_told_right_from_wrong() -> None:
    labels = ["gun", "none", "gun", "gun", "none"]
    outcomes = [outcome("gun", "weapon"), outcome(), outcome("fire"), outcome(), outcome("gun")]

    counts = alarms.count(labels, outcomes)

    assert counts["gun"] == alarms.Count(3, 2, 1, {"fire": 1, "gun": 1, "weapon": 1})
    assert counts["none"] == alarms.Count(2, 1, None, {"gun": 1})


def test_dangers_come_before_what_is_peaceful() -> None:
    counts = alarms.count(["none", "set table", "knife", "calm", "fire", "gun"], [outcome()] * 6)

    assert list(counts) == ["gun", "knife", "fire", "calm", "none", "set table"]


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    """Three coloured pictures, of which the tiny bundle calls the red one a fire."""
    (tmp_path / "images").mkdir()
    for name, colour in (("red", (0, 0, 255)), ("green", (0, 255, 0)), ("blue", (255, 0, 0))):
        cv2.imwrite(str(tmp_path / "images" / f"{name}.png"), np.full((96, 128, 3), colour, np.uint8))
    listed = [
        {"file": "images/red.png", "label": "fire", "boxes": []},
        {"file": "images/green.png", "label": "none"},
        {"file": "images/blue.png", "label": "none"},
    ]
    path = tmp_path / "hazards.json"
    path.write_text(json.dumps(listed), encoding="utf-8")
    (tmp_path / "captions.json").write_text(
        json.dumps({"images": [{"id": 1, "file_name": "green.png"}], "annotations": []}), encoding="utf-8"
    )
    return path


def test_pictures_go_through_device_and_server(
    tiny: Path, scenes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("rules: [{name: fire, severity: critical, says: [fire]}]\n", encoding="utf-8")
    detail = tmp_path / "detail.jsonl"
    words = ["--bundle", str(tiny), "--hazards", str(scenes), "--peaceful", str(scenes.parent / "captions.json")]

    code = alarms.main([*words, "--rules", str(rules), "--json", "--detail", str(detail)])

    said = capsys.readouterr()
    assert code == 0, said.err
    assert json.loads(said.out) == {
        "labels": {
            "fire": {"pictures": 1, "alarmed": 1, "right": 1, "rules": {"fire": 1}},
            "calm": {"pictures": 1, "alarmed": 0, "right": None, "rules": {}},
            "none": {"pictures": 2, "alarmed": 0, "right": None, "rules": {}},
        },
        "calm": {
            "calm": {"pictures": 1, "alarmed": 0, "upper": pytest.approx(0.95)},
            "": {"pictures": 2, "alarmed": 0, "upper": pytest.approx(0.776, abs=1e-3)},
        },
    }
    lines = [json.loads(line) for line in detail.read_text(encoding="utf-8").splitlines()]
    assert [line["label"] for line in lines] == ["fire", "none", "none", "calm"]
    assert "fire" in lines[0]["text"]


def test_people_get_a_table(tiny: Path, scenes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert alarms.main(["--bundle", str(tiny), "--hazards", str(scenes)]) == 0
    assert "every alarm is false" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("[", "hazards.json: Input data was truncated", id="cut off"),
        pytest.param('{"file": "a"}', "Expected `array`, got `object`", id="no list"),
        pytest.param('[{"file": "a.jpg"}]', "missing required field `label`", id="no label"),
        pytest.param('[{"file": "gone.jpg", "label": "gun"}]', "1 of 1 pictures are missing", id="missing picture"),
        pytest.param("[]", "no pictures", id="empty"),
    ],
)
def test_a_list_of_the_wrong_shape_is_named(
    text: str, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "hazards.json"
    file.write_text(text, encoding="utf-8")

    assert alarms.main(["--bundle", str(tmp_path), "--hazards", str(file)]) == 78
    assert complaint in capsys.readouterr().err


def test_a_bundle_that_is_not_there_is_named_by_the_device(
    scenes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert alarms.main(["--bundle", str(tmp_path / "gone"), "--hazards", str(scenes)]) == 78
    assert "gone" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("scene", "label"),
    [
        pytest.param({"label": "knife", "source": "coco"}, "set table", id="photographs of tables"),
        pytest.param({"label": "knife"}, "set table", id="nobody says so"),
        pytest.param({"label": "knife", "source": "robberies"}, "knife", id="its source is of weapons"),
        pytest.param({"label": "knife", "boxes": [{"name": "knife"}]}, "knife", id="somebody drew it"),
        pytest.param({"label": "gun", "source": "coco"}, "gun", id="no knife"),
    ],
)
def test_a_knife_is_a_danger_where_boxes_or_its_source_say_so(scene: dict[str, Any], label: str) -> None:
    assert msgspec.convert({"file": "a.jpg", **scene}, alarms.Scene).shown == label


def test_a_camera_that_knows_its_own_calm_is_measured_on_what_did_not_teach_it(
    tiny: Path, scenes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("rules: [{name: fire, severity: critical, says: [fire]}]\n", encoding="utf-8")

    code = alarms.main(
        ["--bundle", str(tiny), "--hazards", str(scenes), "--rules", str(rules), "--own-calm", "source", "--json"]
    )

    said = capsys.readouterr()
    assert code == 0, said.err
    assert {label: found["pictures"] for label, found in json.loads(said.out)["labels"].items()} == {
        "fire": 1,
        "none": 1,
    }


def test_half_of_each_cameras_calm_teaches_it_and_no_danger_does() -> None:
    cameras = ["a"] * 5 + ["b"] * 2
    calm = [True, True, False, True, True, True, False]

    learners = own_calm.taught(cameras, calm, seed=1)

    assert len(learners & {0, 1, 3, 4}) == 2
    assert not learners & {2, 5, 6}


def test_a_threshold_moves_above_what_calm_shows() -> None:
    manifest = examples.MANIFEST
    danger = next(iter(manifest.evidence))
    learnt = [dict.fromkeys(manifest.evidence, value) for value in (-9.0, -1.0, 2.0)]

    assert own_calm.shifts(learnt, manifest)[danger] == pytest.approx(2.0)
    assert own_calm.shifts([], manifest) == {}


def test_of_few_pictures_the_share_may_be_much_larger() -> None:
    assert upper_bound(0, 70) == pytest.approx(1 - 0.05 ** (1 / 70))
    assert upper_bound(3, 100) == pytest.approx(0.0757, abs=1e-4)
    assert upper_bound(5, 5) == 1.0
