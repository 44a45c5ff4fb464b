"""The whole service as a process: real Mosquitto, real SQLite, Twilio's library against a local server."""

import json
import re
import signal
import sqlite3
import time
from collections import deque
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from broker.notify.links import Signer
from contract.status import Ledger
from testing.fake_http import Behaviour
from testing.fake_twilio import FakeTwilio
from testing.loopback import free_port
from testing.mosquitto import Mosquitto
from testing.waiting import wait_until
from tests.broker.device import FakeDevice, event, stated, status
from tests.broker.running_service import Running, write_config


def stored(folder: Path) -> list[str]:
    with sqlite3.connect(folder / "wordcam.db") as database:
        return [event_id for (event_id,) in database.execute("SELECT event_id FROM caption ORDER BY id")]


def timeless(text: str) -> str:
    """Put TIME in place of the time of day, with the date where midnight came between."""
    return re.sub(r"(\d\d-\d\d )?\b\d\d:\d\d\b", "TIME", text)


def test_a_gun_becomes_one_text_message_and_every_caption_is_acknowledged(tmp_path: Path, mosquitto: Mosquitto) -> None:
    captions = [event("a man walks"), event("a man is holding a gun", seq=1), event("he is holding a gun", seq=2)]
    summary = tmp_path / "summary.json"
    with FakeTwilio() as twilio, FakeDevice(mosquitto) as device:
        config = write_config(tmp_path, server=mosquitto, twilio=twilio)
        with Running(config, ["--summary", str(summary)]) as service:
            device.say(*captions)
            device.wait_stored(*captions)
            service.wait_said("notification sent")
            code = service.stop(signal.SIGTERM)

    assert code == 0
    (text,) = twilio.texts
    assert timeless(text) == "ALERT Gun - North Gate, Device 1, Lobby camera, TIME: a man is holding a gun #1"
    told = json.loads(summary.read_text())
    assert told["captions"] == 3
    assert told["alerts"] == {"sent": 1}
    assert told["texts"][0]["text"] == twilio.texts[0]


def test_a_text_of_the_running_service_ends_in_a_link_that_the_database_does_not_hold(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    (tmp_path / "link-secret").write_text("0123456789abcdef" * 2)
    links = {"base_url": "https://cam.example", "secret_file": "link-secret"}
    with FakeTwilio() as twilio, FakeDevice(mosquitto) as device:
        config = write_config(tmp_path, server=mosquitto, twilio=twilio, links=links)
        with Running(config) as service:
            device.say(event("a man is holding a gun"))
            service.wait_said("notification sent")
            assert service.stop() == 0

    (text,) = twilio.texts
    signer = Signer("https://cam.example", "0123456789abcdef" * 2, timedelta(hours=24))
    assert signer.read(text.rpartition("https://cam.example/a/")[2]) == 1
    with sqlite3.connect(tmp_path / "wordcam.db") as database:
        assert database.execute("SELECT text FROM alert").fetchone() == (
            text.replace(signer.link(1), signer.masked(1)),
        )


def test_without_an_account_the_message_is_printed_in_the_recipients_language(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    people = [{"name": "경비실", "phone": "+82 10 1234 5678", "language": "ko"}]
    config = write_config(tmp_path, server=mosquitto, recipients=people)
    with FakeDevice(mosquitto) as device, Running(config) as service:
        device.say(event("a man is holding a gun"))
        service.wait_said("notification sent")
        code = service.stop(signal.SIGINT)

    assert code == 0
    printed = timeless(service.stdout)
    assert printed.startswith("--- SMS to +821012345678 (not sent: no account is set), 1 part(s), UCS-2\n")
    assert "[경보] 총기 · 북문 1호기 현관 카메라 TIME 남자가 총을 들고 있다" in printed


def test_captions_said_while_the_service_is_away_are_stored_when_it_is_back(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    config = write_config(tmp_path, server=mosquitto)
    captions = [event(seq=number) for number in range(50)]
    with FakeDevice(mosquitto) as device, Running(config) as service:
        assert service.stop() == 0
        device.say(*captions)
        service.start()
        device.wait_stored(*captions)

    assert stored(tmp_path) == [caption.id for caption in captions]


def test_kill_9_in_the_middle_loses_nothing_and_doubles_nothing(tmp_path: Path, mosquitto: Mosquitto) -> None:
    captions = [event("a man is holding a gun" if n % 50 == 25 else "a man walks", seq=n) for n in range(400)]
    with FakeTwilio() as twilio, FakeDevice(mosquitto) as device:
        config = write_config(tmp_path, server=mosquitto, twilio=twilio, mqtt={"batch": 5})
        with Running(config) as service:
            device.say(*captions[:200])
            wait_until(lambda: len(device.stored) > 10, "some acknowledgements")
            service.stop(signal.SIGKILL)
            service.start()
            device.say(*captions[200:])
            wait_until(lambda: len(device.stored) > 210, "more acknowledgements")
            service.stop(signal.SIGKILL)
            service.start()
            device.wait_stored(*captions)
            service.wait_said("notification sent")

    assert sorted(stored(tmp_path)) == [caption.id for caption in captions]
    assert len(twilio.messages) == 1


def test_kill_9_while_the_provider_thinks_sends_nothing_twice(tmp_path: Path, mosquitto: Mosquitto) -> None:
    with FakeTwilio(planned=deque([Behaviour.ACCEPTED_TIMEOUT])) as twilio, FakeDevice(mosquitto) as device:
        config = write_config(tmp_path, server=mosquitto, twilio=twilio)
        with Running(config) as service:
            device.say(event("a man is holding a gun"))
            wait_until(lambda: len(twilio.messages) == 1, "the provider takes the message")
            service.stop(signal.SIGKILL)
            service.start()
            service.wait_said("notification sent")

    assert twilio.posts == 1


def test_an_alert_that_cannot_be_sent_waits_across_a_restart(tmp_path: Path, mosquitto: Mosquitto) -> None:
    with FakeTwilio(planned=deque([Behaviour.TOO_MANY_REQUESTS] * 2)) as twilio, FakeDevice(mosquitto) as device:
        config = write_config(tmp_path, server=mosquitto, twilio=twilio)
        with Running(config) as service:
            device.say(event("a man is holding a gun"))
            service.wait_said("notification not sent; retrying")
            service.stop()
            service.start()
            service.wait_said("notification sent")

    assert len(twilio.messages) == 1


def test_while_the_database_is_locked_nothing_is_acknowledged_and_nothing_is_lost(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    caption = event()
    config = write_config(tmp_path, server=mosquitto)
    with FakeDevice(mosquitto) as device, Running(config) as service:
        holder = sqlite3.connect(tmp_path / "wordcam.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        device.say(caption)
        service.wait_said("cannot store; trying again")
        before = list(device.stored)
        holder.execute("ROLLBACK")
        holder.close()
        device.wait_stored(caption)

    assert before == []
    assert stored(tmp_path) == [caption.id]


def test_a_stop_while_the_database_is_locked_leaves_the_captions_with_the_server(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    caption = event()
    config = write_config(tmp_path, server=mosquitto)
    with FakeDevice(mosquitto) as device, Running(config) as service:
        holder = sqlite3.connect(tmp_path / "wordcam.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        device.say(caption)
        service.wait_said("cannot store; trying again")
        service.send_signal(signal.SIGTERM)
        time.sleep(1)
        holder.execute("ROLLBACK")
        holder.close()
        service.wait()
        service.start()
        device.wait_stored(caption)

    assert stored(tmp_path) == [caption.id]


def test_refused_captions_are_named_to_their_device_and_counted(tmp_path: Path, mosquitto: Mosquitto) -> None:
    summary = tmp_path / "summary.json"
    config = write_config(tmp_path, server=mosquitto)
    with FakeDevice(mosquitto) as device, Running(config, ["--summary", str(summary)]) as service:
        device.shout("wordcam/v1/north-gate/pi-01/caption", b'{"id": "event-77"}')
        device.shout("wordcam/v1/north-gate/pi-01/caption", b"\xff")
        device.shout("wordcam/v1/North Gate/pi-01/caption", b"{}")
        device.say(event())
        device.wait_stored(event())
        wait_until(lambda: "event-77" in device.refused, "the refusal")
        service.stop()

    assert device.refused == {"event-77": "schema"}
    assert json.loads(summary.read_text())["refused"] == {"schema": 1, "not-utf8": 1, "not-ours": 1}


def test_a_server_that_comes_back_is_connected_again(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "mosquitto", persistent=True) as server:
        config = write_config(tmp_path, server=server)
        with Running(config) as service:
            server.stop()
            service.wait_said("disconnected; trying again")
            server.start()
            service.wait_said("subscribed", 2)
            with FakeDevice(server) as device:
                device.say(event())
                device.wait_stored(event())

    assert stored(tmp_path) == [event().id]


def test_a_server_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    server = Mosquitto(tmp_path / "mosquitto")
    config = write_config(tmp_path, server=server)
    with Running(config, wait_for="MQTT server cannot be reached; trying again") as service, server:
        service.wait_said("subscribed")
        code = service.stop()

    assert code == 0


def test_a_refused_login_is_tried_again_and_says_why(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "mosquitto", users={"broker": "right"}) as server:
        (tmp_path / "password").write_text("wrong\n")
        login = {"username": "broker", "password_file": "password"}
        config = write_config(tmp_path, server=server, mqtt=login)
        with Running(config, wait_for="refused by the MQTT server") as service:
            service.wait_said("refused by the MQTT server", count=2)
            code = service.stop()

    assert code == 0
    assert "refuses the login of 'broker'" in service.stderr
    assert "set mqtt.username and mqtt.password_file" in service.stderr


def test_a_second_service_under_the_same_name_is_refused(tmp_path: Path, mosquitto: Mosquitto) -> None:
    config = write_config(tmp_path, server=mosquitto)
    second = tmp_path / "second"
    second.mkdir()
    other = write_config(second, server=mosquitto, database={"path": str(tmp_path / "wordcam.db")})
    with Running(config) as first, Running(other, wait_for=None) as late:
        code = late.wait()
        first.stop()

    assert code == 75
    assert f"another wordcam-broker (process {first.pid}) works on it as 'wordcam-broker'; stop it" in late.stderr
    assert "mqtt.client_id of its own" in late.stderr


def test_an_unknown_key_is_refused_before_anything_starts(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    config.write_text(config.read_text() + "recipient: []\n")
    line = len(config.read_text().splitlines())
    with Running(config, wait_for=None) as service:
        code = service.wait()

    assert code == 78
    assert service.stderr == f"wordcam-broker: {config}:{line}: recipient: unknown key; did you mean `recipients`?\n"
    assert not (tmp_path / "wordcam.db").exists()


def test_the_state_of_a_device_and_its_ledger_are_in_the_summary(tmp_path: Path, mosquitto: Mosquitto) -> None:
    summary = tmp_path / "summary.json"
    online = stated(status(ledger=Ledger(captions=2, sent_bytes=1400, video_bytes=5_000_000)))
    config = write_config(tmp_path, server=mosquitto)
    with FakeDevice(mosquitto) as device:
        device.shout(online.topic, online.payload, retain=True)
        with Running(config, ["--summary", str(summary)]) as service:
            device.say(event())
            device.wait_stored(event())
            service.stop()

    assert json.loads(summary.read_text())["devices"]["north-gate/pi-01"]["video_bytes"] == 5_000_000


@pytest.mark.parametrize("missing", ["token", "rules"])
def test_what_the_config_names_must_be_there(tmp_path: Path, missing: str) -> None:
    tree = yaml.safe_load(write_config(tmp_path, mqtt={"port": free_port()}).read_text())
    account = {"account_sid": "AC" + "0" * 32, "auth_token_file": "no-such-token", "sender": "+12025550100"}
    tree |= {"twilio": account} if missing == "token" else {"rules_file": "no-such-rules.yaml"}
    config = tmp_path / "broker.yaml"
    config.write_text(yaml.safe_dump(tree))
    with Running(config, wait_for=None) as service:
        code = service.wait()

    assert code == 78
    assert "no-such-" in service.stderr
