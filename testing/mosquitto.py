"""A real Mosquitto on a free loopback port, with its files in a folder of its own."""

import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from testing import loopback
from testing.errors import DidNotStart, NotInstalled
from testing.waiting import PATIENCE_SECONDS, POLL_SECONDS

FOLDERS: Final = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/sbin"
"""Where packages install the server; the first of them is often not in PATH."""


def find() -> str:
    """Return the path of the `mosquitto` program; raises `NotInstalled`."""
    found = shutil.which("mosquitto", path=FOLDERS) or shutil.which("mosquitto")
    if found is None:
        raise NotInstalled("mosquitto is not installed: apt-get install mosquitto")
    return found


@dataclass
class Mosquitto:
    """One server, started by `with` or `start`, that can be stopped and started again on the same port.

    `users` maps names to passwords; without users everyone may connect. `acl` is the text of an `acl_file`.
    `lines` are appended to mosquitto.conf; `whole`, with a listener on `port`, replaces all of it.
    With `persistent`, sessions, queued and retained messages survive `stop` (not `kill`).
    With `verbose`, the log has a line for each packet.
    """

    folder: Path
    users: dict[str, str] = field(default_factory=dict)
    acl: str = ""
    lines: Sequence[str] = ()
    whole: str = ""
    persistent: bool = False
    verbose: bool = True
    host: str = loopback.HOST
    port: int = field(default_factory=loopback.free_port)
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def log(self) -> str:
        """Everything the server has logged, over all its starts."""
        path = self.folder / "mosquitto.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def start(self) -> None:
        """Start it and wait until it listens; raises `NotInstalled` or `DidNotStart`."""
        command = [find(), *(["-v"] if self.verbose else []), "-c"]
        self.folder.mkdir(parents=True, exist_ok=True)
        command.append(str(self._configure()))
        with (self.folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if loopback.listens(self.port, self.host):
                return
            time.sleep(POLL_SECONDS)
        self.stop()
        raise DidNotStart(f"mosquitto did not listen on port {self.port}:\n{self.log}")

    def stop(self) -> None:
        """End it by SIGTERM: persistent state is written."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def kill(self) -> None:
        """End it by SIGKILL, as a power cut would: nothing is written."""
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
