"""From an empty server to a device with a certificate, and out again: as users type it, with a real Mosquitto."""

import ssl
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from broker.cli import main as broker_cli
from broker.config import broker as broker_config
from contract import bundle, enrolment
from contract.enrolment import Invitation
from edge import cli as edge_cli
from edge import config as edge_config
from testing import loopback
from testing.mosquitto import Mosquitto
from testing.waiting import PATIENCE_SECONDS
from tests.broker.web.serving import serving
from tests.edge.update.publisher import make_bundle

MISCONFIGURED, TRY_AGAIN = 78, 75


@dataclass
class Site:
    """A server that `setup` has made, and an empty card for each device."""

    server: Path
    cards: Path
    mosquitto: Mosquitto

    @property
    def config(self) -> Path:
        return self.server / "broker.yaml"

    def broker(self, *words: str) -> int:
        return broker_cli.main([*words, "--config", str(self.config)])

    def invite(self, device: str) -> Path:
        out = self.cards / f"{device.replace('/', '_')}.enroll"
        assert self.broker("enroll", device, "--out", str(out)) == 0
        return out

    def enroll(self, invitation: Path, card: str) -> int:
        (self.cards / card).mkdir(exist_ok=True)
        config = self.cards / card / "edge.yaml"
        return edge_cli.main(["enroll", str(invitation), "--config", str(config), "--camera", "/dev/video0"])


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    server, cards = tmp_path / "server", tmp_path / "cards"
    server.mkdir()
    cards.mkdir()
    mosquitto = Mosquitto(tmp_path / "mosquitto")
    made = Site(server, cards, mosquitto)
    ports = ["--mqtt-port", str(mosquitto.port), "--console-port", str(loopback.free_port())]
    assert made.broker("setup", "127.0.0.1", "--language", "en", *ports) == 0
    mosquitto.whole = (server / "mosquitto" / "mosquitto.conf").read_text(encoding="utf-8")
    assert made.broker("migrate") == 0
    config = broker_config.load(made.config)
    loopback_only = msgspec.structs.replace(config, web=msgspec.structs.replace(config.web, host="127.0.0.1"))
    with mosquitto, serving(loopback_only):
        yield made


def lets_in(site: Site, card: str) -> str:
    """Connect as the device of a card would, and return what the server says."""
    tls = edge_config.load(site.cards / card / "edge.yaml").mqtt.tls
    assert tls is not None
    heard, done = [], threading.Event()

    def note(word: str) -> None:
        heard.append(word)
        done.set()

    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.tls_set(str(tls.ca_file), str(tls.cert_file), str(tls.key_file))
    client.on_connect = lambda *about: note(str(about[3]))
    client.on_disconnect = lambda *_: note("turned away")
    try:
        client.connect(site.mosquitto.host, site.mosquitto.port)
    except (ssl.SSLError, OSError):
        return "turned away"
    client.loop_start()
    assert done.wait(PATIENCE_SECONDS)
    client.disconnect()
    client.loop_stop()
    return heard[0]


def test_an_invited_device_is_let_in_until_it_is_revoked(site: Site) -> None:
    invitation = site.invite("north-gate/pi-01")

    assert site.enroll(invitation, "one") == 0
    assert lets_in(site, "one") == "Success"

    assert site.broker("revoke", "north-gate/pi-01") == 0
    site.mosquitto.stop()
    site.mosquitto.start()
    assert lets_in(site, "one") == "turned away"


def test_its_key_is_its_own_and_its_edge_yaml_is_whole(site: Site) -> None:
    assert site.enroll(site.invite("north-gate/pi-01"), "one") == 0

    settings = edge_config.load(site.cards / "one" / "edge.yaml")
    assert (settings.site, settings.device) == ("north-gate", "pi-01")
    assert settings.mqtt.tls is not None
    key = settings.mqtt.tls.key_file
    assert key is not None
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert not [path for path in site.server.rglob("*") if path.is_file() and path.read_bytes() == key.read_bytes()]


def test_an_enrolled_device_takes_a_signed_model_over_tls(site: Site, tmp_path: Path) -> None:
    assert site.broker("models", "init", "--root-keys", str(tmp_path / "safe")) == 0
    assert site.enroll(site.invite("north-gate/pi-01"), "one") == 0
    assert site.broker("models", "publish", str(make_bundle(tmp_path / "bundle"))) == 0
    card = site.cards / "one" / "edge.yaml"

    assert edge_cli.main(["update", "--target", "standard/wordcam-1-1.1.0.tar", "--config", str(card)]) == 0

    assert bundle.load(card.parent / "outbox" / "models" / "current").version == "1.1.0"


def test_a_copied_invitation_is_worth_nothing(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    invitation = site.invite("north-gate/pi-01")
    assert site.enroll(invitation, "one") == 0
    capsys.readouterr()

    assert site.enroll(invitation, "copy") == MISCONFIGURED

    assert "another device has used this invitation" in capsys.readouterr().err
    assert not (site.cards / "copy" / "edge.yaml").exists()
    assert lets_in(site, "one") == "Success"


def test_the_same_device_may_ask_again_when_the_answer_was_lost(site: Site) -> None:
    invitation = site.invite("north-gate/pi-01")
    assert site.enroll(invitation, "one") == 0
    first = (site.cards / "one" / "tls" / "device.crt").read_bytes()

    assert site.enroll(invitation, "one") == 0

    assert (site.cards / "one" / "tls" / "device.crt").read_bytes() == first


def test_a_device_that_takes_anothers_place_locks_it_out(site: Site) -> None:
    assert site.enroll(site.invite("north-gate/pi-01"), "old") == 0
    assert site.enroll(site.invite("north-gate/pi-01"), "new") == 0
    site.mosquitto.stop()
    site.mosquitto.start()

    assert (lets_in(site, "old"), lets_in(site, "new")) == ("turned away", "Success")


def test_after_a_revocation_its_open_invitation_ends_too(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    invitation = site.invite("north-gate/pi-01")
    assert site.broker("revoke", "north-gate/pi-01") == 0
    capsys.readouterr()

    assert site.enroll(invitation, "one") == MISCONFIGURED

    assert "there is no such invitation" in capsys.readouterr().err


def test_a_server_that_is_away_is_worth_another_try(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    invitation = site.invite("north-gate/pi-01")
    said = enrolment.read(invitation.read_bytes(), Invitation)
    away = msgspec.structs.replace(said, url=f"https://127.0.0.1:{loopback.free_port()}")
    invitation.write_bytes(msgspec.json.encode(away))
    capsys.readouterr()

    assert site.enroll(invitation, "one") == TRY_AGAIN

    assert "run this again" in capsys.readouterr().err


def test_another_server_than_that_of_the_invitation_is_not_trusted(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    assert broker_cli.main(["setup", "127.0.0.1", "--config", str(other / "broker.yaml")]) == 0
    invitation = site.invite("north-gate/pi-01")
    said = enrolment.read(invitation.read_bytes(), Invitation)
    stranger = (other / "authority" / "ca.crt").read_text(encoding="utf-8")
    invitation.write_bytes(msgspec.json.encode(msgspec.structs.replace(said, authority=stranger)))
    capsys.readouterr()

    assert site.enroll(invitation, "one") == MISCONFIGURED

    assert "not the one of the invitation" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "{}", "a photograph", '{"version": 2}', "\xff" * 40_000])
def test_what_is_no_invitation_is_said_to_be_none(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "north-gate_pi-01.enroll"
    path.write_text(text, encoding="utf-8")

    assert edge_cli.main(["enroll", str(path), "--config", str(tmp_path / "edge.yaml")]) == MISCONFIGURED

    assert f"{path}: is no invitation" in capsys.readouterr().err


def test_an_edge_yaml_that_is_there_is_left_alone(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    (site.cards / "one").mkdir()
    config = site.cards / "one" / "edge.yaml"
    assert edge_cli.main(["init", "--config", str(config), "--camera", "/dev/video0", "--device", "pi-07"]) == 0
    before = config.read_bytes()
    capsys.readouterr()

    assert site.enroll(site.invite("north-gate/pi-01"), "one") == 0

    assert config.read_bytes() == before
    said = capsys.readouterr().out
    assert "site: north-gate" in said
    assert f"mqtt.port: {site.mosquitto.port}" in said


def test_setup_changes_nothing_that_is_there_and_can_be_tried_dry(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "broker.yaml"

    assert broker_cli.main(["setup", "wordcam.example", "--config", str(config), "--dry-run"]) == 0
    assert list(tmp_path.iterdir()) == []

    assert broker_cli.main(["setup", "wordcam.example", "--config", str(config)]) == 0
    (tmp_path / "broker.yaml").unlink()
    capsys.readouterr()
    assert broker_cli.main(["setup", "wordcam.example", "--config", str(config)]) == MISCONFIGURED
    assert "rules.yaml: is there already, and nothing was changed" in capsys.readouterr().err


@pytest.mark.parametrize("device", ["north-gate", "north-gate/", "a/b/c", "+/pi-01", "North Gate/pi"])
def test_a_device_has_a_site_and_a_name(device: str, site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert site.broker("enroll", device) == MISCONFIGURED

    assert "write SITE/DEVICE" in capsys.readouterr().err
