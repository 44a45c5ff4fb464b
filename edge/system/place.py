"""Where a running system finds what its updates need: its version, the boot partition, the record of the last one."""

import fcntl
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from contract.system import System
from edge.errors import Misconfigured
from edge.system import boot_partition
from edge.system.slots import Card, Record, Slot
from foundation import whole_file

RECORD: Final = "record.json"

BUNDLE: Final = Path("wordcam/system.raucb")
"""On the boot partition: where an owner puts an update, and the device takes it at its next start."""

SET_ASIDE: Final = Path("wordcam/system.refused.raucb")
"""What becomes of one that was turned down."""

_SLOT: Final = re.compile(r"\brauc\.slot=([ab])\b")

_VERSION: Final = re.compile(r"^IMAGE_VERSION=\"?([^\"\n]+)\"?$", re.MULTILINE)

_LENDS: Final = "wordcam.tryboot=no"
"""Word of the kernel's command line, for tests of a firmware that cannot be asked."""

_ORDER: Final = re.compile(r"(\d+)\.(\d+)\.(\d+)\S*?\+(\d+)\.\w+")


@dataclass(frozen=True, slots=True)
class Place:
    """Files of a device that its updates read and write."""

    boot: Path = Path("/boot/firmware")
    state: Path = Path("/var/lib/wordcam-system")
    command_line: Path = Path("/proc/cmdline")
    os_release: Path = Path("/usr/lib/os-release")
    keyring: Path = Path("/etc/rauc/keyring.pem")
    model: Path = Path("/proc/device-tree/model")
    mailbox: Path = Path("/dev/vcio")
    """How a kernel of Raspberry Pi's own reaches the firmware; others do not."""

    @property
    def version(self) -> str:
        """Of the running system; "" where it is not an image of wordcam's."""
        try:
            found = _VERSION.search(self.os_release.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return ""
        return found[1] if found else ""

    @property
    def card(self) -> Card:
        """Which system runs and which one is committed; raises `Misconfigured` or `OSError`."""
        found = _SLOT.search(self.command_line.read_text(encoding="utf-8"))
        if found is None:
            raise Misconfigured("this system is not one of two on a card; only wordcam's own image is updated so")
        config = (self.boot / boot_partition.CONFIG).read_bytes()
        return Card(Slot(found[1]), boot_partition.committed(config))

    @property
    def can_try_once(self) -> bool:
        """Whether a restart can ask the firmware for one start of the other system (`tryboot`).

        Debian's kernel does not hand the argument of a restart to a Raspberry Pi's firmware (6.12: no driver has it).
        """
        if _LENDS in self.command_line.read_text(encoding="utf-8").split():
            return False
        try:
            is_raspberry = self.model.read_bytes().startswith(b"Raspberry Pi")
        except FileNotFoundError:
            return True
        return not is_raspberry or self.mailbox.exists()

    @property
    def record(self) -> Record | None:
        """What is known of the last update; None where there was none, or the file is damaged."""
        try:
            return msgspec.json.decode((self.state / RECORD).read_bytes(), type=Record)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None

    def keep(self, record: Record) -> None:
        """Have a record on disk when this returns; raises `OSError`."""
        self.state.mkdir(parents=True, exist_ok=True)
        whole_file.write(self.state / RECORD, msgspec.json.encode(record))

    @contextmanager
    def writable(self) -> Iterator[None]:
        """Mount the boot partition for writing, and back, where it is not writable always; one process at a time."""
        with boot_writable(self.boot):
            yield

    def remove_bundle(self, *, set_aside: bool = False) -> None:
        """Take the update off the boot partition, where it is there; raises `OSError`."""
        if not (self.boot / BUNDLE).exists():
            return
        with self.writable():
            if set_aside:
                (self.boot / BUNDLE).replace(self.boot / SET_ASIDE)
            else:
                (self.boot / BUNDLE).unlink()
            whole_file.sync_folder((self.boot / BUNDLE).parent)


@contextmanager
def boot_writable(boot: Path) -> Iterator[None]:
    """Mount a boot partition for writing, and back, where it is not writable always.

    The lock keeps another process from mounting it back meanwhile. Raises `OSError` or `CalledProcessError`.
    """
    opened = os.open(boot, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        if os.statvfs(boot).f_flag & os.ST_RDONLY == 0:
            yield
            return
        subprocess.run(["mount", "-o", "remount,rw", str(boot)], check=True)
        try:
            yield
        finally:
            subprocess.run(["mount", "-o", "remount,ro", str(boot)], check=False)
    finally:
        os.close(opened)


def described(place: Place) -> System | None:
    """Return what a status says of the system; None where it is not an image of wordcam's."""
    version = place.version
    if not version:
        return None
    with suppress(OSError):
        if record := place.record:
            return System(
                version=version,
                progress=record.progress,
                offered=record.version,
                reason=record.reason,
                detail=record.detail,
                at=record.at,
            )
    return System(version=version)


def is_older(version: str, than: str) -> bool:
    """Whether a system is older than another one: by wordcam's version, then by the time at which it was built.

    One that is not written as wordcam writes it counts as older than any that is.
    """
    ours, theirs = _ORDER.fullmatch(version), _ORDER.fullmatch(than)
    if ours is None or theirs is None:
        return ours is None and theirs is not None
    return tuple(map(int, ours.groups())) < tuple(map(int, theirs.groups()))
