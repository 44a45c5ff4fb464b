"""Limits chosen by what a bundle's own models say, and put where the next export finds them."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from msgspec.structs import replace

from bench.accuracy import thresholds
from contract import bundle
from edge.infer import image
from edge.infer.captioner import Captioner
from tests.edge.look.test_scene import LIMITS
from trainer.data.example import CaptionExample

DANGERS = list(LIMITS)


@pytest.fixture
def judging(tiny: Path, tmp_path: Path) -> Path:
    """The tiny bundle with evidence."""
    folder = shutil.copytree(tiny, tmp_path / "bundle")
    bundle.write(folder, replace(bundle.load(folder), evidence=LIMITS))
    return folder


def scenes(folder: Path, judging: Path, danger: str) -> tuple[Path, list[float]]:
    """Plain pictures of many colours; those of which the bundle is surest are labelled with the danger."""
    captioner = Captioner.open(judging)
    random, weighed = np.random.default_rng(7), []
    for number in range(24):
        path = folder / f"{number}.png"
        cv2.imwrite(str(path), np.full((48, 64, 3), random.integers(0, 256, 3), np.uint8))
        weighed.append((captioner.weigh(captioner.encode(image.read(path))).evidence[danger], path.name))
    weighed.sort(reverse=True)
    listed = [{"file": name, "label": danger if at < 3 else "none"} for at, (_, name) in enumerate(weighed)]
    file = folder / "hazards.json"
    file.write_text(json.dumps(listed), encoding="utf-8")
    return file, [evidence for evidence, _ in weighed]


def odds(share: float) -> float:
    inside = min(share, 1 - 1e-9)
    return float(np.log(inside / (1 - inside)))


def test_a_limit_is_told_on_the_scale_of_the_run(
    judging: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    danger = DANGERS[0]
    file, evidence = scenes(tmp_path, judging, danger)
    kept = tmp_path / "limits.json"
    kept.write_text(json.dumps(dict.fromkeys(DANGERS, 0.99)), encoding="utf-8")

    assert thresholds.main(["--bundle", str(judging), "--hazards", str(file), "--write", str(kept)]) == 0

    said = capsys.readouterr().out
    assert "100.0%" in said
    found = json.loads(kept.read_text())
    assert list(found) == DANGERS
    least, most = (1 / (1 + np.exp(-odds(share) - odds(0.99))) for share in (evidence[3], evidence[2]))
    assert least <= found[danger] + 1e-4
    assert found[danger] <= most + 1e-4


def test_what_is_found_elsewhere_was_not_there_to_choose_by() -> None:
    dangers = ["gun", "fire"]
    labels = ["gun"] * 20 + ["none"] * 20
    evidence = np.full((40, 2), 0.01)
    evidence[:20, 0] = np.linspace(0.6, 0.8, 20)
    evidence[39, 0] = 0.9  # the last of the peaceful ones: chosen with it, no limit finds a gun

    reached = thresholds.elsewhere(evidence, [CaptionExample(Path(), (), "", label) for label in labels], dangers, 0.0)

    assert reached[39, 0]
    assert reached[18:20, 0].all(), "judged without the picture that hides guns"
    assert not reached[:18, 0].any()
    assert not reached[20:39].any()


def test_evidence_of_a_set_table_is_no_false_alarm() -> None:
    labels = ["gun", "gun", "knife", "knife", "none", ""]
    before = np.array([[1, 0], [0, 0], [0, 1], [1, 1], [0, 1], [1, 0]], bool)
    after = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [1, 1], [0, 0]], bool)
    limit = {"gun": 0.5, "knife": 0.5}

    found = thresholds.outcome(
        [before, after, before], [CaptionExample(Path(), (), "", label) for label in labels], limit, limit
    )

    assert found.dangers["gun"].found == (0.5, 1.0, 0.5)
    assert found.dangers["knife"].found == (1.0, 1.0, 1.0)
    assert found.false == {"calm": (1.0, 0.0, 1.0), "knife": (0.5, 0.0, 0.5), "none": (0.0, 1.0, 0.0)}


def test_without_a_file_to_write_nothing_is_written(judging: Path, tmp_path: Path) -> None:
    file, _ = scenes(tmp_path, judging, DANGERS[0])
    before = sorted(path.name for path in tmp_path.iterdir())

    assert thresholds.main(["--bundle", str(judging), "--hazards", str(file)]) == 0

    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize("text", ["{", '{"fire": "high"}', "[]"])
def test_what_are_no_limits_is_named(
    text: str, judging: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, _ = scenes(tmp_path, judging, DANGERS[0])
    kept = tmp_path / "limits.json"
    kept.write_text(text, encoding="utf-8")

    assert thresholds.main(["--bundle", str(judging), "--hazards", str(file), "--write", str(kept)]) == 78

    assert "limits.json: not the limits of a run" in capsys.readouterr().err


def test_limits_of_other_dangers_are_refused(judging: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, _ = scenes(tmp_path, judging, DANGERS[0])
    kept = tmp_path / "limits.json"
    kept.write_text('{"flood": 0.5}', encoding="utf-8")

    assert thresholds.main(["--bundle", str(judging), "--hazards", str(file), "--write", str(kept)]) == 78

    assert "limits.json: limits of flood; the bundle weighs" in capsys.readouterr().err
    assert kept.read_text() == '{"flood": 0.5}'
