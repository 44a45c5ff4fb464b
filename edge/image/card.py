"""The image of a card: a table of partitions, a boot partition with FAT, two roots and a partition for data."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from edge import boot_partition
from edge.boot_partition import Mark
from edge.errors import TryAgain
from edge.flash import bmap
from edge.flash.bmap import BlockMap
from edge.flash.image_file import Extent
from edge.image import debian, initrd, recipe

MIB: Final = 1 << 20

TYPES: Final = {"boot": 0x0C, "root-a": 0x83, "root-b": 0x83, "data": 0x83}

FIRMWARE: Final = ("bootcode.bin", "fixup.dat", "fixup4.dat", "start.elf", "start4.elf")

NOT_IN_ROOT: Final = ("boot/vmlinuz*", "usr/lib/raspi-firmware", "usr/lib/linux-image-*")
"""What lies on the boot partition."""

_UUID: Final = "776f7264-6361-6d00-8000-000000000001"

_README: Final = """\
This card belongs to a wordcam device.
  device.enroll  its invitation (`wordcam-broker enroll`); erased once it was used
  settings.yaml  Wi-Fi and camera; erased once they were taken
  edge.yaml      a whole configuration in place of that in use; erased once it was taken
  status.txt     what the device says of itself
"""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each partition lies."""

    boot: Extent
    root_a: Extent
    root_b: Extent
    data: Extent

    @property
    def size_bytes(self) -> int:
        """Of the whole image."""
        return self.data.end


def layout() -> Layout:
    """Lay out the partitions one behind the other, the first behind the first MiB."""
    extents, start = [], MIB
    for size in (recipe.BOOT_MIB, recipe.ROOT_MIB, recipe.ROOT_MIB, recipe.DATA_MIB):
        extents.append(Extent(start, start + size * MIB))
        start += size * MIB
    return Layout(*extents)


def table(partitions: Layout) -> bytes:
    """Return the master boot record, 512 bytes."""
    entries = b""
    where = (partitions.boot, partitions.root_a, partitions.root_b, partitions.data)
    for kind, extent in zip(TYPES.values(), where, strict=True):
        is_bootable = 0x80 if kind == TYPES["boot"] else 0
        entries += bytes([is_bootable, 0xFE, 0xFF, 0xFF, kind, 0xFE, 0xFF, 0xFF])
        entries += (extent.start // 512).to_bytes(4, "little") + (extent.size // 512).to_bytes(4, "little")
    return bytes(440) + recipe.SIGNATURE.to_bytes(4, "little") + bytes(2) + entries + b"\x55\xaa"


def assemble(root: Path, to: Path, work: Path, *, epoch: int, mark: Mark) -> BlockMap:
    """Write the image of a root and return its block map; raises `TryAgain`."""
    partitions = layout()
    squashfs = _squashfs(root, work / "root.squashfs", epoch)
    if squashfs.stat().st_size > partitions.root_a.size:
        raise TryAgain(f"the root needs {squashfs.stat().st_size / MIB:.0f} MiB, more than {recipe.ROOT_MIB}")
    boot = _boot_partition(root, work, epoch, mark)
    data = _data_partition(work / "data.ext4", epoch)
    with to.open("wb") as image:
        image.truncate(partitions.size_bytes)
        image.write(table(partitions))
        for source, extent in ((boot, partitions.boot), (squashfs, partitions.root_a), (data, partitions.data)):
            image.seek(extent.start)
            with source.open("rb") as file:
                shutil.copyfileobj(file, image, 4 * MIB)
            source.unlink() if source is not squashfs else None
    size = -(-squashfs.stat().st_size // bmap.BLOCK_BYTES) * bmap.BLOCK_BYTES
    root_extent = Extent(partitions.root_a.start, partitions.root_a.start + size)
    squashfs.unlink()
    return bmap.of(to, (Extent(0, partitions.boot.end), root_extent, partitions.data))


def _squashfs(root: Path, to: Path, epoch: int) -> Path:
    to.unlink(missing_ok=True)
    command = ["mksquashfs", str(root), str(to), "-noappend", "-no-progress", "-quiet", "-all-root", "-no-xattrs"]
    command += ["-comp", "zstd", "-Xcompression-level", "12", "-all-time", str(epoch), "-mkfs-time", str(epoch)]
    _run([*command, "-wildcards", "-e", *NOT_IN_ROOT], epoch=None)
    return to


def _boot_partition(root: Path, work: Path, epoch: int, mark: Mark) -> Path:
    image, staged = work / "boot.fat", work / "boot"
    shutil.rmtree(staged, ignore_errors=True)
    version = debian.kernel_version(root)
    for name in FIRMWARE:
        _stage(staged / name, (root / "usr/lib/raspi-firmware" / name).read_bytes())
    _stage(staged / "config.txt", recipe.CONFIG_TXT.encode())
    _stage(staged / "a/cmdline.txt", f"{recipe.command_line('a')}\n".encode())
    _stage(staged / "a/vmlinuz", (root / f"boot/vmlinuz-{version}").read_bytes())
    _stage(staged / "a/initrd.img", initrd.build(root, version))
    for tree in sorted((root / f"usr/lib/linux-image-{version}/broadcom").glob("bcm27*.dtb")):
        _stage(staged / "a" / tree.name, tree.read_bytes())
    _stage(staged / boot_partition.MARK, msgspec.json.encode(mark))
    _stage(staged / boot_partition.FOLDER / "README.txt", _README.encode())
    image.unlink(missing_ok=True)
    with image.open("wb") as file:
        file.truncate(recipe.BOOT_MIB * MIB)
    label = ["-F", "32", "-n", "WORDCAM", "-i", f"{recipe.SIGNATURE:08x}"]
    _run(["mkfs.vfat", "--invariant", *label, str(image)], epoch=epoch)
    for folder in sorted(path for path in staged.rglob("*") if path.is_dir()):
        _run(["mmd", "-i", str(image), f"::/{folder.relative_to(staged)}"], epoch=epoch)
    for path in sorted(path for path in staged.rglob("*") if path.is_file()):
        os.utime(path, (epoch, epoch))
        _run(["mcopy", "-m", "-i", str(image), str(path), f"::/{path.relative_to(staged)}"], epoch=epoch)
    shutil.rmtree(staged)
    return image


def _data_partition(to: Path, epoch: int) -> Path:
    """Make an empty file system, every block of which is written."""
    to.unlink(missing_ok=True)
    with to.open("wb") as file:
        file.truncate(recipe.DATA_MIB * MIB)
    options = f"hash_seed={_UUID},lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0"
    _run(["mke2fs", "-q", "-t", "ext4", "-m", "0", "-L", "data", "-U", _UUID, "-E", options, str(to)], epoch=epoch)
    return to


def _stage(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _run(command: list[str], *, epoch: int | None) -> None:
    environ = os.environ | {"TZ": "UTC", "LC_ALL": "C", "MTOOLS_SKIP_CHECK": "1"}
    environ |= {"PATH": f"{environ['PATH']}:/usr/sbin:/sbin"}
    environ.pop("SOURCE_DATE_EPOCH", None)
    if epoch is not None:
        environ |= {"SOURCE_DATE_EPOCH": str(epoch), "E2FSPROGS_FAKE_TIME": str(epoch)}
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    if done.returncode != 0:
        raise TryAgain(f"{command[0]} failed: {(done.stderr or done.stdout).strip()[-500:]}")
