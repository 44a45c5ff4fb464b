"""The root of the image without a boot: its own Python, by qemu-user, loads the device's program and libraries.

Runs where `make test-image` has built root and libraries before; it takes a minute of one core.
"""

import os
import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.image import foreign, recipe
from tests.conftest import REPOSITORY
from tests.image import arm64

IMPORTS = (
    "import ai_edge_litert.interpreter, av, cryptography, cv2, numpy, paho.mqtt.client, tuf, edge.cli, edge.enrolment"
)


def newest(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime)
    if not found:
        pytest.skip(f"no {pattern} in {folder}: run `make test-image` before")
    return found[-1]


def test_the_images_own_python_loads_the_device_and_captions_a_picture(image_cache: Path, tmp_path: Path) -> None:
    if shutil.which(foreign.QEMU) is None:
        pytest.skip(f"{foreign.QEMU} is not installed (qemu-user-static)")
    root = newest(image_cache, "root-*").absolute() / "root"
    libraries = newest(image_cache, "libraries-*").absolute() / "site-packages"
    for name, place in (("usr", root / "usr"), ("etc", root / "etc"), ("lib", "usr/lib"), ("bin", "usr/bin")):
        (tmp_path / name).symlink_to(place)
    arm64.describe(tmp_path)
    picture = tmp_path / "picture.png"
    cv2.imwrite(str(picture), np.full((240, 320, 3), (40, 160, 40), np.uint8))

    environ = {"PYTHONHOME": str(root / "usr"), "PYTHONPATH": f"{libraries}:{REPOSITORY}", "PATH": os.environ["PATH"]}
    program = f"{IMPORTS}, sys; sys.exit(edge.cli.main(['caption', '{picture}']))"
    command = [foreign.QEMU, "-L", str(tmp_path), str(root / f"usr/bin/python{recipe.PYTHON}"), "-B", "-c", program]
    environ |= {"QEMU_CPU": arm64.QEMU_CPU}
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
