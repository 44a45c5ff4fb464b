"""A device `lab/dev-1` that sends to a Mosquitto with the access list that comes along, opened for Home Assistant."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from edge import config, service
from edge.errors import Failure
from edge.last_good.configuration import Chosen, LastConfiguration
from testing.mosquitto import Mosquitto
from tests.house import ROOT

USERS = {"home": "h", "lab/dev-1": "d", "lab/dev-2": "e"}


def home_assistant_lines() -> str:
    """Return the lines for Home Assistant of the access list that comes along, as an operator uncomments them."""
    text = (ROOT / "deploy" / "mosquitto" / "acl").read_text(encoding="utf-8")
    part = text.partition("With `mqtt.home_assistant`")[2].partition("\n\n")[0]
    lines = [line.removeprefix("# ") for line in part.splitlines()]
    return "\n".join(line for line in lines if line.startswith(("topic ", "pattern ", "user ")))


def server(folder: Path) -> Mosquitto:
    """Return a server that knows Home Assistant as `home`, and two devices."""
    text = (ROOT / "deploy" / "mosquitto" / "acl").read_text(encoding="utf-8")
    return Mosquitto(folder / "mosquitto", users=USERS, acl=f"{text}\n{home_assistant_lines()}\n")


def settings(server: Mosquitto, folder: Path, **more: object) -> config.Config:
    """Return the configuration of `lab/dev-1`, which logs in by that name."""
    (folder / "password").write_text("d", encoding="utf-8")
    mqtt = {"host": server.host, "port": server.port, "username": "lab/dev-1", "first_retry_seconds": 0.1, **more}
    path = folder / "edge.yaml"
    path.write_bytes(
        msgspec.yaml.encode(
            {
                "site": "lab",
                "device": "dev-1",
                "camera": {"kind": "replay", "path": "film.mp4"},
                "outbox": {"path": "outbox.sqlite"},
                "mqtt": {"password_file": "password", **mqtt},
            }
        )
    )
    return config.load(path)


def send(found: config.Config, stop: threading.Event) -> None:
    """Run `send` as the program does; raises `Failure`."""
    folder = found.outbox.path.parent
    last = LastConfiguration(folder, folder / "edge.yaml", lambda: datetime.now(UTC))
    service.send(Chosen(found, "", None), last, folder / "edge.yaml", stop)


@contextmanager
def sending(found: config.Config) -> Iterator[None]:
    """Run `send` in a thread."""
    stop = threading.Event()
    errors: list[Failure] = []

    def run() -> None:
        try:
            send(found, stop)
        except Failure as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
    assert not errors
