"""The two systems on the boot partition: a folder of files for each, and `config.txt`, which says which one starts."""

import os
import re
import shutil
import tarfile
from pathlib import Path
from typing import Final

from edge.errors import DiskFull, Misconfigured
from edge.system.slots import Slot
from foundation import whole_file

CONFIG: Final = "config.txt"

RETURN: Final = "wordcam/return.txt"
"""A copy of `config.txt`, which every initial RAM disk of ours puts back where it finds it."""

SECTOR_BYTES: Final = 512
"""What a card writes whole or not at all."""

ARCHIVE: Final = "boot.tar"
"""In a bundle: the files of a system's folder, with a command line for either slot."""

COMMAND_LINE: Final = "cmdline.txt"

_NAME: Final = re.compile(r"[\w.-]{1,64}")

_PREFIX: Final = re.compile(rb"^os_prefix=([ab])/$", re.MULTILINE)

_MAX_FILES: Final = 64


def command_line_in_archive(slot: Slot) -> str:
    """Return the name that the command line of a slot has in the archive."""
    return f"cmdline.{slot}.txt"


def committed(config: bytes) -> Slot:
    """Return the system that `config.txt` starts with; raises `Misconfigured`."""
    return _slots(config)[0]


def with_committed(config: bytes, slot: Slot) -> bytes:
    """Return `config.txt` with another system to start with, and the other one to try: as long as before.

    Raises `Misconfigured` where it is not as the image has it.
    """
    _slots(config)
    slots = iter((slot, slot.other))
    return _PREFIX.sub(lambda _: f"os_prefix={next(slots)}/".encode(), config)


def commit(boot: Path, slot: Slot) -> None:
    """Have the card start with a system; raises `OSError` or `Misconfigured`.

    The file lies in one sector and keeps its length, so that a power cut finds the old one or the new one: nothing
    is renamed, and no table of the file system changes but for the time of the file.
    """
    path = boot / CONFIG
    before = path.read_bytes()
    after = with_committed(before, slot)
    if after == before:
        return
    with path.open("r+b") as file:
        file.write(after)
        file.flush()
        os.fsync(file.fileno())


def lend(boot: Path, slot: Slot) -> None:
    """Have the card start with a system until that has begun: its initial RAM disk puts `config.txt` back first.

    For kernels that cannot ask the firmware for one start. What is put back is on the card before anything changes.
    Raises `OSError` or `Misconfigured`.
    """
    whole_file.write(boot / RETURN, (boot / CONFIG).read_bytes())
    commit(boot, slot)


def take_back(boot: Path) -> None:
    """Have no initial RAM disk put `config.txt` back any more; raises `OSError`."""
    if (boot / RETURN).exists():
        (boot / RETURN).unlink()
        whole_file.sync_folder((boot / RETURN).parent)


def write_files(archive: Path, boot: Path, slot: Slot) -> None:
    """Replace the files of a slot that does not run by those of an archive.

    Interrupted, it leaves a folder that nothing starts. Raises `OSError`, `DiskFull` or `Misconfigured`.
    """
    folder = boot / slot.value
    with tarfile.open(archive) as packed:
        members = packed.getmembers()
        _require_plain(members)
        shutil.rmtree(folder, ignore_errors=True)
        if sum(member.size for member in members) > shutil.disk_usage(boot).free:
            raise DiskFull(f"{boot}: no room for the boot files of system {slot.value}")
        folder.mkdir()
        for member in members:
            content = packed.extractfile(member)
            if content is not None and (name := _name_for(member.name, slot)):
                _write(folder / name, content.read())
    whole_file.sync_folder(folder)
    whole_file.sync_folder(boot)


def _slots(config: bytes) -> tuple[Slot, Slot]:
    found = [Slot(match.decode()) for match in _PREFIX.findall(config)]
    if len(config) > SECTOR_BYTES or len(found) != 2 or found[0] is found[1]:
        raise Misconfigured(f"{CONFIG}: is not as wordcam's image has it; system updates need that")
    return found[0], found[1]


def _require_plain(members: list[tarfile.TarInfo]) -> None:
    """Raise `Misconfigured` for anything but plain files of a folder, also where the signature is right."""
    if len(members) > _MAX_FILES:
        raise Misconfigured(f"{ARCHIVE}: has more than {_MAX_FILES} files")
    for member in members:
        if not member.isreg() or not _NAME.fullmatch(member.name):
            raise Misconfigured(f"{ARCHIVE}: {member.name!r} is not a plain file")


def _name_for(name: str, slot: Slot) -> str:
    """Return what a file of the archive is called in the folder; "" for the other slot's command line."""
    if name == command_line_in_archive(slot):
        return COMMAND_LINE
    return "" if name == command_line_in_archive(slot.other) else name


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
