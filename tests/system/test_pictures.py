"""The model that ships, on real pictures of danger and of peace, from the file to the text message."""

import json
import re
import shutil
from pathlib import Path

import pytest

from testing.fake_twilio import FakeTwilio
from testing.mosquitto import Mosquitto
from testing.waiting import wait_until
from tests.broker.running_service import Running
from tests.conftest import REPOSITORY
from tests.system.device import Device

SHIPPED = REPOSITORY / "models" / "wordcam-1"

AT_MOST = 12
"""Pictures of a kind: enough that a model which knows the danger says it once, and few enough for seconds."""

LOOKS = 8
"""At each picture: a danger in a single look is not believed."""


def pictures_of(label: str, data: Path, folder: Path) -> Path:
    """Copy the first validation pictures of a label into a folder, each for several looks."""
    folder.mkdir()
    listed = json.loads((data / "hazards" / "hazards_val.json").read_text(encoding="utf-8"))
    for picture in [picture for picture in listed if picture["label"] == label][:AT_MOST]:
        source = data / "hazards" / picture["file"]
        for look in range(LOOKS):
            shutil.copy(source, folder / f"{source.stem}_{look}{source.suffix}")
    return folder


@pytest.mark.parametrize(("label", "text"), [("weapon", r"ALERT (Weapon|Gun|Knife)"), ("fire", r"ALERT Fire")])
def test_a_real_danger_reaches_the_guard(
    label: str,
    text: str,
    shared_data: Path,
    tmp_path: Path,
    mosquitto: Mosquitto,
    service: Running,
    twilio: FakeTwilio,
) -> None:
    pictures = pictures_of(label, shared_data, tmp_path / label)
    device = Device(tmp_path / "device", SHIPPED, pictures, mosquitto, login={})
    device.configure()

    with service:
        device.run_summarised()
        wait_until(lambda: bool(twilio.texts), f"a text message about {label}")
        assert service.stop() == 0
    assert re.match(text, twilio.texts[0])

    assert device.summary["ledger"]["waiting"] == 0
    assert device.summary["model"].startswith("wordcam-1@")
