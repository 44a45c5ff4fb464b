"""A site of one device, one MQTT server, one alert service and one SMS provider, all real processes but the last."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from testing.fake_twilio import FakeTwilio
from testing.mosquitto import Mosquitto
from tests.broker.running_service import Running, write_config
from tests.system.device import BLUE, GREEN, RED, Device, paint


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    """The SMS provider."""
    with FakeTwilio() as provider:
        yield provider


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Twelve pictures, each unlike the one before; the first of three is a fire."""
    return paint(tmp_path / "pictures", [RED, GREEN, BLUE] * 4)


@pytest.fixture
def device(tmp_path: Path, tiny: Path, pictures: Path, mosquitto: Mosquitto) -> Device:
    """The device, configured and not started."""
    made = Device(tmp_path / "device", tiny, pictures, mosquitto, login={})
    made.configure()
    return made


@pytest.fixture
def service(tmp_path: Path, mosquitto: Mosquitto, twilio: FakeTwilio) -> Running:
    """The alert service, configured and not started."""
    folder = tmp_path / "service"
    folder.mkdir()
    return Running(
        write_config(folder, server=mosquitto, twilio=twilio),
        ["--summary", str(folder / "summary.json")],
        as_installed=True,
    )
