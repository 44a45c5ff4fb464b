"""Several alert services on one database, as processes that can be killed and started again."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from bench import crowd, gateway
from broker.store.settings import DATABASE_PASSWORD

COMMAND: Final = """
import faulthandler, signal, sys
faulthandler.register(signal.SIGUSR1)
sys.modules.update(numpy=None)
from broker.cli import console
console()
"""
"""Without numpy, as on a server: NLTK takes it along where it is installed, and starts twice as slowly for it. SIGUSR1
has it say where each of its threads is."""

PHONES: Final = ("+12025550143", "+12025550178", "+12025550190", "+12025550191")
"""Kept for fiction. Several, so that nobody is told more often than once in four seconds, or the hourly limit holds."""

MOST_SITES: Final = 8000

RULES: Final = {"rules": [{"name": "gun", "severity": "critical", "cooldown_minutes": 0.2, "says": ["gun"]}]}

START_SECONDS: Final = 120
STOP_SECONDS: Final = 60
"""Both are a matter of seconds on an idle machine."""


@contextmanager
def mosquitto(folder: Path) -> Iterator[int]:
    """Run an MQTT server, and give its port; raises `RuntimeError` where there is none on this machine."""
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        raise RuntimeError("mosquitto is not installed: apt-get install mosquitto")
    port = _free_port()
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nuser root\nallow_anonymous true\nmax_queued_messages 0\n", "utf-8")
    with (folder / "mosquitto.log").open("wb") as log:
        process = subprocess.Popen([program, "-c", str(config)], stdout=log, stderr=log)
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait()


@dataclass
class Instance:
    """One alert service."""

    name: str
    config: Path
    environment: dict[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None
    _read_from: int = 0

    def start(self) -> None:
        """Start it; it is ready some seconds later."""
        log = self.config.with_suffix(".log")
        self._read_from = log.stat().st_size if log.exists() else 0
        with log.open("ab") as file:
            command = [sys.executable, "-c", COMMAND, "run", "--config", str(self.config)]
            self._process = subprocess.Popen(command, stdout=file, stderr=file, env=os.environ | self.environment)

    def wait_ready(self) -> None:
        """Wait until it receives captions and knows whether it is on duty; raises `RuntimeError` where it ends."""
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready:
            if time.monotonic() > deadline or not self.lives:
                raise RuntimeError(f"{self.name} did not come up; see {self.config.with_suffix('.log')}")
            time.sleep(0.05)

    @property
    def lives(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.poll() is None

    def send_signal(self, number: int) -> None:
        """Send a signal to its process."""
        if self._process is not None:
            self._process.send_signal(number)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> int:
        """End it as an operator would, and give its exit code; one that does not end says in its log where it is."""
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGUSR1)
            time.sleep(1)
            self._process.kill()
            return self._process.wait()

    @property
    def is_ready(self) -> bool:
        """Whether it has come so far since its last start."""
        if not self.lives:
            return False
        with self.config.with_suffix(".log").open("rb") as log:
            log.seek(self._read_from)
            said = log.read()
        return b'"subscribed"' in said and (b'"standing by"' in said or b'"on duty"' in said)


def prepare(folder: Path, names: tuple[str, ...], database: dict[str, Any], *, port: int, url: str) -> list[Instance]:
    """Write a configuration for each instance: one database, one share of the captions for each."""
    (folder / "rules.yaml").write_text(yaml.safe_dump(RULES), "utf-8")
    (folder / "token").write_text(gateway.TOKEN, "utf-8")
    people = []
    for place, phone in enumerate(PHONES):
        sites = [crowd.site(number) for number in range(place, MOST_SITES, len(PHONES))]
        people.append({"name": f"guard-{place}", "phone": phone, "sites": sites, "max_per_hour": 1000})
    password = str(database.get("password", ""))
    instances = []
    for name in names:
        tree = {
            "database": {key: value for key, value in database.items() if key != "password"},
            "rules_file": "rules.yaml",
            "mqtt": {"port": port, "client_id": name, "share": "bench"},
            "notify": {"first_retry_seconds": 1, "longest_retry_seconds": 2},
            "incidents": {"resolve_minutes": 0.2},
            "recipients": people,
            "twilio": {
                "account_sid": gateway.ACCOUNT,
                "auth_token_file": "token",
                "sender": gateway.SENDER,
                "base_url": url,
                "timeout_seconds": 1,
                "per_second": 100,
            },
        }
        config = folder / f"{name}.yaml"
        config.write_text(yaml.safe_dump(tree), "utf-8")
        instances.append(Instance(name, config, {DATABASE_PASSWORD: password} if password else {}))
    return instances


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
