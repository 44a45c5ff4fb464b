"""The alert service as a process of its own, watched from outside."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from bench.accuracy.alarms import RULES
from bench.device import commands

CLIENT_ID: Final = "wordcam-broker"
"""The name of its session, as in its configuration's default."""

READY_SECONDS: Final = 60.0

_PINNED: Final = "import os, sys; os.sched_setaffinity(0, {0}); os.execv(sys.argv[1], sys.argv[1:])"
"""Keeps a program on one core, and becomes it."""


def pinned(*words: str) -> list[str]:
    """Return the command that runs a program on the first core alone; raises `commands.Failed` but on Linux."""
    if not hasattr(os, "sched_setaffinity"):
        raise commands.Failed("one core can be chosen on Linux only")
    return [sys.executable, "-c", _PINNED, *words]


@dataclass(frozen=True, slots=True)
class Service:
    """One running service."""

    pid: int
    database: Path

    @property
    def processor_seconds(self) -> float:
        """Time on the core so far, the kernel's share included."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def resident_bytes(self) -> int:
        """Memory that it holds now."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def running(folder: Path, port: int, **changes: Any) -> Iterator[Service]:
    """Run the service on one core, with the shipped rules; raises `commands.Failed` where it does not start."""
    folder.mkdir()
    tree = {
        "database": {"path": "wordcam.db"},
        "rules_file": str(RULES),
        "mqtt": {"host": "127.0.0.1", "port": port, "client_id": CLIENT_ID},
        "recipients": [{"name": "guard", "phone": "+1 202 555 0143"}],
    }
    config = folder / "broker.yaml"
    config.write_text(yaml.safe_dump(tree | changes), encoding="utf-8")
    log = folder / "log"
    command = pinned(commands.command("wordcam-broker"), "run", "--config", str(config))
    with log.open("wb") as said:
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)
    try:
        _wait_ready(child, log)
        yield Service(child.pid, folder / "wordcam.db")
    finally:
        child.terminate()
        child.wait()


def _wait_ready(child: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while b"subscribed" not in log.read_bytes():
        if child.poll() is not None or time.monotonic() > deadline:
            raise commands.Failed(f"the alert service did not start: {commands.last_words(log.read_text())}")
        time.sleep(0.01)
