"""Fixtures that tests of more than one package share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mosquitto import Mosquitto

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A running MQTT server that lets everyone in and forgets everything at its end."""
    with Mosquitto(tmp_path / "mosquitto") as server:
        yield server


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real pictures, clips and captions beside the repository; skips where it is absent."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there: this test runs on real pictures that are not part of the repository")
    return folder
