"""Runs `wordcam-broker run` in a process of its own."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import yaml

from testing.fake_twilio import ACCOUNT, SENDER, TOKEN, FakeTwilio
from testing.mosquitto import Mosquitto
from testing.preloaded import Preloaded, Program
from testing.waiting import PATIENCE_SECONDS, wait_until

RULES = Path(__file__).resolve().parents[2] / "config" / "rules.yaml"

COMMAND = "from broker.cli.main import console; console()"

LIBRARIES = ("broker.cli.main", "broker.cli.run", "broker.notify.senders.twilio", "twilio.rest", "psycopg")
"""What a running service imports, in part only when it needs it."""


@cache
def preloaded() -> Preloaded:
    """The process that starts services; what they import is imported once, in it."""
    return Preloaded(LIBRARIES, {"PYTHONWARNINGS": "error"})


GUARD = {"name": "guard", "phone": "+12025550143", "language": "en"}
SITES = [
    {
        "id": "north-gate",
        "name": {"en": "North Gate", "ko": "북문"},
        "devices": [
            {
                "id": "pi-01",
                "name": {"en": "Device 1", "ko": "1호기"},
                "streams": [{"id": "cam-0", "name": {"en": "Lobby camera", "ko": "현관 카메라"}}],
            }
        ],
    }
]


def write_config(
    folder: Path, *, server: Mosquitto | None = None, twilio: FakeTwilio | None = None, **changes: Any
) -> Path:
    """Write a `broker.yaml` into a folder, with one guard to tell, and return its path."""
    tree: dict[str, Any] = {
        "timezone": "Asia/Seoul",
        "database": {"path": "wordcam.db", "wait_seconds": 0.5},
        "rules_file": str(RULES),
        "recipients": [GUARD],
        "sites": SITES,
        "notify": {"first_retry_seconds": 0.2, "longest_retry_seconds": 1},
    }
    if server is not None:
        tree["mqtt"] = {"host": server.host, "port": server.port}
    if twilio is not None:
        (folder / "token").write_text(TOKEN + "\n", encoding="utf-8")
        tree["twilio"] = {
            "account_sid": ACCOUNT,
            "auth_token_file": "token",
            "sender": SENDER,
            "base_url": twilio.url,
            "timeout_seconds": 1,
        }
    for key, value in changes.items():
        tree[key] = tree[key] | value if isinstance(value, dict) and key in tree else value
    if "url" in tree["database"]:
        del tree["database"]["path"]
    path = folder / "broker.yaml"
    path.write_text(yaml.safe_dump(tree, allow_unicode=True), encoding="utf-8")
    return path


@dataclass
class Running:
    """One service process, ready when entered; its output is kept."""

    config: Path
    arguments: list[str] = field(default_factory=list)
    wait_for: str | None = "subscribed"
    as_installed: bool = False
    """Whether the program is started as a user starts it; otherwise it is forked from one that is imported already."""

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    def _end(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    def start(self) -> None:
        """Start it, and wait until it has subscribed."""
        folder = self.config.parent
        seen = len(self.events)
        with (folder / "stdout").open("ab") as out, (folder / "stderr").open("ab") as log:
            words = ["run", "--config", str(self.config), *self.arguments]
            self._process = self._spawn(words, out, log)
        if self.wait_for is not None:
            wait_until(lambda: self._has(self.wait_for, seen), f"the log line {self.wait_for!r}:\n{self.stderr}")

    def _spawn(self, words: list[str], out: IO[bytes], log: IO[bytes]) -> "subprocess.Popen[bytes] | Program":
        environment = os.environ | {"PYTHONWARNINGS": "error"}
        if not self.as_installed:
            return preloaded().start("broker.cli.main:console", words, environment=environment, output=out, log=log)
        return subprocess.Popen([sys.executable, "-c", COMMAND, *words], stdout=out, stderr=log, env=environment)

    @property
    def stdout(self) -> str:
        """Everything it has printed over all its starts."""
        path = self.config.parent / "stdout"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    @property
    def stderr(self) -> str:
        """Everything it has logged over all its starts."""
        path = self.config.parent / "stderr"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    @property
    def events(self) -> list[dict[str, Any]]:
        """Its log lines."""
        return [json.loads(line) for line in self.stderr.splitlines() if line.startswith("{") and line.endswith("}")]

    def said(self, name: str) -> list[dict[str, Any]]:
        """Return the log lines of one event."""
        return [line for line in self.events if line["event"] == name]

    def wait_said(self, name: str, count: int = 1) -> None:
        """Wait until an event has been logged so many times."""
        wait_until(lambda: len(self.said(name)) >= count, f"{count} log lines {name!r}")

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def send_signal(self, number: int) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        self.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait for its own end, and return the exit code."""
        return self._process.wait(PATIENCE_SECONDS)

    def _has(self, name: str | None, seen: int) -> bool:
        if self._process.poll() is not None:
            raise AssertionError(f"the service ended with {self._process.returncode}:\n{self.stderr}")
        return any(line["event"] == name for line in self.events[seen:])
