"""The network that ours is timed against: as large as the published one, and run by the same runtime."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from bench.__main__ import main
from bench.device import yolox
from contract import bundle


@pytest.fixture
def headless(tiny: Path, tmp_path: Path) -> Path:
    """The tiny bundle without its detector."""
    folder = shutil.copytree(tiny, tmp_path / "headless")
    manifest = bundle.load(folder)
    files = {role: file for role, file in manifest.files.items() if role != "detector"}
    bundle.write(folder, replace(manifest, files=files, detection=None))
    return folder


@pytest.mark.parametrize("activation", yolox.ACTIVATIONS)
def test_it_is_as_large_as_published(activation: str) -> None:
    network = yolox.build(416, activation)

    parameters = sum(int(np.prod(weights.shape)) for weights in network.trainable_weights)
    assert parameters == pytest.approx(yolox.PUBLISHED_PARAMETERS, rel=0.01)
    assert yolox.operations(network) == pytest.approx(yolox.PUBLISHED_OPERATIONS, rel=0.05)
    assert network.output.shape == (1, 52 * 52 + 26 * 26 + 13 * 13, 4 + 1 + yolox.CLASSES)


@pytest.mark.slow
def test_it_is_converted_once_and_runs_on_pictures_of_any_size(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (72, 128, 3)).astype(np.uint8)

    found = yolox.Yolox(64, "silu", tmp_path).detect(picture)["out"]
    [file] = tmp_path.iterdir()
    written = file.stat().st_mtime_ns
    again = yolox.Yolox(64, "silu", tmp_path).detect(picture)["out"]

    assert found.shape == (1, 8 * 8 + 4 * 4 + 2 * 2, 85)
    assert np.isfinite(found).all()
    assert np.array_equal(found, again)
    assert file.stat().st_mtime_ns == written


def test_a_bundle_without_detector_is_named(headless: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--bundle", str(headless), "--without-seed"]) == 78
    assert "has no detector to time" in capsys.readouterr().err
