"""Runs `wordcam-edge` as processes over a folder of pictures, as a device would over its camera."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from testing.mosquitto import Mosquitto
from testing.waiting import PATIENCE_SECONDS, wait_until

RED, GREEN, BLUE = (0, 0, 255), (0, 255, 0), (255, 0, 0)
"""OpenCV's order of colours; the tiny bundle calls them a fire, a dog and a man."""


def paint(folder: Path, colours: Iterable[tuple[int, int, int]]) -> Path:
    """Write one picture of one colour each, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, colour in enumerate(colours):
        cv2.imwrite(str(folder / f"{number:04}.jpg"), np.full((120, 160, 3), colour, np.uint8))
    return folder


@dataclass
class Device:
    """One device of the site north-gate, with a folder for its outbox, its configuration and its log."""

    folder: Path
    bundle: Path
    pictures: Path
    server: Mosquitto
    login: dict[str, str]

    @property
    def config(self) -> Path:
        """Its edge.yaml."""
        return self.folder / "edge.yaml"

    @property
    def log(self) -> str:
        """Everything its processes have logged."""
        return (self.folder / "edge.process.log").read_text(encoding="utf-8")

    @property
    def summary(self) -> dict[str, Any]:
        """The summary of its last run."""
        found: dict[str, Any] = json.loads((self.folder / "summary.json").read_text(encoding="utf-8"))
        return found

    def configure(self) -> None:
        """Write its configuration."""
        self.folder.mkdir(parents=True, exist_ok=True)
        mqtt: dict[str, Any] = {"host": self.server.host, "port": self.server.port}
        mqtt |= {"first_retry_seconds": 0.1, "max_retry_seconds": 0.5, "resend_seconds": 1.0}
        if self.login:
            (self.folder / "password").write_text(self.login["password"], encoding="utf-8")
            mqtt |= {"username": self.login["username"], "password_file": "password"}
        tree = {
            "site": "north-gate",
            "device": "pi-01",
            "bundle": str(self.bundle),
            "camera": {"kind": "replay", "path": str(self.pictures), "pace": "fast"},
            "gate": {"min_gap_seconds": 0},
            "outbox": {"path": "outbox.sqlite"},
            "mqtt": mqtt,
            "as_root": True,  # the tests' user is root in many a container
        }
        self.config.write_text(yaml.safe_dump(tree), encoding="utf-8")

    def start(self, verb: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start one verb."""
        with (self.folder / "edge.process.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "edge.cli", verb, "--config", str(self.config), *arguments],
                stdout=log,
                stderr=log,
                env=os.environ | {"PYTHONWARNINGS": "error"},
            )

    def run(self, verb: str, *arguments: str) -> None:
        """Run one verb to its end, which must be a good one."""
        with self.start(verb, *arguments) as process:
            try:
                code = process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                pytest.fail(f"`{verb}` did not end within {PATIENCE_SECONDS:g} s:\n{self.log}")
        assert code == 0, self.log

    @contextmanager
    def running(self, verb: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a verb in the background, and end it as an administrator would; fails where it does not end."""
        with self.start(verb) as process:
            try:
                yield process
            finally:
                process.terminate()
                try:
                    process.wait(PATIENCE_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()
                    pytest.fail(f"`{verb}` did not end within {PATIENCE_SECONDS:g} s of SIGTERM:\n{self.log}")

    @contextmanager
    def sending(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run `send` in the background, connected."""
        before = self.log.count('"connected"')
        with self.running("send") as process:
            wait_until(lambda: self.log.count('"connected"') > before, f"`send` to connect:\n{self.log}")
            yield process

    def run_summarised(self) -> None:
        """Run the whole device until the pictures are at their end and acknowledged."""
        self.run("run", "--summary", str(self.folder / "summary.json"))

    def waiting(self) -> int:
        """Count the captions in its outbox, as `wordcam-edge check` does."""
        program = [sys.executable, "-m", "edge.cli", "check", "--config", str(self.config)]
        done = subprocess.run(program, capture_output=True, text=True, check=True)
        (line,) = (line for line in done.stdout.splitlines() if line.startswith("outbox:"))
        return int(line.split()[-3])
