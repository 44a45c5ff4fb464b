"""A real Mosquitto for one test: on a free loopback port, with its files in a folder of its own."""

import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

START_SECONDS = 20
"""Mosquitto listens within 50 ms on an idle machine; a busy one gets time."""


def find() -> str:
    """Give the path of the `mosquitto` program, or skip the test, saying how to get it."""
    found = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/sbin")
    found = found or shutil.which("mosquitto")
    if found is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    return found


def free_port() -> int:
    """Ask the operating system for a loopback TCP port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@dataclass
class Mosquitto:
    """One server, started by `with` or `start`, that can be stopped and started again on the same port.

    `users` maps names to passwords; without users everyone may connect. `acl` is the text of an `acl_file`.
    `lines` are added to mosquitto.conf as they stand; `whole`, with a listener on `port`, takes the place of all of it.
    With `persistent`, sessions, queued and retained messages survive `stop` (not `kill`).
    """

    folder: Path
    users: dict[str, str] = field(default_factory=dict)
    acl: str = ""
    lines: Sequence[str] = ()
    whole: str = ""
    persistent: bool = False
    host: str = "127.0.0.1"
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def log(self) -> str:
        """Everything the server has logged so far, over all its starts."""
        path = self.folder / "mosquitto.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def start(self) -> None:
        """Start and wait until it listens; raises `RuntimeError` with its log where it does not."""
        program = find()
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self._configure()
        with (self.folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen([program, "-v", "-c", str(config)], stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection((self.host, self.port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        self.stop()
        raise RuntimeError(f"mosquitto did not listen on port {self.port}:\n{self.log}")

    def stop(self) -> None:
        """End it as an administrator would (SIGTERM): persistent state is written."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def kill(self) -> None:
        """End it as a power cut would (SIGKILL): nothing is written."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _configure(self) -> Path:
        # `user root` keeps a server started by root able to read this folder; for any other user it is ignored.
        lines = [f"listener {self.port} {self.host}", "user root", f"allow_anonymous {str(not self.users).lower()}"]
        if self.users:
            lines.append(f"password_file {self._passwords()}")
        if self.acl:
            (self.folder / "acl").write_text(self.acl, encoding="utf-8")
            lines.append(f"acl_file {self.folder / 'acl'}")
        if self.persistent:
            lines += ["persistence true", f"persistence_location {self.folder}/"]
        path = self.folder / "mosquitto.conf"
        text = f"user root\n{self.whole}" if self.whole else "\n".join([*lines, *self.lines, ""])
        path.write_text(text, encoding="utf-8")
        return path

    def _passwords(self) -> Path:
        path = self.folder / "passwords"
        path.write_text("".join(f"{name}:{secret}\n" for name, secret in self.users.items()), encoding="utf-8")
        path.chmod(0o600)
        subprocess.run(["mosquitto_passwd", "-U", str(path)], check=True, capture_output=True)
        return path
