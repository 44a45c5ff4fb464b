"""A scene: told from the whole frame, or from the crop that shows a danger, with a drawn bundle and the shipped one."""

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from contract import bundle
from contract.errors import Refused
from edge import config
from edge.infer import image
from edge.infer.captioner import Captioner
from edge.infer.image import Picture
from edge.look import crops, scene
from edge.look.memory import reading
from edge.look.scene import Scene
from edge.process.stage_timer import Latency
from tests.conftest import REPOSITORY
from tests.edge import pictures
from tests.edge.pictures import BLUE, DARK, GREEN, RED

SHIPPED = REPOSITORY / "models" / "wordcam-1"
FRAMES_ALONE = config.Crops(per_frame=0)
LIMITS = {"fire": 0.5, "gun": 0.9, "knife": 0.5}
CROP_LIMITS = {"gun": 0.4}


def opened(folder: Path, into: Path, **fields: Any) -> Captioner:
    """Open a copy of a bundle whose manifest has other fields."""
    copy = shutil.copytree(folder, into)
    bundle.write(copy, replace(bundle.load(copy), **fields))
    return Captioner.open(copy)


@pytest.fixture(scope="module")
def judging(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Captioner:
    """The tiny bundle, which takes much red for a fire and much darkness for a gun, also in crops."""
    folder = tmp_path_factory.mktemp("judging") / "bundle"
    return opened(tiny, folder, evidence=LIMITS, crop_evidence=CROP_LIMITS)


def street(armed: bool, left: float = 0.75) -> Picture:
    """Draw one small person on a green field, with a dark thing at the feet or without."""
    picture = pictures.plain(GREEN, 720, 1280)
    picture[270:360, round(left * 1280) :][:, :160] = BLUE
    if armed:
        picture[360:450, round(left * 1280) :][:, :160] = DARK
    return picture


def seen(captioner: Captioner, rgb: Picture, settings: config.Crops | None = None) -> Scene:
    size = captioner.manifest.input
    small = image.fit(rgb, size.height, size.width)
    return scene.describe(captioner, image.rgb(rgb), small, settings or config.Crops(), Latency())


def test_a_gun_too_small_for_the_frame_is_told_with_its_place(judging: Captioner) -> None:
    found = seen(judging, street(armed=True))
    frame = seen(judging, street(armed=True), FRAMES_ALONE)

    assert found.crops == 1
    assert found.sentence.text.startswith("on the right: ")
    assert [(hazard.term, hazard.probability >= 0.4) for hazard in found.sentence.hazards] == [("gun", True)]
    assert frame.crops == 0
    assert ":" not in frame.sentence.text
    assert all(hazard.probability < 0.1 for hazard in frame.sentence.hazards)
    assert found.detections == frame.detections


def test_the_other_side_is_called_by_its_name_in_korean_too(tiny: Path, tmp_path: Path) -> None:
    korean = opened(tiny, tmp_path / "bundle", evidence=LIMITS, crop_evidence=CROP_LIMITS, language="ko")

    assert seen(korean, street(armed=True, left=0.05)).sentence.text.startswith("왼쪽: ")


def test_a_closer_look_that_finds_nothing_changes_nothing(judging: Captioner) -> None:
    found, frame = (seen(judging, street(armed=False), settings) for settings in (None, FRAMES_ALONE))

    assert (found.crops, frame.crops) == (1, 0)
    assert found.sentence.text == frame.sentence.text
    assert found.sentence.hazards == frame.sentence.hazards


def test_a_frame_that_bears_the_danger_out_needs_no_closer_look(judging: Captioner) -> None:
    dark = pictures.plain(DARK, 720, 1280)
    dark[270:360, 960:1120] = BLUE

    found = seen(judging, dark)

    assert found.crops == 0
    assert found.sentence.text.startswith("a gun")


def test_a_danger_without_a_limit_for_crops_is_not_said_of_one(tiny: Path, tmp_path: Path) -> None:
    captioner = opened(tiny, tmp_path / "bundle", evidence=LIMITS, crop_evidence=CROP_LIMITS)
    picture = street(armed=True)
    picture[450:495, 960:1120] = RED

    said = seen(captioner, picture).sentence

    assert said.text.startswith("on the right: ")
    assert "fire" not in said.text
    assert "burning" not in said.text
    assert [hazard.term for hazard in said.hazards if hazard.probability >= 0.4] == ["gun"]


def test_a_bundle_that_cannot_judge_crops_looks_at_frames_alone(tiny: Path) -> None:
    assert seen(Captioner.open(tiny), street(armed=True)).crops == 0


def test_a_limit_for_a_danger_that_is_not_weighed_is_refused(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="`crop_evidence` names 'gun', which is not among `evidence`"):
        opened(tiny, tmp_path / "bundle", crop_evidence=CROP_LIMITS)


def test_the_shipped_model_tells_real_guns_by_their_crop_or_the_frame_as_before(
    shared_data: Path, tmp_path: Path
) -> None:
    captioner = opened(SHIPPED, tmp_path / "bundle", crop_evidence={"gun": 0.6}, crop_weight=msgspec.UNSET)
    listed = json.loads((shared_data / "hazards" / "hazards_val.json").read_text(encoding="utf-8"))
    guns = [shared_data / "hazards" / picture["file"] for picture in listed if picture["label"] == "gun"][:40]

    crops = 0
    for file in guns:
        rgb = image.read(file)
        found, frame = seen(captioner, rgb), seen(captioner, rgb, FRAMES_ALONE)
        crops += found.crops
        if found.sentence.text != frame.sentence.text:
            assert found.sentence.text.startswith(("on the ", "in the middle"))
            assert {hazard.term: hazard.probability for hazard in found.sentence.hazards}["gun"] >= 0.6
    assert crops > 0


def test_a_picture_too_dark_to_show_anything_is_evidence_of_nothing(judging: Captioner) -> None:
    found = seen(judging, pictures.plain(DARK, 720, 1280) // 8)

    assert found.crops == 0
    assert found.sentence.hazards == ()
    assert not {"gun", "fire", "knife"} & set(found.sentence.words)


def test_frame_and_crop_are_judged_together_where_the_bundle_says_so(tiny: Path, tmp_path: Path) -> None:
    shared = opened(tiny, tmp_path / "shared", evidence=LIMITS, crop_weight={"gun": 0.5})
    gun = pictures.plain(GREEN, 720, 1280)
    gun[180:540, 500:820] = DARK
    gun[200:290, 550:710] = BLUE
    frame = scene.look(shared, image.rgb(gun), _small(shared, gun), FRAMES_ALONE, Latency())
    assert frame.weighed.evidence["gun"] >= crops.LEAST_SHARED, "the frame gives cause to look at crops"

    sight = scene.look(shared, image.rgb(gun), _small(shared, gun), config.Crops(), Latency())

    clearest = max(crop.weighed.evidence["gun"] for crop in sight.crops)
    odds = [reading.log_odds(found) for found in (frame.weighed.evidence["gun"], clearest)]
    assert sight.weighed.evidence["gun"] == pytest.approx(reading.probability(sum(odds) / 2))
    assert sight.weighed.evidence["fire"] == frame.weighed.evidence["fire"]


def test_a_frame_that_says_far_too_little_is_not_looked_at_closer(tiny: Path, tmp_path: Path) -> None:
    shared = opened(tiny, tmp_path / "shared", evidence=LIMITS, crop_weight={"gun": 0.5})

    assert seen(shared, street(armed=False)).crops == 0


def test_a_weight_for_a_danger_that_is_not_weighed_is_refused(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="`crop_weight` names 'gun', which is not among `evidence`"):
        opened(tiny, tmp_path / "bundle", crop_weight={"gun": 0.5})


def _small(captioner: Captioner, rgb: Picture) -> Picture:
    size = captioner.manifest.input
    return image.fit(rgb, size.height, size.width)
