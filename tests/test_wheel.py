"""What people install: the wheel, in an environment of its own, without the source beside it."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from contract import release
from edge.errors import MISCONFIGURED, TRY_AGAIN
from tests.conftest import REPOSITORY

PACKAGES = {"contract", "edge", "trainer", "converter", "broker", "foundation"}

NO_SOURCE = (".*", "build", "dist", "runs", "var", "__pycache__", "*.egg-info", "node_modules")

PROGRAMS = ("wordcam-edge", "wordcam-broker", "wordcam-train", "wordcam-convert")


@dataclass(frozen=True, slots=True)
class Installed:
    """An environment that holds the wheel, and an empty folder to work in."""

    programs: Path
    folder: Path

    def __call__(self, program: str, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        command = [str(self.programs / program), *words]
        return subprocess.run(
            command, cwd=self.folder, env=environ, input=stdin, capture_output=True, text=True, check=False
        )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree; skips where pip cannot fetch what builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"  # setuptools writes into the tree from which it builds, and others may build there now
    shutil.copytree(REPOSITORY, source, symlinks=True, ignore=shutil.ignore_patterns(*NO_SOURCE))
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(folder),
        str(source),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "No matching distribution found for setuptools" in done.stderr:
        pytest.skip("there is no network from which to fetch setuptools")
    assert done.returncode == 0, done.stderr
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel; the libraries are those of this Python."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", str(wheel)]
    subprocess.run(command, check=True, capture_output=True)
    site = next(folder.glob("lib/python*/site-packages"))
    # Added as a folder, it brings its libraries, but not the links by which it knows this source.
    libraries = {
        sysconfig.get_path("purelib"),
        *(path for path in sys.path if path.endswith("site-packages") or (Path(path) / "msgspec").is_dir()),
    }
    (site / "libraries.pth").write_text("\n".join(sorted(libraries)), encoding="utf-8")
    return folder


@pytest.fixture
def installed(environment: Path, tmp_path: Path) -> Installed:
    return Installed(environment / "bin", tmp_path)


def test_it_holds_the_services_and_nothing_that_only_developers_need(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()

    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == PACKAGES
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(names)
    assert {"edge/models/wordcam-1/manifest.json", "edge/models/wordcam-1/card.md"} <= set(names)
    assert {"broker/starter/broker.yaml", "broker/starter/rules.yaml"} <= set(names)
    assert sum(name.endswith(("/licenses/LICENSE", "/licenses/LICENSE-model.md")) for name in names) == 2


def test_its_data_files_are_those_of_the_source(wheel: Path) -> None:
    def is_data(name: str) -> bool:
        return not name.endswith((".py", ".pyc")) and "__pycache__" not in name

    with zipfile.ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if is_data(name) and ".dist-info/" not in name}
    source = {
        str(path.relative_to(REPOSITORY))
        for package in PACKAGES
        for folder, _, files in os.walk(REPOSITORY / package, followlinks=True)
        for path in (Path(folder) / file for file in files)
        if is_data(str(path))
    }

    assert shipped == source


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_program_helps_and_says_its_version(installed: Installed, program: str) -> None:
    helped, version = installed(program, "--help"), installed(program, "--version")

    assert (helped.returncode, version.returncode) == (0, 0), helped.stderr + version.stderr
    assert f"usage: {program}" in helped.stdout
    assert version.stdout == f"{release.line(program)}\n"


def test_the_first_hour_of_a_device(installed: Installed) -> None:
    ramp = np.linspace(0, 255, 320 * 240 * 3).reshape(240, 320, 3).astype(np.uint8)
    cv2.imwrite(str(installed.folder / "picture.jpg"), ramp)

    said = installed("wordcam-edge", "caption", "picture.jpg")
    made = installed("wordcam-edge", "init", "--camera", "picture.jpg")
    checked = installed("wordcam-edge", "check")

    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith("picture.jpg: ")
    assert "research and education only" in said.stderr
    assert str(installed.programs.parent) in said.stderr  # the model is the environment's, not the source's
    assert made.returncode == 0, made.stderr
    assert "bundle: wordcam-1@" in checked.stdout
    assert checked.returncode in {TRY_AGAIN, MISCONFIGURED}  # no MQTT server runs here, and a picture is no film


def test_the_first_hour_of_a_server(installed: Installed) -> None:
    steps = [
        ("init", ""),
        ("check", ""),
        ("user add mina --role administrator --password-file -", "a-long-enough-secret"),
        ("watch --once", ""),
        ("send-test", ""),
        ("rules test -", '{"text": "a man with a gun"}'),
    ]
    for words, stdin in steps:
        done = installed("wordcam-broker", *words.split(), stdin=stdin)
        assert done.returncode == 0, f"{words}: {done.stderr}"

    assert "gun: 1 fired" in done.stdout


def test_the_first_hour_of_a_workstation(installed: Installed) -> None:
    rows = ["file,caption"]
    for number in range(10):
        cv2.imwrite(str(installed.folder / f"{number}.jpg"), np.full((64, 64, 3), 20 * number, np.uint8))
        rows.append(f"{number}.jpg,a grey wall")
    (installed.folder / "captions.csv").write_text("\n".join(rows), encoding="utf-8")

    made = installed("wordcam-train", "init", ".")

    assert made.returncode == 0, made.stderr
    assert "wordcam-train prepare recipe.yaml --check" in made.stdout


@pytest.fixture
def bare(wheel: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The programs beside msgspec and PyYAML alone, as `pip install wordcam` without an extra leaves them."""
    for name in ("msgspec", "yaml", "_yaml"):
        (folder,) = {Path(path) / name for path in sys.path if (Path(path) / name).is_dir()}
        (tmp_path / "site").mkdir(exist_ok=True)
        (tmp_path / "site" / name).symlink_to(folder)

    def run(module: str, *words: str) -> subprocess.CompletedProcess[str]:
        script = f"import sys; sys.path[:0] = {[str(tmp_path / 'site'), str(wheel)]!r}; sys.argv = ['x', *{words!r}]; "
        script += f"from {module}.__main__ import console; console()"
        command = [sys.executable, "-I", "-S", "-c", script]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return run


@pytest.mark.parametrize("package", ["edge", "broker", "trainer", "converter"])
def test_without_its_extra_a_program_names_it(
    bare: Callable[..., subprocess.CompletedProcess[str]], package: str
) -> None:
    words = {"edge": ["caption", "x.jpg"], "broker": ["init"]}.get(package, ["--help"])

    done = bare(package, *words)

    assert done.returncode == MISCONFIGURED, done.stderr
    assert done.stderr.endswith(f"pip install 'wordcam[{package}]'\n")
