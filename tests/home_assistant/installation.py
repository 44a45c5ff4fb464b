"""A Home Assistant on a free loopback port, in an environment of its own, with an MQTT server and one user."""

import json
import os
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from testing.loopback import HOST, free_port
from testing.mosquitto import Mosquitto
from testing.waiting import wait_until
from tests.house import ROOT

VERSION: Final = "3.13"
"""Python of the Home Assistant that is installed."""

PACKAGES: Final = ("homeassistant>=2025.1",)

COMPONENTS: Final = ("mqtt", "frontend", "recorder")
"""Integrations whose requirements are installed too: Home Assistant itself fetches none here."""

START_SECONDS: Final = 300.0

_CONFIGURATION: Final = """\
http: {{server_host: {host}, server_port: {port}}}
homeassistant: {{name: Gate, time_zone: UTC}}
frontend:
config:
api:
websocket_api:
history:
logger: {{default: warning, logs: {{homeassistant.components.mqtt: info}}}}
"""

_ENTRY: Final = {
    "entry_id": "mqtt",
    "domain": "mqtt",
    "title": "MQTT",
    "source": "user",
    "version": 1,
    "minor_version": 2,
}


class NoPython(Exception):
    """There is no Python that Home Assistant runs on."""


def environment() -> Path:
    """Return an environment with Home Assistant, made once: WORDCAM_HOME_ASSISTANT names one that is there.

    Raises `NoPython`.
    """
    named = os.environ.get("WORDCAM_HOME_ASSISTANT")
    if named:
        return Path(named)
    folder = ROOT / ".cache" / "home-assistant"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([_python(), "-m", "venv", str(folder)], check=True)
        _install(folder, *PACKAGES)
        _install(folder, *_requirements(folder))
        (folder / "ready").touch()
    return folder


def _python() -> str:
    kept = sorted((Path.home() / ".pyenv" / "versions").glob(f"{VERSION}.*/bin/python{VERSION}"))
    for name in (*map(str, kept), shutil.which(f"python{VERSION}")):
        if name and subprocess.run([name, "-c", ""], capture_output=True, check=False).returncode == 0:
            return name
    raise NoPython(f"Home Assistant needs Python {VERSION}, which is not here")


def _install(folder: Path, *packages: str) -> None:
    subprocess.run([str(folder / "bin" / "pip"), "install", "--quiet", *packages], check=True)


def _requirements(folder: Path) -> list[str]:
    (components,) = folder.glob("lib/python*/site-packages/homeassistant/components")
    manifests = (json.loads((components / name / "manifest.json").read_text("utf-8")) for name in COMPONENTS)
    return [one for manifest in manifests for one in manifest.get("requirements", ())]


@dataclass
class HomeAssistant:
    """One installation, running while the `with` block lasts."""

    folder: Path
    server: Mosquitto
    user: str
    port: int = field(default_factory=free_port)
    token: dict[str, Any] = field(default_factory=dict)
    """As its login gives it: `access_token`, `refresh_token` and more."""

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def log(self) -> str:
        """Everything that it has logged, over all its starts."""
        return (self.folder / "said.log").read_text("utf-8", "replace")

    def __enter__(self) -> Self:
        (self.folder / ".storage").mkdir(parents=True)
        (self.folder / "configuration.yaml").write_text(_CONFIGURATION.format(host=HOST, port=self.port), "utf-8")
        data = {"broker": self.server.host, "port": self.server.port, "protocol": "5", "username": self.user}
        entry = {**_ENTRY, "data": {**data, "password": self.server.users[self.user]}, "options": {}, "subentries": []}
        stored = {"version": 1, "minor_version": 1, "key": "core.config_entries", "data": {"entries": [entry]}}
        (self.folder / ".storage" / "core.config_entries").write_text(json.dumps(stored), "utf-8")
        self.start()
        self.token = self._onboard()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, and wait until it answers and is connected to the server."""
        before = self.server.log.count(f"u'{self.user}'")
        program = [str(environment() / "bin" / "hass"), "-c", str(self.folder), "--skip-pip"]
        with (self.folder / "said.log").open("ab") as log:
            self._process = subprocess.Popen(program, stdout=log, stderr=log)
        wait_until(self._answers, f"an answer of Home Assistant:\n{self.log}", START_SECONDS)
        wait_until(lambda: self.server.log.count(f"u'{self.user}'") > before, "its login", START_SECONDS)

    def stop(self) -> None:
        """Stop it."""
        self._process.terminate()
        self._process.wait(60)

    def states(self) -> dict[str, dict[str, Any]]:
        """Return what it knows of each entity, by the name that people see."""
        found = self.ask("/api/states")
        return {one["attributes"].get("friendly_name", one["entity_id"]): one for one in found}

    def call(self, domain: str, action: str, entity: str) -> None:
        """Do something to an entity that people see under a name."""
        self.ask(f"/api/services/{domain}/{action}", {"entity_id": self.states()[entity]["entity_id"]})

    def ask(self, path: str, body: object = None, *, form: bool = False) -> Any:
        """Send a request, with a body as JSON or as a form, and return its JSON."""
        data = None if body is None else json.dumps(body).encode()
        kind = "application/json"
        if form and isinstance(body, dict):
            data, kind = urllib.parse.urlencode(body).encode(), "application/x-www-form-urlencoded"
        headers = {"Content-Type": kind}
        if self.token and not form:
            headers["Authorization"] = f"Bearer {self.token['access_token']}"
        request = urllib.request.Request(f"{self.url}{path}", data, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def _answers(self) -> bool:
        if self._process.poll() is not None:
            raise AssertionError(f"Home Assistant ended:\n{self.log}")
        try:
            self.ask("/manifest.json")
        except urllib.error.HTTPError:
            return False
        except OSError:
            return False
        return True

    def _onboard(self) -> dict[str, Any]:
        """Make the first user, and log in as it."""
        me = {"client_id": f"{self.url}/", "name": "Owner", "username": "owner", "password": "owner", "language": "en"}
        code = self.ask("/api/onboarding/users", me)["auth_code"]
        grant = {"grant_type": "authorization_code", "code": code, "client_id": me["client_id"]}
        token: dict[str, Any] = self.ask("/auth/token", grant, form=True)
        self.token = token
        self.ask("/api/onboarding/core_config", {})
        self.ask("/api/onboarding/analytics", {})
        self.ask("/api/onboarding/integration", {"client_id": me["client_id"], "redirect_uri": me["client_id"]})
        return token
