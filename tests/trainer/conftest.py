"""One run of the smoke recipe, from rendering its images to the export, that many tests look at."""

import shutil
from pathlib import Path

import pytest

from tests.trainer.workstation import Workstation


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Workstation:
    """A workstation whose data is rendered and encoded, and nothing trained."""
    made = Workstation(tmp_path_factory.mktemp("prepared"))
    made.lay_out()
    made.does("sample", "--out", "runs/sample")
    made.does("prepare", made.recipe)
    return made


@pytest.fixture
def untrained(prepared: Workstation, tmp_path: Path) -> Workstation:
    """A copy of the prepared workstation to do anything to."""
    shutil.copytree(prepared.folder, tmp_path / "untrained")
    return Workstation(tmp_path / "untrained")


@pytest.fixture(scope="session")
def trained(prepared: Workstation, tmp_path_factory: pytest.TempPathFactory) -> Workstation:
    """A workstation that has trained every stage of the smoke recipe and exported it; to be looked at only."""
    made = Workstation(tmp_path_factory.mktemp("trained") / "workstation")
    shutil.copytree(prepared.folder, made.folder)
    made.does("train", made.recipe)
    made.does("export", made.recipe, "--out", "exported")
    return made
