"""The whole service as a process: real Mosquitto, real SQLite, Twilio's library against a local server."""

import json
import signal
from pathlib import Path

from tests.broker.device import FakeDevice, event
from tests.broker.fake_twilio import FakeTwilio
from tests.broker.running import Running, write_config
from tests.mosquitto import Mosquitto


def test_a_gun_becomes_one_text_message_and_every_caption_is_acknowledged(tmp_path: Path, mosquitto: Mosquitto) -> None:
    captions = [event("a man walks"), event("a man is holding a gun", seq=1), event("he is holding a gun", seq=2)]
    summary = tmp_path / "summary.json"
    with FakeTwilio() as twilio, FakeDevice(mosquitto) as device:
        config = write_config(tmp_path, server=mosquitto, twilio=twilio)
        with Running(config, ["--summary", str(summary)]) as service:
            device.say(*captions)
            device.wait_stored(*captions)
            service.wait_said("alert sent")
            code = service.stop(signal.SIGTERM)

    assert code == 0
    assert twilio.texts == ["ALERT Gun - North Gate, Device 1, Lobby camera, 03-14 12:00: a man is holding a gun"]
    told = json.loads(summary.read_text())
    assert told["captions"] == 3
    assert told["alerts"] == {"sent": 1}
    assert told["texts"][0]["text"] == twilio.texts[0]
