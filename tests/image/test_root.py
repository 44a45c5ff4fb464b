"""The root of the image without a boot: its own Python, by qemu-user, loads the device's program and libraries.

Runs where `make test-image` has built root and libraries before; it takes a minute of one core.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from edge.image import foreign, recipe
from tests.conftest import REPOSITORY

IMPORTS = (
    "import ai_edge_litert.interpreter, av, cryptography, cv2, numpy, paho.mqtt.client, tuf, edge.cli, edge.enrolment"
)


def newest(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime)
    if not found:
        pytest.skip(f"no {pattern} in {folder}: run `make test-image` before")
    return found[-1]


def test_the_images_own_python_loads_the_device(image_cache: Path) -> None:
    if shutil.which(foreign.QEMU) is None:
        pytest.skip(f"{foreign.QEMU} is not installed (qemu-user-static)")
    root = newest(image_cache, "root-*") / "root"
    libraries = newest(image_cache, "libraries-*") / "site-packages"

    environ = {"PYTHONHOME": str(root / "usr"), "PYTHONPATH": f"{libraries}:{REPOSITORY}", "PATH": os.environ["PATH"]}
    command = [foreign.QEMU, "-L", str(root), str(root / f"usr/bin/python{recipe.PYTHON}"), "-B", "-c", IMPORTS]
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)

    assert (done.returncode, done.stderr) == (0, "")
