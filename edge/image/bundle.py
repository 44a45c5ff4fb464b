"""A system update of an image: its root and its boot files in a signed RAUC bundle, which is verified as it is read."""

import io
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from edge import boot_partition
from edge.boot_partition import Mark
from edge.errors import Misconfigured, TryAgain
from edge.flash import fat, image_file
from edge.flash.image_file import Extent
from edge.flash.progress import Progress
from edge.image import recipe
from edge.system.boot_partition import ARCHIVE, COMMAND_LINE, command_line_in_archive
from edge.system.installer import COMPATIBLE
from edge.system.slots import Slot

TOOLS: Final = {"rauc": "rauc", "mcopy": "mtools", "mksquashfs": "squashfs-tools"}
"""Programs, and Debian's packages that have them."""

ROOT: Final = "root.img"

BLOCK_BYTES: Final = 4096

_FOLDER: Final = Slot.A
"""An image has one system, and this is where."""

_SQUASHFS: Final = b"hsqs"


@dataclass(frozen=True, slots=True)
class Content:
    """What a bundle brings to a device."""

    version: str
    root: Path
    """The root's file system, as it is written to a partition."""
    boot_files: dict[str, bytes]
    """Files of a system's folder on the boot partition, without its command line."""
    command_lines: dict[Slot, str]


@dataclass(frozen=True, slots=True)
class Signer:
    """By whom a bundle is signed."""

    key: Path
    certificate: Path


def read(image: Path, work: Path) -> Content:
    """Take a system out of an image, into an empty folder; raises `Misconfigured` or `TryAgain`."""
    fat.require_tools()
    boot, root = work / "boot.fat", work / ROOT
    with boot.open("w+b") as file:
        survey = image_file.survey(image, file, Progress("reading the image", None))
    mark = _mark(image, boot)
    _copy_root(image, survey.boot.end, root)
    found = subprocess.run(
        ["mdir", "-i", str(boot), "-b", f"::/{_FOLDER}"], capture_output=True, text=True, check=False
    ).stdout
    names = [PurePosixPath(line.strip()).name for line in found.splitlines() if line.strip()]
    files = {name: fat.read(boot, PurePosixPath(_FOLDER.value, name)) or b"" for name in sorted(names)}
    boot.unlink()
    line = files.pop(COMMAND_LINE, b"").decode().strip()
    if not line or "vmlinuz" not in files:
        raise Misconfigured(f"{image}: has no system in {_FOLDER}/ of its boot partition")
    return Content(mark.system, root, files, {slot: _command_line(line, slot, image) for slot in Slot})


def build(content: Content, signer: Signer, to: Path, work: Path) -> None:
    """Write a signed bundle, whole or not at all; raises `TryAgain`."""
    folder = work / "bundle"
    folder.mkdir()
    content.root.rename(folder / ROOT)
    (folder / ARCHIVE).write_bytes(archive(content))
    (folder / "manifest.raucm").write_text(manifest(content.version), encoding="utf-8")
    draft = work / "draft.raucb"
    words = [f"--cert={signer.certificate}", f"--key={signer.key}", "bundle", str(folder), str(draft)]
    done = subprocess.run(["rauc", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise TryAgain(f"rauc cannot make the bundle: {done.stderr.strip()[-400:]}")
    shutil.move(draft, to)


def manifest(version: str) -> str:
    """Return RAUC's description of a bundle: the whole of its content is signed with it, block by block (`verity`)."""
    return (
        f"[update]\ncompatible={COMPATIBLE}\nversion={version}\n\n[bundle]\nformat=verity\n\n"
        f"[image.rootfs]\nfilename={ROOT}\n"
    )


def archive(content: Content) -> bytes:
    """Return the boot files as a tar file: plain files, the same ones give the same bytes."""
    files = dict(content.boot_files)
    files |= {command_line_in_archive(slot): f"{line}\n".encode() for slot, line in content.command_lines.items()}
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.USTAR_FORMAT) as packed:
        for name, data in sorted(files.items()):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o644
            packed.addfile(member, io.BytesIO(data))
    return made.getvalue()


def make(image: Path, signer: Signer, to: Path) -> str:
    """Make the update of an image, and return its version; raises `Misconfigured` or `TryAgain`."""
    with tempfile.TemporaryDirectory(prefix=".making-", dir=to.parent) as work:
        content = read(image, Path(work))
        build(content, signer, to, Path(work))
    return content.version


def _mark(image: Path, boot: Path) -> Mark:
    data = fat.read(boot, boot_partition.MARK)
    mark = msgspec.json.decode(data, type=Mark) if data else None
    if mark is None or mark.base != boot_partition.OWN or not mark.system:
        raise Misconfigured(f"{image}: is not wordcam's own image, or was built before it took system updates")
    return mark


def _command_line(line: str, slot: Slot, image: Path) -> str:
    """Return the command line of a slot, of that of the image's one."""
    root, name = f"PARTUUID={recipe.SLOTS[_FOLDER]}", f"rauc.slot={_FOLDER}"
    if line.count(root) != 1 or line.count(name) != 1:
        raise Misconfigured(f"{image}: its command line names no slot; build it anew")
    return line.replace(root, f"PARTUUID={recipe.SLOTS[slot]}").replace(name, f"rauc.slot={slot}")


def _copy_root(image: Path, start: int, to: Path) -> None:
    """Copy root A: as many bytes as its file system says, in whole blocks."""
    with image_file.opened(image) as stream, to.open("wb") as file:
        wanted, position = Extent(start, start + BLOCK_BYTES), 0
        for chunk in image_file.chunks(stream):
            part = chunk[max(0, wanted.start - position) : max(0, wanted.end - position)]
            if part and not file.tell():
                wanted = Extent(start, start + _size(part, image))
                part = chunk[max(0, wanted.start - position) : wanted.end - position]
            file.write(part)
            position += len(chunk)
            if position >= wanted.end:
                return
    raise Misconfigured(f"{image}: ends within its root")


def _size(superblock: bytes, image: Path) -> int:
    """Return how many bytes a squashfs takes, in whole blocks (its superblock: 8 bytes at 40)."""
    if superblock[:4] != _SQUASHFS:
        raise Misconfigured(f"{image}: its root is not a squashfs")
    used = int.from_bytes(superblock[40:48], "little")
    return -(-used // BLOCK_BYTES) * BLOCK_BYTES
