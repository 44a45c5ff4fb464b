"""Runs `wordcam-edge system ...`: on the device, as root, by its units and by RAUC."""

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from contract.system import System, SystemProgress
from edge import config
from edge.errors import MISCONFIGURED, Misconfigured
from edge.outbox.outbox import Outbox
from edge.system import boot_partition, installer, trial
from edge.system.installer import InstalledRauc
from edge.system.place import BUNDLE, Place, described
from edge.system.slots import Slot
from foundation.errors import from_os_error

PLACE: Final = Place()


def install(arguments: argparse.Namespace) -> int:
    """Install a bundle, and restart to try it."""
    bundle: Path = arguments.bundle
    if not bundle.is_file():
        raise Misconfigured(f"{bundle}: there is no such file")
    try:
        return _install(bundle, is_dry=arguments.dry_run, restart=not arguments.no_restart)
    except OSError as error:
        raise from_os_error(error) from error


def _install(bundle: Path, *, is_dry: bool, restart: bool) -> int:
    card = PLACE.card
    print(f"{bundle}: is verified, and written over system {card.running.other}; {card.running} goes on", flush=True)
    rauc = InstalledRauc()
    if is_dry:
        info = rauc.info(bundle)
        print(f"signed; version {info.version}, for {info.compatible}; {PLACE.version} runs")
        return 0
    record = installer.install(PLACE, rauc, bundle, trial.now())
    is_from_owner = bundle == PLACE.boot / BUNDLE
    if record is not None and record.progress is SystemProgress.TRYING:
        print(f"{record.version}: written; the device starts it to try it", flush=True)
        if restart:
            trial.settle(PLACE, trial.Computer(), trial.now())
        return 0
    if is_from_owner:
        PLACE.remove_bundle(set_aside=record is not None)
    if record is None:
        print(f"{PLACE.version}: runs already")
        return 0
    print(f"not taken: {record.reason}: {record.detail}", file=sys.stderr)
    return MISCONFIGURED


def status() -> int:
    """Print what a status message says."""
    found = described(PLACE)
    if found is None:
        raise Misconfigured("this system is not wordcam's own image")
    print(*_lines(found), sep="\n")
    return 0


def _lines(found: System) -> list[str]:
    card = PLACE.card
    lines = [f"{found.version} runs as system {card.running}; the card starts with system {card.committed}"]
    if found.progress is not None:
        said = (found.offered or "the last update", found.progress.value, found.reason and found.reason.value)
        lines.append(" · ".join(part for part in (*said, found.detail) if part))
    return lines


def settle() -> int:
    """Do what is due after a start."""
    try:
        step = trial.settle(PLACE, trial.Computer(), trial.now())
    except OSError as error:
        raise from_os_error(error) from error
    record = PLACE.record
    progress = record.progress.value if record is not None else "no update"
    reason = f" ({record.reason.value})" if record is not None and record.reason is not None else ""
    print(f"system {PLACE.card.running}, {PLACE.version}: {progress}{reason}; next: {step.value}")
    return 0


def prove(arguments: argparse.Namespace) -> int:
    """Wait for an acknowledged caption."""
    settings = config.load(arguments.config)
    with Outbox(settings.outbox.path, settings.outbox.max_captions, settings.outbox.max_bytes) as outbox:
        trial.wait_until_acknowledged(outbox.ledger, seconds=arguments.seconds)
    print("the server has acknowledged a caption of this system")
    return 0


def commit() -> int:
    """Commit to the running system."""
    try:
        trial.commit(PLACE, trial.now())
    except (OSError, subprocess.CalledProcessError) as error:
        raise Misconfigured(f"the boot partition cannot be written: {error}") from error
    print(f"the card starts with system {PLACE.card.committed}")
    return 0


def boot_loader(arguments: argparse.Namespace) -> int:
    """Answer RAUC; raises `Misconfigured` for a question that it has not."""
    try:
        answer = trial.answer(PLACE, arguments.words, trial.now())
    except ValueError as error:
        raise Misconfigured(str(error)) from error
    except OSError as error:
        raise from_os_error(error) from error
    if answer:
        print(answer)
    return 0


def boot_files() -> int:
    """Write the boot files of the bundle that RAUC has mounted."""
    slot, mounted = _target(os.environ)
    if slot is PLACE.card.running:
        raise Misconfigured(f"system {slot} runs")
    try:
        with PLACE.writable():
            boot_partition.write_files(mounted / boot_partition.ARCHIVE, PLACE.boot, slot)
    except OSError as error:
        # In RAUC's log; by these words the installer knows an altered bundle.
        raise from_os_error(error, f"{boot_partition.ARCHIVE}: {error.strerror}") from error
    return 0


def _target(environ: Mapping[str, str]) -> tuple[Slot, Path]:
    """Return the slot that RAUC is to write, and where the bundle is mounted, as it tells a handler."""
    number = environ.get("RAUC_TARGET_SLOTS", "").split()
    name = environ.get(f"RAUC_SLOT_BOOTNAME_{number[0]}", "") if number else ""
    if name not in tuple(Slot) or "RAUC_BUNDLE_MOUNT_POINT" not in environ:
        raise Misconfigured("RAUC names no slot to write; it runs this while it installs")
    return Slot(name), Path(environ["RAUC_BUNDLE_MOUNT_POINT"])
