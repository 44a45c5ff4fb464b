"""The processes of one device, each started again when it ends, as systemd does by the units."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import yaml

VERBS: Final = ("pull", "look", "send")

RESTART_SECONDS: Final = 0.2
"""The units wait some seconds longer."""

STOP_SECONDS: Final = 30.0


@dataclass
class Device:
    """One device; its outbox lies on a small disk of its own."""

    folder: Path
    disk: Path
    environment: dict[str, str]
    """Of the process that looks."""
    ended: Counter[tuple[str, int]] = field(default_factory=Counter)
    """How often each process ended by itself, by its exit code."""
    _processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict, init=False)
    _killed: set[int] = field(default_factory=set, init=False)
    _stop: threading.Event = field(default_factory=threading.Event, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __enter__(self) -> Self:
        self._keeper = threading.Thread(target=self._keep)
        self._keeper.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def outbox(self) -> Path:
        """Where captions wait."""
        return self.disk / "outbox.sqlite"

    def configure(self, *, bundle: Path, camera_url: str, mqtt_port: int) -> None:
        """Write its `edge.yaml`."""
        tree: dict[str, Any] = {
            "site": "north-gate",
            "device": "pi-01",
            "bundle": str(bundle.resolve()),
            "as_root": os.geteuid() == 0,
            "threads": 1,
            "camera": {"kind": "snapshot", "url": camera_url, "looks_per_second": 8, "timeout_seconds": 5},
            "gate": {"min_gap_seconds": 0.2},
            "visits": {"enabled": False},
            "outbox": {"path": str(self.outbox)},
            "mqtt": {
                "host": "127.0.0.1",
                "port": mqtt_port,
                "first_retry_seconds": 0.1,
                "max_retry_seconds": 0.5,
                "resend_seconds": 1,
            },
        }
        (self.folder / "edge.yaml").write_text(yaml.safe_dump(tree), "utf-8")

    def kill(self, verb: str) -> None:
        """End a process as a power cut would."""
        with self._lock:
            process = self._processes[verb]
            self._killed.add(process.pid)
            process.kill()

    def begin(self, verb: str) -> None:
        """Start one process, which nothing starts again."""
        self._processes[verb] = self._start(verb)

    def end(self, verb: str) -> None:
        """End one process as systemd does."""
        process = self._processes.pop(verb, None)
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.ended[(verb, -signal.SIGTERM)] += 1
            process.kill()
            process.wait()

    def stop(self) -> None:
        """End all processes, for good."""
        self._stop.set()
        self._keeper.join()
        for verb in VERBS:
            self.end(verb)

    def send_alone(self) -> None:
        """Let nothing new be seen, and send what waits."""
        self.stop()
        self.begin("send")

    def count(self) -> tuple[int, int, int]:
        """Return how many captions were accepted, wait, and were given up; noughts where the file cannot be read."""
        query = "SELECT captions, waiting, given_up FROM ledger"
        with contextlib.suppress(sqlite3.Error), contextlib.closing(self._read_only()) as database:
            accepted, waiting, given_up = database.execute(query).fetchone()
            return int(accepted), int(waiting), int(given_up)
        return (0, 0, 0)

    def _read_only(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self.outbox}?mode=ro", uri=True, timeout=5)

    def _keep(self) -> None:
        for verb in VERBS:
            self._processes[verb] = self._start(verb)
        while not self._stop.wait(0.05):
            for verb in VERBS:
                with self._lock:
                    process = self._processes[verb]
                    code = process.poll()
                    if code is None:
                        continue
                    if process.pid not in self._killed:
                        self.ended[(verb, code)] += 1
                if not self._stop.wait(RESTART_SECONDS):
                    with self._lock:
                        self._processes[verb] = self._start(verb)

    def _start(self, verb: str) -> subprocess.Popen[bytes]:
        program = [sys.executable, "-m", "edge.cli", verb, "--config", str(self.folder / "edge.yaml")]
        environment = os.environ | (self.environment if verb == "look" else {})
        with (self.folder / f"{verb}.log").open("ab") as log:
            return subprocess.Popen(program, stdout=log, stderr=log, env=environment)


def fill(disk: Path, seconds: float) -> None:
    """Leave no byte free on a disk for a while."""
    ballast = disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    time.sleep(seconds)
    ballast.unlink(missing_ok=True)
