"""The configuration of the demo's services: loopback, one-off passwords, a folder that goes away afterwards."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from demo.source import Source
from demo.words import Language

REPOSITORY: Final = Path(__file__).resolve().parent.parent

DEVICE: Final = "device"
SERVER: Final = "server"
"""Names by which the two services log in to the MQTT server."""

RECIPIENTS: Final = {"en": "+1 202 555 0123", "ko": "+82 10 0000 0000"}
"""Whom the text message would reach; nobody has these numbers, and nothing is sent."""


@dataclass(frozen=True, slots=True)
class Login:
    """How the console of this run is entered."""

    name: str
    password: str
    file: Path
    """Holds the password alone."""
    address: str = ""


def console_login(folder: Path) -> Login:
    """Make up a password for the console; it lives as long as this run."""
    password = "-".join(secrets.token_hex(2) for _ in range(4))
    return Login("demo", password, _secret(folder / "console.password", password))


def users() -> dict[str, str]:
    """Make up a password for the device and one for the server; they live as long as this run."""
    return {name: secrets.token_urlsafe(24) for name in (DEVICE, SERVER)}


def write_edge(folder: Path, source: Source, bundle: Path, mqtt: dict[str, Any]) -> Path:
    """Write the configuration of the device and return its path."""
    return _yaml(
        folder / "edge.yaml",
        {
            "site": "demo",
            "device": "this-machine",
            "bundle": str(bundle.resolve()),
            "camera": source.camera,
            "outbox": {"path": str(folder / "outbox.sqlite")},
            "mqtt": {**mqtt, "status_seconds": 5},
            "as_root": os.geteuid() == 0,
        },
    )


def write_broker(folder: Path, language: Language, mqtt: dict[str, Any]) -> Path:
    """Write the configuration of the alert service, with the shipped rules, and return its path."""
    return _yaml(
        folder / "broker.yaml",
        {
            "database": {"path": str(database(folder))},
            "rules_file": str(REPOSITORY / "config" / "rules.yaml"),
            "mqtt": mqtt,
            "language": language,
            "web": {"port": 0},
            "recipients": [{"name": "guard", "phone": RECIPIENTS[language], "language": language}],
            "sites": [{"id": "demo", "name": {"en": "Demo yard", "ko": "데모 마당"}}],
        },
    )


def mqtt_part(folder: Path, user: str, password: str, port: int) -> dict[str, Any]:
    """Return the `mqtt` part of either service's configuration; the password goes to a file that only we can read."""
    secret = _secret(folder / f"{user}.password", password)
    return {"host": "127.0.0.1", "port": port, "username": user, "password_file": str(secret)}


def database(folder: Path) -> Path:
    """Name the file that the alert service keeps its captions in."""
    return folder / "broker.sqlite"


def _secret(path: Path, word: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(word, encoding="utf-8")
    return path


def _yaml(path: Path, content: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path
