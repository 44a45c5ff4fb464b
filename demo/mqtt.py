"""The MQTT server of the demo: Mosquitto where it is installed, or else rumqttd from the package iotcore."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from demo.errors import Stuck

START_SECONDS: Final = 15
"""Either server listens within a tenth of a second; a busy machine gets time."""

_RUMQTTD: Final = """\
id = 0
[router]
id = 0
max_connections = 10
max_outgoing_packet_count = 200
max_segment_size = 1048576
max_segment_count = 10
[v5.1]
name = "demo"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = 20480
max_inflight_count = 100
dynamic_filters = true
[v5.1.connections.auth]
{users}
"""
"""The plain listener of iotcore speaks MQTT 3.1.1 alone; `v5` is what asks for MQTT 5."""


@dataclass(frozen=True, slots=True)
class Server:
    """How to start a server, and where it will listen."""

    name: str
    command: list[str]
    port: int


SEARCH_PATH: Final = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"])
"""Folders of programs; Debian keeps servers in `sbin`, which is not on every user's PATH."""


def prepare(folder: Path, users: Mapping[str, str], *, search_path: str = SEARCH_PATH) -> Server:
    """Write the configuration of a server on a free loopback port that lets these users in with their passwords."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    mosquitto, hasher = (shutil.which(name, path=search_path) for name in ("mosquitto", "mosquitto_passwd"))
    if mosquitto and hasher:
        return Server("Mosquitto", [mosquitto, "-c", str(_mosquitto(folder, users, port, hasher))], port)
    config = folder / "rumqttd.toml"
    lines = "\n".join(f'{name} = "{password}"' for name, password in users.items())
    config.write_text(_RUMQTTD.format(port=port, users=lines), encoding="utf-8")
    return Server("rumqttd", [sys.executable, "-m", "iotcore", "--config", str(config), "--log-level", "ERROR"], port)


def _mosquitto(folder: Path, users: Mapping[str, str], port: int, hasher: str) -> Path:
    passwords = folder / "mosquitto.passwords"
    passwords.write_text("".join(f"{name}:{password}\n" for name, password in users.items()), encoding="utf-8")
    passwords.chmod(0o600)
    subprocess.run([hasher, "-U", str(passwords)], check=True, capture_output=True)
    config = folder / "mosquitto.conf"
    # Started by root, Mosquitto would become a user that cannot read this folder; other users are not changed.
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\nuser root\n", encoding="utf-8"
    )
    return config


def wait(port: int, *, seconds: float = START_SECONDS) -> None:
    """Wait until something listens on a loopback port; raises `Stuck`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise Stuck(f"the MQTT server did not listen on port {port} within {seconds:g} s", code=75)
