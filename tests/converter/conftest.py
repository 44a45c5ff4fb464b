"""A real export with random weights, and the bundle that the converter makes of it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from converter import cli
from tests.conftest import REPOSITORY


@pytest.fixture(scope="session")
def export_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export as the trainer writes it."""
    folder = tmp_path_factory.mktemp("converter") / "export"
    program = [sys.executable, "-m", "tests.converter.tiny_export", str(folder)]
    done = subprocess.run(program, cwd=REPOSITORY, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def captions_file(export_folder: Path) -> Path:
    """COCO captions of the export's pictures."""
    names = sorted(path.name for path in (export_folder / "pictures").iterdir())
    images = [{"id": number, "file_name": name} for number, name in enumerate(names)]
    annotations = [
        {"id": 2 * number + which, "image_id": number, "caption": text}
        for number in range(len(names))
        for which, text in enumerate(("A man with a hat runs.", "The woman holds two dogs of the street."))
    ]
    path = export_folder / "captions.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations}), encoding="utf-8")
    (export_folder / "images").symlink_to("pictures")
    return path


@pytest.fixture(scope="session")
def bundle_folder(export_folder: Path, captions_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of the export, written by the command."""
    out = tmp_path_factory.mktemp("models") / "tiny"
    code = cli.main(["convert", str(export_folder), "--out", str(out), "--captions", str(captions_file)])
    assert code == 0
    return out
