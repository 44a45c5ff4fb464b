"""The first hour of each user, as typed: an empty folder, a new environment, `pip install`, the commands of the README.

Which Pythons: those of 3.11 to 3.13 on PATH or of pyenv, or those that the variable PYTHONS names.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest

from contract import release
from edge.errors import TRY_AGAIN
from testing.mosquitto import Mosquitto
from testing.waiting import PATIENCE_SECONDS, wait_until
from tests.conftest import REPOSITORY

pytestmark = [pytest.mark.install, pytest.mark.timeout(3600)]

VERSIONS = ("3.11", "3.12", "3.13")

FROM_PATH = str(REPOSITORY)
FROM_WHEEL = "the wheel"


def pythons() -> list[str]:
    """Return one interpreter for each version that is here: on PATH, or kept by pyenv."""
    found = []
    for version in VERSIONS:
        kept = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python{version}"))
        candidates = [shutil.which(f"python{version}"), *map(str, reversed(kept))]
        found += [name for name in candidates if name and _starts(name)][:1]
    return os.environ.get("PYTHONS", "").split() or found


def _starts(python: str) -> bool:
    """Say whether it is a Python: pyenv puts names on PATH that start nothing."""
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0


@dataclass
class Machine:
    """A new environment, and an empty folder in which commands are typed."""

    environment: Path
    folder: Path
    typed: list[str] = field(default_factory=list)

    def path(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        return clean | {"PATH": f"{self.environment / 'bin'}{os.pathsep}{os.environ['PATH']}"}

    def type(self, line: str, *, stdin: str = "", code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a line as a shell would; fails where it does not end with `code`."""
        self.typed.append(line)
        done = subprocess.run(
            line, shell=True, cwd=self.folder, env=self.path(), input=stdin, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, f"$ {line}\n{done.stdout}\n{done.stderr}"
        return done

    @contextlib.contextmanager
    def running(self, line: str) -> Iterator[Path]:
        """Run a line beside the block, and end it by Ctrl-C; yields the file of what it writes."""
        self.typed.append(line)
        log = self.folder / f"{len(self.typed)}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(line.split(), cwd=self.folder, env=self.path(), stdout=file, stderr=file)
        try:
            yield log
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE_SECONDS) == 0, log.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), FROM_PATH]
    subprocess.run(command, check=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(params=pythons(), ids=lambda path: Path(path).name)
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    """A new environment of each Python; removed afterwards, because TensorFlow alone takes 2 GB."""
    subprocess.run([request.param, "-m", "venv", tmp_path / "venv"], check=True)
    (tmp_path / "empty").mkdir()
    yield Machine(tmp_path / "venv", tmp_path / "empty")
    shutil.rmtree(tmp_path / "venv")


def install(machine: Machine, what: str, extras: str) -> None:
    machine.type(f"pip install --quiet --constraint '{REPOSITORY}/constraints.txt' '{what}[{extras}]'")


def photograph(path: Path) -> None:
    """Render something to look at: a bright door in a dark wall."""
    picture = np.full((480, 640, 3), 40, np.uint8)
    cv2.rectangle(picture, (240, 120), (400, 470), (180, 200, 210), -1)
    cv2.imwrite(str(path), picture)


@pytest.mark.parametrize("origin", [FROM_PATH, FROM_WHEEL], ids=["path", "wheel"])
def test_a_device(machine: Machine, wheel: Path, origin: str, mosquitto: Mosquitto) -> None:
    install(machine, str(wheel) if origin == FROM_WHEEL else origin, "edge")
    photograph(machine.folder / "picture.jpg")
    (machine.folder / "film").mkdir()
    photograph(machine.folder / "film" / "1.jpg")

    assert machine.type("wordcam-edge --version").stdout.startswith(f"wordcam-edge {release.VERSION} ")
    said = machine.type("wordcam-edge caption picture.jpg")
    assert said.stdout.startswith("picture.jpg: ")
    assert "research and education only" in said.stderr
    machine.type("wordcam-edge init --camera film")
    assert "Connection refused" in machine.type("wordcam-edge check", code=TRY_AGAIN).stderr

    edit(machine.folder / "edge.yaml", "# port: 1883 ", f"port: {mosquitto.port} #")
    assert "login accepted" in machine.type("wordcam-edge check").stdout
    with machine.running("wordcam-edge send") as log:
        wait_until(lambda: "connected" in log.read_text(encoding="utf-8"), "the connection")


@pytest.mark.parametrize("origin", [FROM_PATH, FROM_WHEEL], ids=["path", "wheel"])
def test_a_server(machine: Machine, wheel: Path, origin: str, mosquitto: Mosquitto) -> None:
    install(machine, str(wheel) if origin == FROM_WHEEL else origin, "broker")

    assert machine.type("wordcam-broker --version").stdout.startswith(f"wordcam-broker {release.VERSION} ")
    machine.type("wordcam-broker init")
    edit(machine.folder / "broker.yaml", "port: 1883", f"port: {mosquitto.port}")
    edit(machine.folder / "broker.yaml", "port: 8080", "port: 0")
    machine.type("wordcam-broker check")
    machine.type("wordcam-broker user add mina --role administrator --password-file -", stdin="a-long-enough-secret")
    assert "SMS to" in machine.type("wordcam-broker send-test").stdout
    assert "gun: 1 fired" in machine.type("wordcam-broker rules test -", stdin='{"text": "a man with a gun"}').stdout
    with machine.running("wordcam-broker run --console") as log:
        wait_until(lambda: "http://127.0.0.1:" in log.read_text(encoding="utf-8"), "the console")
        machine.type("wordcam-broker watch --once")


def test_a_workstation(machine: Machine, wheel: Path) -> None:
    install(machine, str(wheel), "trainer,converter")

    machine.type("wordcam-train --version && wordcam-convert --version")
    machine.type("wordcam-train sample --out sample")
    machine.type("wordcam-train init sample")
    machine.type("wordcam-train prepare recipe.yaml --check")


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
