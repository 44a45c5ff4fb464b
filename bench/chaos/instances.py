"""Several alert services on one database, as processes that can be killed and started again."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import yaml

from bench.chaos import publishers
from testing import fake_twilio

NURSERY: Final = """
import faulthandler, os, signal, sys
from broker.cli import main
from broker.cli import run
import broker.notify.senders.twilio, psycopg, twilio.rest
twilio.rest.Client("AC", "token").messages
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    config, log = line.rstrip("\\n").split("\\t")
    pid = os.fork()
    if pid:
        print(pid, flush=True)
        continue
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for number in (1, 2):
        os.dup2(file, number)
    faulthandler.register(signal.SIGUSR1)
    sys.argv = ["wordcam-broker", "run", "--config", config]
    main.console()
"""
"""Starts instances from a process that has imported everything: importing takes seconds, and hundreds are started. Each
says in its log where its threads are when it gets SIGUSR1."""

PHONES: Final = {"gun": "+12025550143", "knife": "+12025550178", "fire": "+12025550190", "smoke": "+12025550191"}
"""Kept for fiction; one guard for each danger, so that no hourly limit is reached."""

START_SECONDS: Final = 120
STOP_SECONDS: Final = 60
"""Both are a matter of seconds on an idle machine."""


@dataclass
class Nursery:
    """The process that all instances come from."""

    environment: dict[str, str]

    def __enter__(self) -> Self:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        environment = os.environ | self.environment
        self._process = subprocess.Popen([sys.executable, "-c", NURSERY], env=environment, text=True, **pipes)  # type: ignore[call-overload]  # the names are right
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()

    def bear(self, config: Path, log: Path) -> int:
        """Start an instance, and return the number of its process."""
        self._process.stdin.write(f"{config}\t{log}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@dataclass
class Instance:
    """One alert service."""

    name: str
    config: Path
    nursery: Nursery
    _pid: int = 0
    _read_from: int = 0

    @property
    def log(self) -> Path:
        """Where it says what it does, over all its starts."""
        return self.config.with_suffix(".log")

    def start(self) -> None:
        """Start it; it is ready a little later."""
        self._read_from = self.log.stat().st_size if self.log.exists() else 0
        self._pid = self.nursery.bear(self.config, self.log)

    def wait_ready(self) -> None:
        """Wait until it receives captions and knows whether it leads; raises `RuntimeError` where it ends."""
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready:
            if time.monotonic() > deadline or not self.lives:
                raise RuntimeError(f"{self.name} did not come up; see {self.log}")
            time.sleep(0.05)

    @property
    def lives(self) -> bool:
        """Whether its process runs."""
        return self._pid != 0 and self.send_signal(0)

    def send_signal(self, number: int) -> bool:
        """Send a signal to its process; False where it has ended."""
        try:
            os.kill(self._pid, number)
        except ProcessLookupError:
            return False
        return True

    def kill(self) -> None:
        """End it as a power cut would."""
        while self._pid and self.send_signal(signal.SIGKILL):
            time.sleep(0.001)
        self._pid = 0

    def stop(self) -> bool:
        """End it as an operator would; one that does not end says in its log where it is, and is killed: False."""
        self.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while self.lives:
            if time.monotonic() > deadline:
                self.send_signal(signal.SIGUSR1)
                time.sleep(1)
                self.kill()
                return False
            time.sleep(0.05)
        self._pid = 0
        return True

    @property
    def is_ready(self) -> bool:
        """Whether it has come so far since its last start."""
        if not self.lives or not self.log.exists():
            return False
        with self.log.open("rb") as log:
            log.seek(self._read_from)
            said = log.read()
        return b'"subscribed"' in said and (b'"standby"' in said or b'"became leader"' in said)


def write(folder: Path, names: tuple[str, ...], database: dict[str, str], *, port: int, url: str) -> list[Path]:
    """Write a configuration for each instance: one database, one share of the captions for each."""
    rules = [{"name": n, "severity": "critical", "cooldown_minutes": 0.2, "says": [n]} for n in publishers.DANGERS]
    (folder / "rules.yaml").write_text(yaml.safe_dump({"rules": rules}), "utf-8")
    (folder / "token").write_text(fake_twilio.TOKEN, "utf-8")
    people = [
        {"name": f"guard of {danger}", "phone": phone, "dangers": [danger], "max_per_hour": 1000}
        for danger, phone in PHONES.items()
    ]
    made = []
    for name in names:
        tree = {
            "database": database,
            "rules_file": "rules.yaml",
            "mqtt": {"port": port, "client_id": name, "share": "bench"},
            "notify": {"first_retry_seconds": 1, "longest_retry_seconds": 2},
            "incidents": {"resolve_minutes": 0.2},
            "recipients": people,
            "twilio": {
                "account_sid": fake_twilio.ACCOUNT,
                "auth_token_file": "token",
                "sender": fake_twilio.SENDER,
                "base_url": url,
                "timeout_seconds": 1,
                "per_second": 100,
            },
        }
        config = folder / f"{name}.yaml"
        config.write_text(yaml.safe_dump(tree), "utf-8")
        made.append(config)
    return made
