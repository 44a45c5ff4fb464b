"""What goes into the image, and the digest by which a part that was built before is found again."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SUITE: Final = "trixie"
ARCHITECTURE: Final = "arm64"
COMPONENTS: Final = ("main", "non-free-firmware")

PYTHON: Final = "3.13"
"""That of the suite."""

PACKAGES: Final = (
    *("base-files", "base-passwd", "dash", "coreutils", "libc-bin", "mount", "util-linux", "kmod", "netbase"),
    *("systemd", "systemd-sysv", "systemd-resolved", "systemd-timesyncd", "udev"),
    *("ca-certificates", "tzdata", "e2fsprogs", "dosfstools"),
    *("wpasupplicant", "wireless-regdb", "firmware-brcm80211"),
    *("raspi-firmware", "linux-image-arm64", "busybox-static"),
    *("python3", "libstdc++6"),
    *("rauc", "dbus-daemon"),
)
"""No shell on a port, no package manager that would be used. A message bus runs only while RAUC installs an update."""

UNWANTED: Final = (
    *(
        "boot/System.map-*",
        "boot/config-*",
        "etc/init.d",
        "etc/rc?.d",
        "etc/cron*",
        "etc/apt",
        "etc/dpkg",
        "etc/initramfs*",
    ),
    *("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "usr/share/lintian", "usr/share/bug"),
    *("usr/share/bash-completion", "usr/share/zsh", "usr/share/pixmaps", "usr/share/perl5", "usr/share/debconf"),
    *("usr/share/initramfs-tools", "usr/lib/dracut", "usr/lib/klibc*", "usr/lib/valgrind", "usr/include", "usr/games"),
    *("usr/lib/udev/hwdb.d", "usr/lib/udev/hwdb.bin", "usr/lib/systemd/system/systemd-hwdb-update.service"),
    *("usr/bin/apt*", "usr/bin/dpkg*", "usr/sbin/dpkg*", "usr/sbin/update-initramfs", "usr/sbin/mkinitramfs"),
    *("usr/bin/dbus-[!d]*", "usr/share/dbus-1/system-services", "usr/lib/systemd/system/dbus*", "usr/bin/deb*"),
    *("usr/lib/systemd/user/dbus*", "usr/share/dbus-1/session.conf", "usr/lib/systemd/system/rauc*"),
    *("usr/lib/systemd/system-generators/systemd-gpt-auto-generator", "usr/sbin/telinit"),
    *("usr/lib/python3.13/idlelib", "usr/lib/python3.13/ensurepip", "usr/lib/python3.13/lib2to3"),
    *("usr/lib/python3.13/pydoc_data", "usr/lib/python3.13/test", "usr/lib/python3.13/turtledemo"),
    *("usr/lib/modules/*/kernel/sound", "usr/lib/modules/*/kernel/drivers/infiniband"),
    *("usr/lib/modules/*/kernel/drivers/iio", "usr/lib/modules/*/kernel/drivers/isdn"),
    *("usr/lib/modules/*/kernel/drivers/gpu/drm/amd", "usr/lib/modules/*/kernel/drivers/gpu/drm/nouveau"),
    *("usr/lib/modules/*/kernel/drivers/net/ethernet/mellanox", "usr/lib/modules/*/kernel/drivers/net/ethernet/intel"),
)
"""Removed from the root: documentation (licences lie beside the image), and what a card never needs."""

BOOT_MIB: Final = 512
"""Two systems of 40 MB, and an update of some 220 MB that an owner puts beside them."""
ROOT_MIB: Final = 384
"""Of each of the two roots; one of them is empty until an update fills it."""
DATA_MIB: Final = 256

SIGNATURE: Final = 0x776F7264
"""Of the disk; the root is found by it: PARTUUID=776f7264-02 is root A, -03 is root B."""

SLOTS: Final = {"a": "776f7264-02", "b": "776f7264-03"}
"""The two systems of a card: the folder of the boot partition that each starts from, and the PARTUUID of its root."""


def command_line(slot: str) -> str:
    """Return the kernel's command line of a slot; by `rauc.slot` the running system knows which one it is."""
    return (
        f"console=ttyAMA0,115200 console=tty1 root=PARTUUID={SLOTS[slot]} rootfstype=squashfs ro rootwait panic=10 "
        f"rauc.slot={slot} systemd.getty_auto=0 systemd.firstboot=off fsck.repair=yes quiet"
    )


CONFIG_TXT: Final = """\
# Kernel, device trees and command line of one system lie in a folder each; an update writes the other one.
[all]
arm_64bit=1
enable_uart=1
upstream_kernel=1
kernel=vmlinuz
initramfs initrd.img followkernel
os_prefix=a/
[tryboot]
os_prefix=b/
"""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a build is made of."""

    mirror: str | None
    """URL of Debian's archive; None for the one that mmdebstrap knows, with its updates and security fixes."""
    epoch: int
    """Time of every file of the image, seconds since 1970 (SOURCE_DATE_EPOCH)."""
    wheels: Path
    """Wheels for the image, as pip reads them, each with its SHA-256."""
    update_certificate: Path | None = None
    """Certificates (PEM) by which system updates may be signed; None for an image that takes none."""

    @property
    def source(self) -> str:
        """Where packages come from, for people and for digests."""
        return f"{SUITE} from {self.mirror or 'its archive, with updates and security fixes'}"


def digest(*parts: str | bytes) -> str:
    """Return the SHA-256 of parts in order, as 64 hexadecimal digits."""
    found = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        found.update(len(data).to_bytes(8, "big") + data)
    return found.hexdigest()


def digest_of_files(folders: Iterable[Path]) -> str:
    """Return the SHA-256 of names and contents of all files below folders, compiled Python left out."""
    parts: list[str | bytes] = []
    for folder in folders:
        for path in files_of(folder):
            parts += [f"{folder.name}/{path.relative_to(folder)}", path.read_bytes()]
    return digest(*parts)


def files_of(folder: Path) -> list[Path]:
    """Return the files below a folder in order, also those behind links, compiled Python left out."""
    found: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name != "__pycache__":
            found += files_of(path)
        elif path.is_file():
            found.append(path)
    return found
