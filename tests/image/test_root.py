"""The root of the image without a boot: its own Python, by qemu-user, describes a picture with the device's libraries.

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


def newest(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime)
    if not found:
        pytest.skip(f"no {pattern} in {folder}: run `make test-image` before")
    return found[-1]


def test_the_images_own_python_describes_a_picture(image_cache: Path, tmp_path: Path) -> None:
    if shutil.which(foreign.QEMU) is None:
        pytest.skip(f"{foreign.QEMU} is not installed (qemu-user-static)")
    root = newest(image_cache, "root-*") / "root"
    libraries = newest(image_cache, "libraries-*") / "site-packages"
    picture = tmp_path / "picture.png"
    cv2.imwrite(str(picture), np.full((240, 320, 3), (40, 160, 40), np.uint8))

    environ = {"PYTHONHOME": str(root / "usr"), "PYTHONPATH": f"{libraries}:{REPOSITORY}", "PATH": os.environ["PATH"]}
    command = [foreign.QEMU, "-L", str(root), str(root / f"usr/bin/python{recipe.PYTHON}"), "-B", "-m", "edge"]
    done = subprocess.run([*command, "caption", str(picture)], capture_output=True, text=True, env=environ, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
