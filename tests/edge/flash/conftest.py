"""A small image with wordcam's mark, as a card has it, and an invitation."""

import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from contract.enrolment import Invitation
from edge import boot_partition
from edge.boot_partition import Mark
from edge.flash import fat
from testing.errors import NotInstalled

MIB = 1 << 20

BOOT_MIB, ROOT_MIB = 9, 5


def table(*partitions: tuple[int, int, int]) -> bytes:
    """Make a master boot record: type, start and size in MiB of each partition."""
    entries = b"".join(
        bytes([0, 0, 0, 0, kind, 0, 0, 0]) + (start * 2048).to_bytes(4, "little") + (size * 2048).to_bytes(4, "little")
        for kind, start, size in partitions
    )
    return bytes(446) + entries.ljust(64, b"\0") + b"\x55\xaa"


@pytest.fixture(scope="session")
def made_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image of boot partition and root; made once, since making FAT takes a program."""
    for program in ("mkfs.vfat", "mcopy"):
        if shutil.which(program) is None:
            raise NotInstalled(f"{program} is not installed")
    folder = tmp_path_factory.mktemp("image")
    boot, image = folder / "boot.fat", folder / "card.img"
    with boot.open("wb") as file:
        file.truncate(BOOT_MIB * MIB)
    subprocess.run(["mkfs.vfat", "-F", "16", str(boot)], check=True, capture_output=True)
    mark = Mark(version="0.0.0", base="debian", built_of="0" * 64)
    fat.write(boot, {boot_partition.MARK: msgspec.json.encode(mark)})
    root = os.urandom(2 * MIB) + bytes(2 * MIB) + os.urandom(MIB)
    first = table((0x0C, 1, BOOT_MIB), (0x83, 1 + BOOT_MIB, ROOT_MIB)).ljust(MIB, b"\0")
    image.write_bytes(first + boot.read_bytes() + root)
    return image


@pytest.fixture
def image(made_image: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return Path(shutil.copy(made_image, tmp_path / "card.img"))


@pytest.fixture
def invitation(tmp_path: Path) -> Path:
    """What `wordcam-broker enroll` writes."""
    path = tmp_path / "north-gate_pi-01.enroll"
    made = Invitation(
        site="north-gate",
        device="pi-01",
        url="https://wordcam.example:8443",
        token="t" * 43,
        authority="-----BEGIN CERTIFICATE-----",
        mqtt_host="wordcam.example",
        until=datetime.now(UTC) + timedelta(days=7),
    )
    path.write_bytes(msgspec.json.encode(made))
    return path
