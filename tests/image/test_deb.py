"""The Debian package, installed into a fresh Debian of this machine's processor, used, and removed without a trace."""

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge import cli as edge_cli
from edge.image import base

pytestmark = [pytest.mark.image, pytest.mark.timeout(1800)]

PACKAGES = "python3,systemd,libstdc++6,init-system-helpers"

TRACES = ("opt/wordcam", "etc/wordcam", "var/lib/wordcam", "usr/bin/wordcam-edge", "usr/lib/sysusers.d/wordcam.conf")


class Debian:
    """A root that programs are run in."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __call__(self, *words: str) -> str:
        environ = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
        command = ["chroot", str(self.root), *words]
        done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
        assert done.returncode == 0, f"{' '.join(words)}:\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def package(image_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package for this machine's processor and Debian 12."""
    folder = tmp_path_factory.mktemp("package")
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
    words = ["image", "deb", "--architecture", architecture, "--python", "3.11"]
    assert edge_cli.main([*words, "--to", str(folder), "--cache", str(image_cache)]) == 0
    return next(folder.glob("*.deb"))


@pytest.fixture
def debian(tmp_path: Path) -> Iterator[Debian]:
    """A small Debian 12 of this machine's processor."""
    if os.geteuid() != 0 or shutil.which("mmdebstrap") is None:
        pytest.skip("needs root and mmdebstrap")
    root = tmp_path / "debian"
    command = [
        "mmdebstrap",
        "--quiet",
        "--mode=root",
        "--variant=minbase",
        f"--include={PACKAGES}",
        "bookworm",
        str(root),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"mmdebstrap cannot make a Debian here: {done.stderr[-300:]}")
    yield Debian(root)
    shutil.rmtree(root, ignore_errors=True)


def test_the_package_installs_works_and_goes_without_a_trace(debian: Debian, package: Path) -> None:
    shutil.copy(package, debian.root / "root" / package.name)
    picture = debian.root / "root/picture.png"
    cv2.imwrite(str(picture), np.full((240, 320, 3), (40, 160, 40), np.uint8))
    (debian.root / "dev/shm").mkdir(exist_ok=True)

    debian("dpkg", "--install", f"/root/{package.name}")

    assert "wordcam-edge" in debian("wordcam-edge", "--version")
    assert debian("wordcam-edge", "caption", "/root/picture.png").strip()
    assert "/var/lib/wordcam/outbox.sqlite" in (debian.root / "etc/wordcam/edge.yaml").read_text(encoding="utf-8")
    assert "wordcam-look" in debian("getent", "passwd", "wordcam-look")
    assert debian("stat", "-c", "%a %G", "/var/lib/wordcam").strip() == "2770 wordcam"
    debian("systemctl", "enable", "wordcam-look", "wordcam-send")

    debian("dpkg", "--remove", "wordcam-edge")
    assert (debian.root / "etc/wordcam/edge.yaml").exists()
    debian("dpkg", "--purge", "wordcam-edge")

    assert [path for path in TRACES if (debian.root / path).exists()] == []
    assert list((debian.root / "usr/lib/systemd/system").glob("wordcam*")) == []
    wants = debian.root / "etc/systemd/system/multi-user.target.wants"
    assert list(wants.glob("wordcam*")) == []


def test_the_script_of_a_base_image_installs_it_and_has_its_card_taken(debian: Debian, package: Path) -> None:
    boot = debian.root / "boot/firmware/wordcam"
    boot.mkdir(parents=True)
    shutil.copy(package, boot / "wordcam-edge.deb")
    (debian.root / "root/vendor-data").write_text(base.SCRIPT, encoding="utf-8")

    debian("sh", "/root/vendor-data")

    assert not (debian.root / "var/lib/wordcam-config/edge.yaml").exists()
    assert debian("stat", "-Lc", "%a %U %G", "/etc/wordcam").strip() == "755 wordcam-send wordcam"
    wants = debian.root / "etc/systemd/system/multi-user.target.wants"
    started = {path.name for path in wants.glob("wordcam*")}
    assert started == {f"wordcam-{name}.service" for name in ("boot-partition", "enroll", "look", "send")}
