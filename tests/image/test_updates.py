"""A system update in the emulator: good, forged, altered, cut off, one that does not boot, one that reaches no server.

The stand-in for the firmware (`testing.firmware`) chooses the system as a Raspberry Pi's would; all else is the image.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import pytest

from contract.system import System, SystemProgress, SystemReason
from edge import cli as edge_cli
from edge.flash import fat
from edge.image import bundle, card, signing
from edge.image.bundle import Content, Signer
from edge.image.cli import source_date_epoch
from edge.system.place import BUNDLE, SET_ASIDE
from testing.emulator import Emulator
from testing.waiting import wait_until
from tests.image.conftest import Site, running_site
from tests.image.test_boot import BOOT_SECONDS

pytestmark = [pytest.mark.image, pytest.mark.timeout(7200)]

DEVICE = "north-gate/pi-01"

LATER = "0.9.0+209901010000.deadbeef"

PROVE_SECONDS = 60
"""In place of ten minutes, where no server is to be reached."""

INSTALL = """
exec 2>&1
busybox dmesg -n 1
mount -t squashfs -o ro /dev/vdc /mnt
until [ -e /etc/wordcam/edge.yaml ] && systemctl -q is-active wordcam-send; do sleep 1; done
for name in {names}; do
  echo "=== install $name"
  /opt/wordcam/bin/wordcam-edge system install /mnt/$name.raucb
done
echo "=== installed"
"""

WATCH = """
exec 2>&1
busybox dmesg -n 1
until busybox grep -q rolled-back /var/lib/wordcam-system/record.json; do sleep 0.5; done
echo "=== rolled back"
/opt/wordcam/bin/wordcam-edge system status
"""

SHORT_PROOF = """
unit=/run/systemd/system/wordcam-system-prove.service.d
mkdir -p $unit
echo '[Service]' > $unit/short.conf
echo 'ExecStart=' >> $unit/short.conf
echo 'ExecStart=/opt/wordcam/bin/wordcam-edge system prove --seconds {seconds}' >> $unit/short.conf
systemctl daemon-reload
"""


@dataclass
class Fleet:
    """A server, a device's card that has sent its first sentence, and updates for it."""

    site: Site
    folder: Path
    card: Path
    good: Path
    forged: Path
    altered: Path
    unbootable: Path
    version: str
    """Of the good one."""

    def computer(
        self, name: str, script: str = "", *, bundles: tuple[Path, ...] = (), camera: bool = False
    ) -> Emulator:
        """Return a computer with a copy of the card; the script finds the bundles on a third disk.

        Without a camera it starts sooner, and has no caption to be acknowledged.
        """
        own = self.folder / name
        own.mkdir()
        copied = own / "sd.img"
        subprocess.run(["cp", "--sparse=always", str(self.card), str(copied)], check=True)
        disk = own / "updates.sqsh"
        if bundles:
            command = ["mksquashfs", *map(str, bundles), str(disk), "-noI", "-noD", "-noF", "-no-progress", "-quiet"]
            subprocess.run(command, check=True)
        drive = f"if=none,id=updates,format=raw,file={disk},readonly=on"
        options = ["-drive", drive, "-device", "virtio-blk-pci,drive=updates"] if bundles else []
        return Emulator(copied, own / "computer", self.site.ports, script, camera, options)

    def wait_for(self, what: str, seconds: float = BOOT_SECONDS, **fields: object) -> System:
        """Wait until the device says of its system what is given."""

        def fits() -> bool:
            said = self.site.system(DEVICE)
            return said is not None and all(getattr(said, name) == value for name, value in fields.items())

        wait_until(fits, what, seconds)
        said = self.site.system(DEVICE)
        assert said is not None
        return said


@pytest.fixture(scope="module")
def fleet(image_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("updates")
    signing.make(folder / "keys")
    signing.make(folder / "others")
    signer, other = (
        Signer(folder / name / signing.KEY, folder / name / signing.CERTIFICATE) for name in ("keys", "others")
    )
    epoch = source_date_epoch(os.environ)
    old, new = (_image(folder / f"{epoch + later}.img", signer, image_cache, epoch + later) for later in (0, 600))
    good = folder / "good.raucb"
    version = bundle.make(new, signer, good)
    new.unlink()
    small = _content(good, old, folder)
    with running_site(tmp_path_factory.mktemp("server")) as site:
        flashed = site.flash(old, site.invite(DEVICE), folder / "sd.img")
        with Emulator(flashed, folder / "first", site.ports):
            wait_until(lambda: site.captions(DEVICE), "the first sentence", BOOT_SECONDS)
        yield Fleet(
            site,
            folder,
            flashed,
            good,
            _bundle(small, other, folder / "forged.raucb"),
            _altered(good, folder / "altered.raucb"),
            _bundle(small, signer, folder / "unbootable.raucb"),
            version,
        )


def _image(to: Path, signer: Signer, cache: Path, epoch: int) -> Path:
    os.environ["SOURCE_DATE_EPOCH"] = str(epoch)
    try:
        words = ["image", "build", "--to", str(to), "--cache", str(cache), "--update-cert", str(signer.certificate)]
        assert edge_cli.main(words) == 0
    finally:
        del os.environ["SOURCE_DATE_EPOCH"]
    return to


def _content(good: Path, image: Path, folder: Path) -> Content:
    """Return an update with the boot files of an image and a root in which there is nothing to start."""
    work = folder / "content"
    work.mkdir()
    content = bundle.read(image, work)
    for name in ("dev", "proc", "sys", "etc"):
        (work / "empty" / name).mkdir(parents=True)
    (work / "empty/etc/why").write_bytes(os.urandom(20_000))
    content.root.unlink()
    subprocess.run(["mksquashfs", str(work / "empty"), str(content.root), "-quiet"], check=True, capture_output=True)
    return replace(content, version=LATER)


def _bundle(content: Content, signer: Signer, to: Path) -> Path:
    work = to.with_suffix(".work")
    work.mkdir()
    copied = replace(content, root=Path(shutil.copy(content.root, work / "copy.img")))
    bundle.build(copied, signer, to, work)
    return to


def _altered(good: Path, to: Path) -> Path:
    shutil.copy(good, to)
    with to.open("r+b") as file:
        file.seek(good.stat().st_size // 2)
        sign = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([sign[0] ^ 1]))
    return to


def root_b_has_begun(computer: Emulator) -> bool:
    """Whether the second root of a card holds more than zeros."""
    with computer.card.open("rb") as file:
        file.seek(card.layout().root_b.start + (32 << 20))
        return any(file.read(1 << 16))


def tell(*words: object) -> None:
    print(*words, flush=True)  # noqa: T201 - `make test-image-updates` shows it


def test_what_is_forged_or_altered_is_refused_and_the_system_goes_on(fleet: Fleet) -> None:
    script = INSTALL.format(names="forged altered")
    with fleet.computer("refused", script, bundles=(fleet.forged, fleet.altered)) as computer:
        began = time.monotonic()
        computer.wait_said("=== install altered", BOOT_SECONDS)
        forged = time.monotonic()
        computer.wait_said("=== installed", BOOT_SECONDS)
        tell(f"{forged - began:6.1f} s  started, and the forged one refused")
        tell(f"{time.monotonic() - forged:6.1f} s  the altered one refused")
        said = fleet.wait_for("its status", reason=SystemReason.ALTERED)

    assert "not taken: signature: signature verification failed" in computer.serial
    assert "not taken: altered: " in computer.serial
    assert (said.progress, said.offered) == (SystemProgress.REFUSED, fleet.version)
    assert computer.slot == "a"


def test_an_update_is_written_again_after_a_power_cut_and_kept_once_the_server_acknowledges(fleet: Fleet) -> None:
    computer = fleet.computer("good", camera=True)
    fat.write(computer.card, {PurePosixPath(BUNDLE): fleet.good.read_bytes()}, offset=card.layout().boot.start)
    with computer:
        began = time.monotonic()
        wait_until(lambda: root_b_has_begun(computer), "the second root to be written", BOOT_SECONDS)
        tell(f"{time.monotonic() - began:6.1f} s  started, and the power cut while system b was being written")
    assert computer.slot == "a"

    with computer:
        began = time.monotonic()
        computer.restart_when_reset(BOOT_SECONDS)
        written = time.monotonic()
        tell(f"{written - began:6.1f} s  started again, written whole, and restarted to try it")
        assert "rauc.slot=b" in (computer.folder / "cmdline.txt").read_text()
        assert computer.slot == "a", "the card starts with the old one as yet"
        wait_until(lambda: computer.slot == "b", "the new system to be committed to", BOOT_SECONDS)
        tell(f"{time.monotonic() - written:6.1f} s  the new system started, reached the server, and was committed to")
        said = fleet.wait_for("its status", progress=SystemProgress.RUNNING)

    assert (said.version, said.offered) == (fleet.version, fleet.version)
    for name in (BUNDLE, SET_ASIDE):
        assert fat.read(computer.card, PurePosixPath(name), offset=card.layout().boot.start) is None


def test_an_update_that_does_not_boot_is_tried_twice_and_rolled_back(fleet: Fleet) -> None:
    with fleet.computer("unbootable", INSTALL.format(names="unbootable"), bundles=(fleet.unbootable,)) as computer:
        began = time.monotonic()
        computer.restart_when_reset(BOOT_SECONDS)
        tell(f"{time.monotonic() - began:6.1f} s  started, written, and restarted to try it")
        computer.script = WATCH
        for number in ("first", "second"):
            began = time.monotonic()
            assert "rauc.slot=b" in (computer.folder / "cmdline.txt").read_text()
            computer.restart_when_reset(BOOT_SECONDS)
            tell(f"{time.monotonic() - began:6.1f} s  the {number} start failed")
            if number == "first":
                began = time.monotonic()
                computer.restart_when_reset(BOOT_SECONDS)
                tell(f"{time.monotonic() - began:6.1f} s  the old system restarted to try it again")
        failed = time.monotonic()
        computer.wait_said("=== rolled back", BOOT_SECONDS)
        tell(f"{time.monotonic() - failed:6.1f} s  from the second failure to the rollback")
        said = fleet.wait_for("its status", progress=SystemProgress.ROLLED_BACK)
        tell(f"{time.monotonic() - failed:6.1f} s  from the second failure to its status at the server")

    assert (said.reason, said.offered) == (SystemReason.DID_NOT_START, LATER)
    assert computer.slot == "a"


def test_an_update_that_does_not_reach_the_server_is_rolled_back(fleet: Fleet) -> None:
    short = SHORT_PROOF.format(seconds=PROVE_SECONDS)
    computer = fleet.computer("no-server", INSTALL.format(names="good"), bundles=(fleet.good,))
    computer.ports = {}
    with computer:
        computer.wait_said("=== installed", BOOT_SECONDS)
        computer.script = short + WATCH
        computer.restart_when_reset(BOOT_SECONDS)
        for number in ("first", "second"):
            began = time.monotonic()
            if number == "second":
                computer.ports = fleet.site.ports
            computer.restart_when_reset(BOOT_SECONDS)
            tell(f"{time.monotonic() - began:6.1f} s  the {number} start reached no server")
            if number == "first":
                computer.restart_when_reset(BOOT_SECONDS)
        failed = time.monotonic()
        computer.wait_said("=== rolled back", BOOT_SECONDS)
        tell(f"{time.monotonic() - failed:6.1f} s  from the second failure to the rollback")
        said = fleet.wait_for("its status", progress=SystemProgress.ROLLED_BACK, offered=fleet.version)

    assert said.reason is SystemReason.NO_SERVER
    assert computer.slot == "a"
