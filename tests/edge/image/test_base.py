"""wordcam put into an image that has cloud-init, as Raspberry Pi OS has it."""

import json
import shutil
import subprocess
from pathlib import Path, PurePosixPath

import pytest

from edge import boot_partition, cli
from edge.errors import Misconfigured
from edge.flash import bmap, fat
from edge.flash.image_file import Extent
from edge.image import base
from testing.errors import NotInstalled
from tests.edge.flash.conftest import BOOT_MIB, MIB, ROOT_MIB, invitation, table

__all__ = ["invitation"]


@pytest.fixture
def raspios(tmp_path: Path) -> Path:
    """A small image with a boot partition as cloud-init looks at, and a root."""
    for program in ("mkfs.vfat", "mcopy"):
        if shutil.which(program) is None:
            raise NotInstalled(f"{program} is not installed")
    boot, image = tmp_path / "boot.fat", tmp_path / "raspios.img"
    boot.write_bytes(bytes(BOOT_MIB * MIB))
    subprocess.run(["mkfs.vfat", "-F", "16", str(boot)], check=True, capture_output=True)
    fat.write(boot, {base.USER_DATA: b"#cloud-config\n", PurePosixPath("config.txt"): b"arm_64bit=1\n"})
    first = table((0x0C, 1, BOOT_MIB), (0x83, 1 + BOOT_MIB, ROOT_MIB)).ljust(MIB, b"\0")
    image.write_bytes(first + boot.read_bytes() + b"root" * (ROOT_MIB * MIB // 4))
    return image


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = tmp_path / "wordcam-edge.deb"
    path.write_bytes(b"!<arch>\n" * 1000)
    return path


def test_the_package_and_the_script_that_installs_it_lie_on_the_boot_partition(
    raspios: Path, package: Path, tmp_path: Path
) -> None:
    to = tmp_path / "wordcam.img"

    base.inject(raspios, package, to, built_of="0" * 64)

    assert fat.read(to, base.PACKAGE, offset=MIB) == package.read_bytes()
    assert (fat.read(to, base.VENDOR_DATA, offset=MIB) or b"").startswith(b"#!/bin/sh\n")
    assert fat.read(to, base.USER_DATA, offset=MIB) == b"#cloud-config\n"
    assert to.read_bytes()[(1 + BOOT_MIB) * MIB :] == raspios.read_bytes()[(1 + BOOT_MIB) * MIB :]


def test_its_block_map_covers_the_boot_partition_too(raspios: Path, package: Path, tmp_path: Path) -> None:
    root = Extent((1 + BOOT_MIB) * MIB, (2 + BOOT_MIB) * MIB)
    raspios.with_name("raspios.bmap").write_text(bmap.render(bmap.of(raspios, (Extent(0, MIB), root))))

    base.inject(raspios, package, tmp_path / "wordcam.img", built_of="0" * 64)

    made = bmap.read(tmp_path / "wordcam.img.bmap")
    assert [one.extent for one in made.ranges] == [Extent(0, (2 + BOOT_MIB) * MIB)]


def test_flash_gives_its_wifi_to_cloud_init(raspios: Path, package: Path, invitation: Path, tmp_path: Path) -> None:
    made, card, password = tmp_path / "wordcam.img", tmp_path / "sd.img", tmp_path / "password"
    base.inject(raspios, package, made, built_of="0" * 64)
    password.write_text("long enough")

    words = ["flash", str(made), "--device", str(invitation), "--to", str(card), "--yes", "--wifi-name", "우리집"]
    assert cli.main([*words, "--wifi-password-file", str(password)]) == 0

    network = json.loads(fat.read(card, boot_partition.NETWORK_CONFIG, offset=MIB) or b"")
    assert network["wifis"]["wlan0"]["access-points"] == {"우리집": {"password": "long enough"}}
    assert b"long enough" not in (fat.read(card, boot_partition.SETTINGS, offset=MIB) or b"")


def test_an_image_without_cloud_init_is_refused(raspios: Path, package: Path, tmp_path: Path) -> None:
    content = bytearray(raspios.read_bytes())
    raspios.write_bytes(content.replace(b"USER-D~1", b"OTHER-~1").replace(b"u\0s\0e\0r", b"o\0t\0h\0r"))

    with pytest.raises(Misconfigured, match="has no cloud-init"):
        base.inject(raspios, package, tmp_path / "wordcam.img", built_of="0" * 64)


def test_an_image_is_not_given_wordcam_twice(raspios: Path, package: Path, tmp_path: Path) -> None:
    base.inject(raspios, package, tmp_path / "one.img", built_of="0" * 64)

    with pytest.raises(Misconfigured, match="has wordcam in it already"):
        base.inject(tmp_path / "one.img", package, tmp_path / "two.img", built_of="0" * 64)


def test_the_script_is_a_shells(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(base.SCRIPT, encoding="utf-8")

    assert subprocess.run(["sh", "-n", str(script)], check=False).returncode == 0
