"""The classifier in its bundle, as the device runs it."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import pytest

from contract import bundle
from edge.infer.captioner import Captioner
from tests.edge import pictures
from tests.edge.pictures import DARK, RED
from trainer.hazards import bundle_file, features
from trainer.hazards.bundle_file import Classifier
from trainer.hazards.choosing import ALARMS, Choice
from trainer.hazards.fitting import Network, Scale
from trainer.hazards.recipe import DANGERS, HazardRecipe

DEPTH = 8
"""Numbers of a cell of the tiny bundle: red, green, blue and darkness come first."""

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def classifier(threshold: float) -> Classifier:
    """Make one for which red is a fire, and darkness a gun."""
    linear = np.zeros((DEPTH, len(DANGERS)), np.float32)
    linear[0, DANGERS.index("fire")] = 10.0
    linear[3, DANGERS.index("armed")] = linear[3, DANGERS.index("gun")] = 10.0
    linear[3, DANGERS.index("knife")] = -10.0
    network = Network(linear, np.zeros(len(DANGERS)), np.zeros((DEPTH, 4)), np.zeros(4), np.zeros((4, len(DANGERS))))
    choice = Choice(threshold, threshold - 2.0, "shops", {"shops": 0.75}, {"shops": 0.5}, {}, {}, {})
    return Classifier(network, Scale(np.zeros(DEPTH), np.ones(DEPTH)), dict.fromkeys(ALARMS, choice), {"shops": 0.01})


@pytest.fixture(scope="module")
def taught(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = shutil.copytree(tiny, tmp_path_factory.mktemp("taught") / "bundle")
    bundle_file.write(folder, classifier(3.0), HazardRecipe(version="9.8.7", scenes=()), NOW)
    return folder


def test_the_manifest_asks_for_one_half_and_less_of_cameras_that_know_their_calm(taught: Path) -> None:
    manifest = bundle.load(taught)

    assert manifest.version == "9.8.7"
    assert set(manifest.evidence.values()) == {0.5}
    assert manifest.own_calm is not msgspec.UNSET
    assert manifest.own_calm["fire"].floor == pytest.approx(1 / (1 + np.exp(2.0)), abs=1e-3)
    assert manifest.crop_weight == {"gun": 0.5, "knife": 0.5}
    assert manifest.crop_evidence == {}


def test_the_card_tells_what_to_expect(taught: Path) -> None:
    manifest = bundle.load(taught)
    card = (taught / manifest.files["card"].name).read_text(encoding="utf-8")

    assert card.startswith(f"# {manifest.name} 9.8.7\n")
    assert "| fire | shops | 75% | 50% |" in card
    assert "| shops | 1.0% |" in card
    assert card.count("## Alarms") == 1


def test_a_danger_reaches_one_half_at_its_threshold(taught: Path) -> None:
    captioner = Captioner.open(taught)
    fire = captioner.weigh(captioner.encode(pictures.plain(RED, 96, 96))).evidence
    cells = captioner.encode(pictures.plain(RED, 96, 96)).cells[0].max(0)

    odds = 10.0 * min(cells[0], 3.0) - 3.0
    assert fire["fire"] == pytest.approx(1 / (1 + np.exp(-odds)), abs=0.02)
    assert fire["gun"] < 0.5


def test_a_weapon_is_named_by_its_kind_where_that_is_sure(taught: Path) -> None:
    captioner = Captioner.open(taught)
    armed = captioner.weigh(captioner.encode(pictures.plain(DARK, 96, 96))).evidence

    assert armed["gun"] > 0.5 > armed["knife"]


def test_the_trainer_sees_what_the_device_sees(tiny: Path) -> None:
    captioner = Captioner.open(tiny)
    bgr = np.random.default_rng(1).integers(0, 255, (240, 320, 3)).astype(np.uint8)
    cells = captioner.encode(features.small(captioner, bgr)).cells[0]

    found = features.pooled(captioner, bgr)

    np.testing.assert_allclose(found, np.concatenate([cells.mean(0), cells.max(0)]), atol=2e-3)
