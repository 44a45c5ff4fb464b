"""The configuration that the demo writes is one that the services take."""

from pathlib import Path

from broker.config import broker as broker_config
from broker.rules import compiler
from demo import settings, source, words
from edge import config as edge_config


def test_the_alert_service_takes_its_configuration_with_every_rule(tmp_path: Path) -> None:
    part = settings.mqtt_part(tmp_path, settings.SERVER, "secret", 1883)
    read = broker_config.load(settings.write_broker(tmp_path, "ko", part))

    assert {"gun", "fire"} <= {rule.name for rule in compiler.load(read.rules_file).rules}
    assert [person.language for person in read.recipients] == ["ko"]
    assert read.twilio is None


def test_the_device_takes_its_configuration(tmp_path: Path) -> None:
    part = settings.mqtt_part(tmp_path, settings.DEVICE, "secret", 1883)
    looks_at = source.Source("clip", {"kind": "replay", "path": "film.mp4"}, live=False)
    read = edge_config.load(settings.write_edge(tmp_path, looks_at, tmp_path, part))

    assert read.mqtt.host == "127.0.0.1"
    assert isinstance(read.camera, edge_config.Replay)


def test_passwords_are_new_in_each_run_and_nobody_elses_to_read(tmp_path: Path) -> None:
    users = settings.users()
    settings.mqtt_part(tmp_path, settings.DEVICE, users[settings.DEVICE], 1883)

    assert users[settings.DEVICE] != users[settings.SERVER]
    assert users != settings.users()
    assert (tmp_path / "device.password").stat().st_mode & 0o077 == 0


def test_both_languages_say_something_for_everything() -> None:
    for name in words.Words.__slots__:
        assert getattr(words.ENGLISH, name)
        assert getattr(words.KOREAN, name)
