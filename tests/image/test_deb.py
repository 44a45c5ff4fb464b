"""The Debian packages, installed into a fresh Debian, used, and removed without a trace; the one for arm64 by qemu."""

import os
import platform
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge import cli as edge_cli
from edge.image import base
from tests.image import arm64

pytestmark = [pytest.mark.image, pytest.mark.timeout(1800)]

PACKAGES = "python3,systemd,libstdc++6,init-system-helpers"

FOREIGN_PACKAGES = (
    f"{PACKAGES},base-files,base-passwd,dash,coreutils,libc-bin,dpkg,tar,sed,grep,findutils,diffutils,util-linux"
)
"""What a Debian of which no maintainer script has run needs besides."""

BINFMT = Path("/proc/sys/fs/binfmt_misc/qemu-aarch64")
"""There where this machine runs programs for arm64."""

TRACES = ("opt/wordcam", "etc/wordcam", "var/lib/wordcam", "usr/bin/wordcam-edge", "usr/lib/sysusers.d/wordcam.conf")


class Debian:
    """A root that programs are run in."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __call__(self, *words: str) -> str:
        environ = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
        environ |= {"QEMU_CPU": arm64.QEMU_CPU}
        command = ["chroot", str(self.root), *words]
        done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
        assert done.returncode == 0, f"{' '.join(words)}:\n{done.stdout}{done.stderr}"
        return done.stdout


def build(architecture: str, python: str, image_cache: Path, folder: Path) -> Path:
    words = ["image", "deb", "--architecture", architecture, "--python", python]
    assert edge_cli.main([*words, "--to", str(folder), "--cache", str(image_cache)]) == 0
    return next(folder.glob("*.deb"))


@pytest.fixture(scope="module")
def package(image_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package for this machine's processor and Debian 12."""
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
    return build(architecture, "3.11", image_cache, tmp_path_factory.mktemp("package"))


def bootstrap(root: Path, suite: str, *options: str) -> Debian:
    if os.geteuid() != 0 or shutil.which("mmdebstrap") is None:
        pytest.skip("needs root and mmdebstrap")
    command = ["mmdebstrap", "--quiet", "--mode=root", *options, suite, str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"mmdebstrap cannot make a Debian here: {done.stderr[-300:]}")
    return Debian(root)


@pytest.fixture
def debian(tmp_path: Path) -> Iterator[Debian]:
    """A small Debian 12 of this machine's processor."""
    made = bootstrap(tmp_path / "debian", "bookworm", "--variant=minbase", f"--include={PACKAGES}")
    yield made
    shutil.rmtree(made.root, ignore_errors=True)


@pytest.fixture
def foreign_debian(tmp_path: Path) -> Iterator[Debian]:
    """A small Debian 13 for arm64 on another processor; its packages are unpacked, and dpkg knows none of them."""
    if platform.machine() == "aarch64" or not BINFMT.exists():
        pytest.skip(f"needs another processor than arm64, and {BINFMT} (qemu-user-static and binfmt-support)")
    unpacked = ("--variant=extract", "--skip=check/qemu", "--architectures=arm64", f"--include={FOREIGN_PACKAGES}")
    keyring = "--keyring=/usr/share/keyrings/debian-archive-keyring.gpg"
    made = bootstrap(tmp_path / "debian", "trixie", *unpacked, keyring)
    for name in ("passwd", "group"):
        shutil.copy(made.root / f"usr/share/base-passwd/{name}.master", made.root / "etc" / name)
    arm64.describe(made.root)
    if not (made.root / "dev/null").exists():
        os.mknod(made.root / "dev/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    yield made
    shutil.rmtree(made.root, ignore_errors=True)


def test_the_package_installs_works_and_goes_without_a_trace(debian: Debian, package: Path) -> None:
    live_through(debian, package)


def test_the_package_for_arm64_installs_works_and_goes_without_a_trace(
    foreign_debian: Debian, image_cache: Path, tmp_path: Path
) -> None:
    package = build("arm64", "3.13", image_cache, tmp_path)

    live_through(foreign_debian, package, "--force-depends")


def live_through(debian: Debian, package: Path, *options: str) -> None:
    """Install the package, use it, remove it, and find nothing of it."""
    shutil.copy(package, debian.root / "root" / package.name)
    picture = debian.root / "root/picture.png"
    cv2.imwrite(str(picture), np.full((240, 320, 3), (40, 160, 40), np.uint8))
    (debian.root / "dev/shm").mkdir(exist_ok=True)

    debian("dpkg", *options, "--install", f"/root/{package.name}")

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
