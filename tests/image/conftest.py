"""The image, built once and kept for the next run, and a server that devices are invited by."""

import json
import os
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from broker.cli import main as broker_cli
from broker.config import broker as broker_config
from contract.system import System
from edge import cli as edge_cli
from edge.image import build
from testing import loopback
from testing.emulator import SERVER
from testing.errors import NotInstalled
from testing.gate import Gate
from testing.mosquitto import Mosquitto
from tests.broker.running_service import Running
from tests.broker.web.sample import PASSWORD
from tests.broker.web.serving import Browser, serving
from tests.conftest import REPOSITORY


@pytest.fixture(scope="session")
def image_cache() -> Path:
    """Where parts of the image are kept."""
    return Path(os.environ.get("WORDCAM_IMAGE_CACHE", REPOSITORY / ".cache" / "image"))


@pytest.fixture(scope="session")
def image(image_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image, as `wordcam-edge image build` makes it."""
    if missing := build.missing_tools():
        raise NotInstalled(f"not installed: {' '.join(missing.values())}")
    to = tmp_path_factory.mktemp("image") / "wordcam.img"
    assert edge_cli.main(["image", "build", "--to", str(to), "--cache", str(image_cache)]) == 0
    return to


@dataclass
class Site:
    """A server made by `wordcam-broker setup`, running, and its folder for cards."""

    folder: Path
    mosquitto: Mosquitto
    console_port: int
    service: Running
    gate: Gate = field(default_factory=Gate)
    """Between devices and the server: closed, the server is away."""

    @property
    def ports(self) -> Mapping[int, int]:
        """Ports as devices know them, and those of this machine by which they reach them."""
        return {port: self.gate.way_to(port) for port in (self.mosquitto.port, self.console_port)}

    @property
    def address(self) -> str:
        """Of the console."""
        return f"https://127.0.0.1:{self.console_port}"

    def broker(self, *words: str) -> None:
        """Run a verb of `wordcam-broker`."""
        assert broker_cli.main([*words, "--config", str(self.folder / "broker.yaml")]) == 0

    def invite(self, device: str) -> Path:
        """Invite a device."""
        out = self.folder / f"{device.replace('/', '_')}.enroll"
        out.unlink(missing_ok=True)
        self.broker("enroll", device, "--out", str(out))
        return out

    def enroll(self, invitation: Path, folder: Path) -> None:
        """Use an invitation as another device than that of a card."""
        folder.mkdir()
        here = folder / "here.enroll"
        text = invitation.read_text(encoding="utf-8").replace(SERVER, "127.0.0.1")
        here.write_text(text, encoding="utf-8")
        assert edge_cli.main(["enroll", str(here), "--config", str(folder / "edge.yaml")]) == 0

    def flash(self, image: Path, invitation: Path, card: Path, *options: str) -> Path:
        """Write a card for a device."""
        words = ["flash", str(image), "--device", str(invitation), "--to", str(card), "--yes", *options]
        assert edge_cli.main(words) == 0
        return card

    def captions(self, device: str) -> list[str]:
        """Return the sentences that are stored of a device."""
        return [str(row[0]) for row in self._rows("SELECT text FROM caption WHERE site = ? AND device = ?", device)]

    def has_heard(self, device: str) -> bool:
        """Return whether a device has said that it is there."""
        return bool(self._rows("SELECT state FROM device WHERE site = ? AND device = ?", device))

    def acknowledged(self, device: str) -> int:
        """Return how many captions the server has acknowledged, by the device's own count."""
        rows = self._rows("SELECT ledger FROM device WHERE site = ? AND device = ?", device)
        counts = [json.loads(row[0]) for row in rows]
        return sum(one["captions"] - one["waiting"] - one["given_up"] for one in counts)

    def _rows(self, query: str, device: str) -> list[tuple[str, ...]]:
        site, _, name = device.partition("/")
        with sqlite3.connect(f"file:{self.folder / 'wordcam.db'}?mode=ro", uri=True) as database:
            return database.execute(query, (site, name)).fetchall()

    def administrator(self) -> Browser:
        """Return a browser in which an administrator has logged in."""
        file = self.folder / "password"
        if not file.exists():
            file.write_text(PASSWORD, encoding="utf-8")
            self.broker("user", "add", "admin", "--role", "administrator", "--password-file", str(file))
        browser = Browser(self.address, verify=False)
        browser.login("admin")
        return browser

    def system(self, device: str) -> System | None:
        """Return what a device said last of its system."""
        rows = self._rows("SELECT system FROM device WHERE site = ? AND device = ? AND system IS NOT NULL", device)
        return msgspec.json.decode(rows[0][0], type=System) if rows else None

    @property
    def certificates(self) -> set[str]:
        """Names of the certificates that were issued to devices."""
        found = set()
        for path in (self.folder / "authority" / "issued").glob("*.crt"):
            command = ["openssl", "x509", "-noout", "-subject", "-nameopt", "multiline", "-in", str(path)]
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            found.add(said.rpartition("commonName")[2].strip(" =\n"))
        return found


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """The server, running: Mosquitto, the alert service and the console."""
    with running_site(tmp_path) as made:
        yield made


@contextmanager
def running_site(tmp_path: Path) -> Iterator[Site]:
    """Run a server in an empty folder."""
    folder = tmp_path / "server"
    folder.mkdir()
    mosquitto = Mosquitto(tmp_path / "mosquitto", verbose=False)
    console_port = loopback.free_port()
    service = Running(folder / "broker.yaml", as_installed=True)
    made = Site(folder, mosquitto, console_port, service)
    ports = ["--mqtt-port", str(mosquitto.port), "--console-port", str(console_port)]
    made.broker("setup", SERVER, "--language", "en", *ports)
    whole = (folder / "mosquitto" / "mosquitto.conf").read_text(encoding="utf-8")
    mosquitto.whole = whole.replace(f"listener {mosquitto.port}", f"listener {mosquitto.port} 127.0.0.1")
    made.broker("migrate")
    config = broker_config.load(folder / "broker.yaml")
    loopback_only = msgspec.structs.replace(config, web=msgspec.structs.replace(config.web, host="127.0.0.1"))
    with mosquitto, service, serving(loopback_only), made.gate:
        yield made
