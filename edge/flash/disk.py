"""Which disk a card is, by sysfs and procfs, and why one may not be written on."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

SECTOR_BYTES: Final = 512
"""Unit of `size` in sysfs, whatever the disk's own sectors are."""

SYSTEM_MOUNTS: Final = frozenset({"/", "/boot", "/boot/efi", "/boot/firmware", "/home", "/usr", "/var"})

_OCTAL: Final = re.compile(r"\\([0-7]{3})")
"""How /proc/self/mountinfo writes a space."""


class Reason(Enum):
    """Why a disk may not be written on."""

    NOT_A_DISK = "not-a-disk"
    A_PARTITION = "a-partition"
    SYSTEM_DISK = "system-disk"
    MOUNTED = "mounted"
    SWAP = "swap"
    IN_USE = "in-use"
    READ_ONLY = "read-only"
    NO_MEDIUM = "no-medium"
    TOO_SMALL = "too-small"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reason, and what it is about: mount points, the whole disk's name, other devices."""

    reason: Reason
    about: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Disk:
    """A whole disk, or a partition of one."""

    name: str
    """As the kernel calls it: `sdb`, `mmcblk0`."""
    model: str
    size_bytes: int
    is_removable: bool
    is_read_only: bool
    whole: str | None
    """Name of the disk of which this is a partition; None for a whole disk."""
    mounts: tuple[str, ...]
    """Mount points of the disk, its partitions and what stands on them."""
    swaps: tuple[str, ...]
    holders: tuple[str, ...]
    """What stands on the disk: LVM, RAID or encryption."""


def find(name: str, sys: Path = Path("/sys"), proc: Path = Path("/proc")) -> Disk | None:
    """Return a disk by the kernel's name; None where there is none. Raises `OSError`."""
    folder = (sys / "class/block" / name).resolve()
    if not folder.is_dir():
        return None
    is_partition = (folder / "partition").exists()
    family = {name, *_partitions(folder)}
    holders = tuple(sorted({one for member in family for one in _holders(sys, member)}))
    devices = family | set(holders)
    return Disk(
        name=name,
        model=_model(folder),
        size_bytes=int(_text(folder / "size") or "0") * SECTOR_BYTES,
        is_removable=_text(folder / "removable") == "1",
        is_read_only=_text(folder / "ro") == "1",
        whole=folder.parent.name if is_partition else None,
        mounts=tuple(sorted(_mounts(sys, proc, devices))),
        swaps=tuple(sorted(_swaps(proc, devices))),
        holders=holders,
    )


def refusal(disk: Disk, needed_bytes: int) -> Refusal | None:
    """Say why `needed_bytes` may not be written on a disk; None where they may."""
    if disk.whole is not None:
        return Refusal(Reason.A_PARTITION, (disk.whole,))
    if SYSTEM_MOUNTS & set(disk.mounts):
        return Refusal(Reason.SYSTEM_DISK, disk.mounts)
    for reason, about in (
        (Reason.MOUNTED, disk.mounts),
        (Reason.SWAP, disk.swaps),
        (Reason.IN_USE, disk.holders),
    ):
        if about:
            return Refusal(reason, about)
    if disk.size_bytes == 0:
        return Refusal(Reason.NO_MEDIUM)
    if disk.is_read_only:
        return Refusal(Reason.READ_ONLY)
    return Refusal(Reason.TOO_SMALL) if disk.size_bytes < needed_bytes else None


def _partitions(folder: Path) -> Iterator[str]:
    for child in folder.iterdir():
        if (child / "partition").exists():
            yield child.name


def _holders(sys: Path, name: str) -> Iterator[str]:
    folder = (sys / "class/block" / name).resolve() / "holders"
    for holder in sorted(folder.iterdir()) if folder.is_dir() else ():
        yield holder.name
        yield from _holders(sys, holder.name)


def _model(folder: Path) -> str:
    """Return what the disk calls itself: a card has `name`, others a vendor and a model."""
    words = [_text(folder / "device" / part) for part in ("vendor", "model")]
    return " ".join(word for word in words if word) or _text(folder / "device" / "name") or "unnamed disk"


def _mounts(sys: Path, proc: Path, devices: Iterable[str]) -> Iterator[str]:
    numbers = {_text((sys / "class/block" / name).resolve() / "dev") for name in devices}
    paths = {f"/dev/{name}" for name in devices} | {
        f"/dev/mapper/{_text((sys / 'class/block' / name).resolve() / 'dm/name')}" for name in devices
    }
    for line in _text(proc / "self/mountinfo").splitlines():
        left, _, right = line.partition(" - ")
        fields, source = left.split(), right.split()
        # btrfs has numbers of its own, but names its disk.
        if fields[2] in numbers or source[1] in paths:
            yield _OCTAL.sub(lambda found: chr(int(found[1], 8)), fields[4])


def _swaps(proc: Path, devices: Iterable[str]) -> Iterator[str]:
    paths = {f"/dev/{name}" for name in devices}
    for line in _text(proc / "swaps").splitlines()[1:]:
        if line.split()[0] in paths:
            yield line.split()[0]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        return ""
