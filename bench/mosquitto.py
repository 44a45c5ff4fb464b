"""A real Mosquitto for one measurement, on a free loopback port."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench import process

START_SECONDS: Final = 20.0

IN_FLIGHT: Final = 1000
"""Unacknowledged messages, as in deploy/mosquitto/mosquitto.conf."""

UNBOUNDED: Final = ("max_queued_messages 0", "max_queued_bytes 0")
"""What is measured has to wait in the server, all of it."""


@contextmanager
def running(folder: Path, lines: Sequence[str] = ()) -> Iterator[int]:
    """Run a server as long as the block runs and give its port; raises `process.Failed`."""
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/sbin")
    if program is None:
        raise process.Failed("mosquitto is not installed: apt-get install mosquitto")
    port = _free_port()
    config = folder / "mosquitto.conf"
    own = [f"listener {port} 127.0.0.1", "allow_anonymous true", f"max_inflight_messages {IN_FLIGHT}", *UNBOUNDED]
    config.write_text("\n".join([*own, *lines, ""]), encoding="utf-8")
    with (folder / "mosquitto.log").open("wb") as log:
        server = subprocess.Popen([program, "-c", str(config)], stdout=log, stderr=log)
    try:
        _wait(server, port, folder / "mosquitto.log")
        yield port
    finally:
        server.terminate()
        server.wait()


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise process.Failed(f"mosquitto did not start: {process.last_words(log.read_text())}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port
