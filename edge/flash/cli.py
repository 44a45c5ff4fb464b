"""Runs `wordcam-edge flash`: says what it will do, asks, writes the card and reads it back."""

import argparse
import getpass
import json
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Final

import msgspec

from contract.enrolment import Invitation
from edge import boot_partition
from edge.boot_partition import Mark, Settings, WifiNetwork
from edge.errors import Misconfigured, TryAgain
from edge.flash import bmap, disk, fat, image_file, writer
from edge.flash.disk import Disk, Reason, Refusal
from edge.flash.image_file import Extent, Survey
from edge.flash.progress import Progress
from foundation import secret
from foundation.errors import from_os_error

SAID: Final = {
    Reason.NOT_A_DISK: "is no disk; name a disk such as /dev/sdb or /dev/mmcblk0, or a file",
    Reason.A_PARTITION: "is a partition; name the whole disk, /dev/{about}",
    Reason.SYSTEM_DISK: "is the disk of this system ({about}); it is never written on",
    Reason.MOUNTED: "is in use; unmount it first: sudo umount {about}",
    Reason.SWAP: "holds swap space in use: sudo swapoff {about}",
    Reason.IN_USE: "carries {about} (LVM, RAID or encryption); end that first",
    Reason.READ_ONLY: "is write-protected; look for the switch at the side of the card",
    Reason.NO_MEDIUM: "is a reader without a card",
    Reason.TOO_SMALL: "is too small",
}


@dataclass(frozen=True, slots=True)
class Target:
    """Where the image goes: a disk, or a file in place of one."""

    path: Path
    disk: Disk | None

    def __str__(self) -> str:
        if self.disk is None:
            return f"{self.path}, a file" + (" that is there and is replaced" if self.path.exists() else "")
        kind = "removable" if self.disk.is_removable else "NOT removable"
        return f"{self.path}: {self.disk.model}, {self.disk.size_bytes / 1e9:.1f} GB, {kind}"


def run(arguments: argparse.Namespace) -> int:
    """Fail before anything is written, or write all of it."""
    fat.require_tools()
    invitation = read_invitation(arguments.device, datetime.now(UTC))
    settings = _settings(arguments)
    target = find_target(arguments.to)
    with tempfile.NamedTemporaryFile() as boot_copy:
        checking = Progress("checking the image", None)
        found = image_file.survey(arguments.image, boot_copy.file, checking)
        checking.end()
        refuse_small(target, found.size_bytes)
        mark = _require_wordcam(arguments.image, Path(boot_copy.name))
        files = {boot_partition.INVITATION: arguments.device.read_bytes(), **_settings_files(settings, mark)}
        fat.write(Path(boot_copy.name), files)
        boot_copy.seek(0)
        plan = _plan(arguments.image, found, boot_copy.file)
        _announce(plan, target, invitation, settings, mark)
        if arguments.dry_run:
            return 0
        if not (arguments.yes or _agrees(target, input)):
            print("Nothing was written.")
            return 0
        total = plan.written_bytes
        writer.write(plan, target.path, Progress("writing", total), Progress("reading back", total))
    print(
        f"Done, and read back. Put the card into {invitation.site}/{invitation.device} and power it on. It asks "
        f"{invitation.url} for its certificate, and erases the invitation. What it says of itself is in "
        f"{boot_partition.STATUS} on the card."
    )
    return 0


def read_invitation(path: Path, now: datetime) -> Invitation:
    """Read an invitation that is still good; raises `Misconfigured`."""
    from edge import enrolment  # noqa: PLC0415  # cryptography is large

    invitation = enrolment.read(path)
    if invitation.until <= now:
        name = f"{invitation.site}/{invitation.device}"
        raise Misconfigured(f"{path}: expired at {invitation.until:%Y-%m-%d %H:%M}; `wordcam-broker enroll {name}`")
    return invitation


def find_target(path: Path) -> Target:
    """Find the disk of a path, or take the path as a file; raises `Misconfigured` or `TryAgain`."""
    if not path.exists():
        if path.is_relative_to("/dev"):
            raise Misconfigured(f"{path}: there is no such disk; `lsblk` lists those that are")
        if not path.parent.is_dir():
            raise Misconfigured(f"{path}: there is no folder {path.parent}")
        return Target(path, None)
    kind = path.stat().st_mode
    if stat.S_ISREG(kind):
        return Target(path, None)
    known = disk.find(path.resolve().name) if stat.S_ISBLK(kind) else None
    if known is None:
        raise _refused(path, Refusal(Reason.NOT_A_DISK))
    if refusal := disk.refusal(known, 0):
        raise _refused(path, refusal)
    try:
        path.open("r+b").close()
    except OSError as error:
        raise from_os_error(error, str(path), remedy="run it with sudo") from error
    return Target(path, known)


def refuse_small(target: Target, needed_bytes: int) -> None:
    """Raise `Misconfigured` where the image does not fit."""
    room = target.disk.size_bytes if target.disk else _room_for_a_file(target.path)
    if room < needed_bytes:
        said = f"has room for {room / 1e9:.2f} GB, and the image needs {needed_bytes / 1e9:.2f} GB"
        raise (Misconfigured if target.disk else TryAgain)(f"{target.path}: {said}")


def _room_for_a_file(path: Path) -> int:
    there = path.stat().st_size if path.exists() else 0
    return shutil.disk_usage(path.parent).free + there


def _refused(path: Path, refusal: Refusal) -> Misconfigured:
    return Misconfigured(f"{path}: {SAID[refusal.reason].format(about=' '.join(refusal.about))}")


def _settings(arguments: argparse.Namespace) -> Settings:
    wifi = None
    if arguments.wifi_name is not None:
        values = {
            "name": arguments.wifi_name,
            "password": _wifi_password(arguments),
            "country": arguments.wifi_country.upper(),
        }
        try:
            wifi = msgspec.convert(values, WifiNetwork)
        except msgspec.ValidationError as error:
            raise Misconfigured(_wifi_problem(str(error))) from error
    return Settings(wifi=wifi, camera=arguments.camera)


def _settings_files(settings: Settings, mark: Mark) -> dict[PurePosixPath, bytes]:
    if mark.base == boot_partition.OWN or settings.wifi is None:
        return {boot_partition.SETTINGS: boot_partition.render(settings)}
    without = msgspec.structs.replace(settings, wifi=None)
    return {
        boot_partition.SETTINGS: boot_partition.render(without),
        boot_partition.NETWORK_CONFIG: boot_partition.network_config(settings.wifi),
    }


def _wifi_problem(said: str) -> str:
    if "password" in said:
        return "the Wi-Fi password must have 8 to 63 characters of ASCII, or none for an open network"
    if "country" in said:
        return "--wifi-country: write two letters, such as KR"
    return "--wifi-name: a network's name has 1 to 32 bytes"


def _wifi_password(arguments: argparse.Namespace) -> str:
    if arguments.wifi_password_file is not None:
        return secret.text(arguments.wifi_password_file, field="--wifi-password-file")
    if not sys.stdin.isatty():
        raise Misconfigured("--wifi-name: name a --wifi-password-file, because there is no terminal to ask on")
    return getpass.getpass(f"Password of the Wi-Fi network {arguments.wifi_name} (none: an open network): ")


def _require_wordcam(image: Path, boot_copy: Path) -> Mark:
    found = fat.read(boot_copy, boot_partition.MARK)
    try:
        return msgspec.json.decode(found or b"", type=Mark)
    except msgspec.DecodeError as error:
        raise Misconfigured(
            f"{image}: has no wordcam in it; `wordcam-edge image build --base {image}` puts it into an image of "
            "Raspberry Pi OS"
        ) from error


def _plan(image: Path, found: Survey, boot_copy: IO[bytes]) -> writer.Plan:
    mapped: tuple[Extent, ...] = (Extent(0, found.size_bytes),)
    if path := bmap.beside(image):
        block_map = bmap.read(path)
        if block_map.size_bytes != found.size_bytes:
            raise Misconfigured(f"{path}: is the map of another image; remove it, or fetch the image again")
        mapped = tuple(one.extent for one in block_map.ranges)
    return writer.Plan(image, found.size_bytes, found.boot, boot_copy, mapped)


def _announce(plan: writer.Plan, target: Target, invitation: Invitation, settings: Settings, mark: Mark) -> None:
    print(f"image: {plan.image}, wordcam {mark.version} on {mark.base}, {plan.size_bytes / 1e9:.2f} GB")
    print(f"device: {invitation.site}/{invitation.device}, server {invitation.url}")
    print(f"network: {'Wi-Fi ' + json.dumps(settings.wifi.name, ensure_ascii=False) if settings.wifi else 'cable'}")
    print(f"camera: {settings.camera or 'the first that is found'}")
    print(f"to: {target}; {plan.written_bytes / 1e6:.0f} MB are written", flush=True)


def _agrees(target: Target, ask: Callable[[str], str]) -> bool:
    if not sys.stdin.isatty():
        raise Misconfigured("there is no terminal to ask on; --yes writes without asking")
    return ask(f"Everything on {target.path} is lost. Type yes to write: ").strip().lower() == "yes"
