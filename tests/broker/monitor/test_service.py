"""What the running service shows of itself: real processes, asked as Prometheus and a supervisor would ask."""

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from prometheus_client.parser import text_string_to_metric_families

from contract import topics
from contract.status import State, encode
from testing.fake_twilio import FakeTwilio
from testing.mosquitto import Mosquitto
from testing.waiting import PATIENCE_SECONDS, wait_until
from tests.broker.device import FakeDevice, event, status
from tests.broker.running_service import Running, write_config

MONITOR = {"port": 0}

IMPATIENT = {"quiet_seconds": 4, "offline_seconds": 0, "gather_seconds": 0, "steady_seconds": 0, "grace_seconds": 0}


def configure(folder: Path, **changes: Any) -> Path:
    """Write a configuration with a single rule: the shipped ones take seconds to compile on a busy machine."""
    (folder / "rules.yaml").write_text("rules: [{name: gun, severity: critical, says: [gun]}]", encoding="utf-8")
    return write_config(folder, rules_file="rules.yaml", **changes)


def address(service: Running) -> str:
    """Return where a service shows itself, over all its starts the last."""
    return str(service.said("monitor")[-1]["address"])


def ask(service: Running, path: str) -> httpx.Response:
    return httpx.get(address(service) + path, timeout=PATIENCE_SECONDS)


def checks(service: Running) -> dict[str, bool]:
    return {name: check["ok"] for name, check in ask(service, "/readyz").json()["checks"].items()}


def metrics(service: Running) -> dict[str, float]:
    """Return every sample, by its name and labels: `wordcam_ingest_refused_total{reason=schema}`."""
    found = {}
    for family in text_string_to_metric_families(ask(service, "/metrics").text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sample.labels.items())
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def test_what_comes_in_and_goes_out_is_counted(tmp_path: Path, mosquitto: Mosquitto) -> None:
    secret = "a man is holding a gun behind the green door"
    with FakeTwilio() as twilio, FakeDevice(mosquitto) as device:
        config = configure(tmp_path, server=mosquitto, twilio=twilio, monitor=MONITOR)
        with Running(config) as service:
            device.say(event(secret), event("a man walks", seq=1), event(secret))
            device.shout(topics.topic("north-gate", "pi-01", "caption"), b"{}")
            device.shout(topics.topic("north-gate", "pi-01", "status"), encode(status()))
            service.wait_said("notification sent")
            wait_until(lambda: metrics(service)["wordcam_statuses_total"] == 1, "the status is counted")
            counted = metrics(service)
            raw = ask(service, "/metrics").text

    assert counted["wordcam_ingest_messages_total"] == 5
    assert counted["wordcam_captions_stored_total"] == 2
    assert counted["wordcam_captions_duplicate_total"] == 1
    assert counted["wordcam_ingest_refused_total{reason=schema}"] == 1
    assert counted["wordcam_ingest_refused_total{reason=not-json}"] == 0
    assert counted["wordcam_caption_delay_seconds_count"] == 2
    assert counted["wordcam_ingest_commit_seconds_count"] == counted["wordcam_ingest_batch_messages_count"] > 0
    assert counted["wordcam_texts_sent_total{channel=twilio,kind=first}"] == 1
    assert counted["wordcam_text_attempts_total{channel=twilio}"] == 1
    assert counted["wordcam_text_delay_seconds_count{channel=twilio}"] == 1
    assert counted["wordcam_incidents_open{severity=critical,state=open}"] == 1
    assert counted["wordcam_devices_captioning{within_seconds=60}"] == 1
    assert counted["wordcam_ready"] == 1
    assert "green door" not in raw
    assert "pi-01" not in raw


def test_a_device_gets_a_series_of_its_own_only_where_someone_asks_for_it(tmp_path: Path, mosquitto: Mosquitto) -> None:
    config = configure(tmp_path, server=mosquitto, monitor=MONITOR | {"per_device": 1})
    with FakeDevice(mosquitto) as device, Running(config) as service:
        device.say(event())
        device.wait_stored(event())
        with FakeDevice(mosquitto, device="pi-02") as other:
            later = event(device="pi-02", seq=1)
            other.say(later)
            other.wait_stored(later)
        named = [name for name in metrics(service) if name.startswith("wordcam_device_caption_age_seconds")]

    assert named == ["wordcam_device_caption_age_seconds{device=pi-01,site=north-gate}"]


def test_it_is_not_ready_while_the_mqtt_server_is_away_and_ready_again_after(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "mqtt") as server:
        config = configure(tmp_path, server=server, monitor=MONITOR)
        with Running(config) as service:
            assert ask(service, "/readyz").status_code == 200
            server.stop()
            wait_until(lambda: ask(service, "/readyz").status_code == 503, "it is not ready")
            assert [name for name, ok in checks(service).items() if not ok] == ["mqtt"]
            assert ask(service, "/healthz").status_code == 200
            assert metrics(service)["wordcam_check_ok{check=mqtt}"] == 0
            server.start()
            wait_until(lambda: ask(service, "/readyz").status_code == 200, "it is ready again")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a database as another process might."""
    with sqlite3.connect(path, isolation_level=None) as database:
        database.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            database.execute("ROLLBACK")
    database.close()


def test_it_is_not_ready_while_the_database_cannot_be_written(tmp_path: Path, mosquitto: Mosquitto) -> None:
    config = configure(tmp_path, server=mosquitto, monitor=MONITOR)
    with Running(config) as service:
        with locked(tmp_path / "wordcam.db"):
            wait_until(lambda: checks(service)["database"] is False, "the check fails")
            said = ask(service, "/readyz").json()["checks"]["database"]["because"]
        wait_until(lambda: checks(service)["database"], "the check is well again")

    assert said == "database is locked"


def test_nothing_listens_unless_the_configuration_says_so(tmp_path: Path, mosquitto: Mosquitto) -> None:
    with Running(configure(tmp_path, server=mosquitto)) as service:
        assert service.stop() == 0

    assert service.said("monitor") == []


def test_a_port_that_is_taken_is_named_before_anything_starts(tmp_path: Path, mosquitto: Mosquitto) -> None:
    port = {"port": mosquitto.port}
    config = configure(tmp_path, server=mosquitto, monitor=port)
    with Running(config, wait_for=None) as service:
        assert service.wait() == 75

    assert f"monitor.port: 127.0.0.1:{mosquitto.port}: Address already in use" in service.stderr


class Camera:
    """A device with a last will, whose network can be cut."""

    def __init__(self, server: Mosquitto, name: str) -> None:
        self.name = name
        topic = topics.topic("north-gate", name, "status")
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        since = datetime.now(UTC)  # of this connection: a later one is another
        will = status(device=name, state=State.OFFLINE, since=since, at=None, reason="connection lost")
        self._client.will_set(topic, encode(will), qos=1, retain=True)
        self._client.connect(server.host, server.port)
        self._client.loop_start()
        self._client.publish(topic, encode(status(device=name, since=since)), qos=1, retain=True).wait_for_publish(
            PATIENCE_SECONDS
        )

    def cut(self) -> None:
        """Lose the connection as a cable does: without a goodbye."""
        self._client.loop_stop()
        sock: Any = self._client.socket()
        sock.close()


def test_a_site_that_is_cut_off_is_one_text_and_its_return_is_another(tmp_path: Path, mosquitto: Mosquitto) -> None:
    names = [f"pi-0{number}" for number in range(1, 5)]
    with FakeTwilio() as twilio:
        settings = IMPATIENT | {"quiet_seconds": 3600, "offline_seconds": 3, "gather_seconds": 10}
        config = configure(tmp_path, server=mosquitto, twilio=twilio, presence=settings, monitor=MONITOR)
        with Running(config) as service:
            cameras = [Camera(mosquitto, name) for name in names]
            wait_until(lambda: metrics(service)["wordcam_devices{health=online}"] == 4, "all are there")
            for camera in cameras:
                camera.cut()
            service.wait_said("notification sent")
            assert metrics(service)["wordcam_devices{health=offline}"] == 4
            assert metrics(service)["wordcam_incidents_open{severity=warning,state=open}"] == 1
            back = [Camera(mosquitto, name) for name in names]
            service.wait_said("notification sent", 2)
            service.stop(signal.SIGKILL)
            for camera in back:
                camera.cut()

    first, over = twilio.texts
    assert first.startswith("ALERT Device silent - North Gate, ")
    assert ": Device 1, pi-02, pi-03, pi-04: no message since " in first
    assert over.startswith("OVER: Device silent - North Gate, ")
    assert over.endswith(": reports again #1")
