"""What goes wrong at a first start: power cuts, mistakes, a clock of the past, a full disk, a server that is away."""

import shutil
import subprocess
import time
from pathlib import Path, PurePosixPath

import pytest

from edge import boot_partition
from edge.flash import fat
from edge.image import card as layout
from testing.emulator import Emulator
from testing.waiting import wait_until
from tests.image.conftest import Site
from tests.image.left_behind import LeftBehind
from tests.image.test_boot import BOOT_SECONDS, DEVICE

pytestmark = [pytest.mark.image, pytest.mark.timeout(14_400)]

BOOT_OFFSET = 1 << 20

EARLY_SECONDS = 20
"""The kernel runs, and the data partition is being mounted for the first time; any other moment is as good."""

BETWEEN_SECONDS = 60

IN_FILES = {
    "settings-taken": "[ -e /etc/wordcam/enroll.env ]",
    "settings-erased": "[ ! -e /boot/firmware/wordcam/settings.yaml ]",
    "key": "[ -s /etc/wordcam/tls/device.key ]",
    "certificate": "[ -s /etc/wordcam/tls/device.crt ]",
    "edge.yaml": "[ -s /etc/wordcam/edge.yaml ]",
    "enrolled": "[ -e /run/wordcam-enroll/done ]",
    "outbox": "[ -s /var/lib/wordcam/outbox.sqlite ]",
}
"""Moments of a first start in order, and what the shell of the device sees of each."""

SAY_MOMENTS = "\n".join(f'until {seen}; do sleep 0.1; done; echo "=== {moment}"' for moment, seen in IN_FILES.items())

FULL = "/var/full"

SPARE_BYTES = 256 << 10

PATH = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}

FREED_LATER = f"""
until [ -e /run/wordcam-enroll/done ]; do sleep 1; done
until busybox grep -q 'card is full' /boot/firmware/wordcam/status.txt; do sleep 1; done
busybox df /var
echo "=== full"
busybox sleep 60
journalctl --boot --no-pager --lines 40 --unit wordcam-look --unit wordcam-send
rm {FULL}
echo "=== freed"
systemctl restart wordcam-boot-partition
"""

AN_HOUR_LATER = """
until busybox grep -q 'cannot be reached' /boot/firmware/wordcam/status.txt; do sleep 1; done
date -s "@$(($(date +%s) + 3600))"
echo "=== an hour later"
"""


def on_card(card: Path, path: PurePosixPath) -> str:
    return (fat.read(card, path, offset=BOOT_OFFSET) or b"").decode()


def test_the_power_may_fail_at_ten_moments_of_the_first_start(image: Path, site: Site, tmp_path: Path) -> None:
    """One card, cut ten times on its way: each start must come further than the one before.

    A cut keeps what the device has written, in order; a card that loses what it has confirmed is not emulated.
    """
    card = site.flash(image, site.invite(DEVICE), tmp_path / "sd.img", "--camera", "/dev/video0")
    computer = Emulator(card, tmp_path / "computer", site.ports, script=SAY_MOMENTS)

    with computer:
        time.sleep(EARLY_SECONDS)
    for moment in IN_FILES:
        with computer:
            computer.wait_said(f"=== {moment}", BOOT_SECONDS)
            print(f"cut at {moment}, {computer.seconds_on:.0f} s after power on")  # noqa: T201 - the test takes an hour
    with computer:
        wait_until(lambda: not on_card(card, boot_partition.INVITATION), "the invitation to be erased", BOOT_SECONDS)
    with computer:
        wait_until(lambda: site.captions(DEVICE), "a sentence", BOOT_SECONDS)
    before = len(site.captions(DEVICE))
    with computer:
        wait_until(lambda: len(site.captions(DEVICE)) > before, "a sentence after all power cuts", BOOT_SECONDS)

    assert on_card(card, boot_partition.INVITATION) == ""


def test_a_power_cut_at_any_moment_leaves_nothing_half_done(image: Path, site: Site, tmp_path: Path) -> None:
    """One first start, and what is on its card at each moment that can be told, and every minute besides."""
    invitation = site.invite(DEVICE)
    card = site.flash(image, invitation, tmp_path / "sd.img", "--camera", "/dev/video0")
    moments = [f"=== {moment}" for moment in IN_FILES]
    seen = 0

    with Emulator(card, tmp_path / "computer", site.ports, script=SAY_MOMENTS) as computer:
        while not site.captions(DEVICE):
            moments = after_the_next(moments, computer)
            with computer.paused():
                left = LeftBehind.of(card, tmp_path / f"cut-{seen}")
            left.recover()
            print(f"cut {computer.seconds_on:.0f} s after power on: {left.require_whole(invitation.read_bytes())}")  # noqa: T201
            left.remove()
            seen += 1
            assert computer.seconds_on < BOOT_SECONDS

    assert seen >= 10
    assert moments == []


def after_the_next(moments: list[str], computer: Emulator) -> list[str]:
    """Wait for a moment, or for a minute; return the moments that are still to come."""
    until = computer.seconds_on + BETWEEN_SECONDS
    wait_until(lambda: computer.seconds_on > until or any(one in computer.serial for one in moments), "the next moment")
    return [one for one in moments if one not in computer.serial]


def test_mistakes_and_a_clock_of_the_past_do_not_keep_a_device_from_its_first_sentence(
    image: Path, site: Site, tmp_path: Path
) -> None:
    card = site.flash(image, site.invite(DEVICE), tmp_path / "sd.img")
    mistake = {boot_partition.SETTINGS: b"wifi:\n  nmae: home\n", boot_partition.CONFIG: b"site: [\n"}
    fat.write(card, mistake, offset=BOOT_OFFSET)

    with Emulator(card, tmp_path / "computer", site.ports, options=["-rtc", "base=2001-01-01"]):
        wait_until(lambda: site.captions(DEVICE), "the first sentence", BOOT_SECONDS)

    status = on_card(card, boot_partition.STATUS)
    assert "settings.yaml:2: wifi.nmae" in status
    assert "edge.yaml" in status
    assert on_card(card, boot_partition.SETTINGS) != ""


def test_a_card_that_was_copied_is_worth_one_device(image: Path, site: Site, tmp_path: Path) -> None:
    card = site.flash(image, site.invite(DEVICE), tmp_path / "sd.img")
    copy = Path(shutil.copy(card, tmp_path / "copy.img"))
    with Emulator(card, tmp_path / "first", site.ports):
        wait_until(lambda: DEVICE in site.certificates, "the certificate", BOOT_SECONDS)

    with Emulator(copy, tmp_path / "second", site.ports):
        said = "another device has used this invitation"
        wait_until(lambda: said in on_card(copy, boot_partition.STATUS), "its status to say so", BOOT_SECONDS)

    assert on_card(copy, boot_partition.INVITATION) != ""


def test_an_invitation_that_was_used_elsewhere_is_refused_until_the_card_gets_another(
    image: Path, site: Site, tmp_path: Path
) -> None:
    invitation = site.invite(DEVICE)
    card = site.flash(image, invitation, tmp_path / "sd.img")
    site.enroll(invitation, tmp_path / "elsewhere")
    computer = Emulator(card, tmp_path / "computer", site.ports)

    with computer:
        said = "another device has used this invitation"
        wait_until(lambda: said in on_card(card, boot_partition.STATUS), "its status to say so", BOOT_SECONDS)
    assert site.captions(DEVICE) == []

    fat.write(card, {boot_partition.INVITATION: site.invite(DEVICE).read_bytes()}, offset=BOOT_OFFSET)
    with computer:
        wait_until(lambda: site.captions(DEVICE), "the first sentence", BOOT_SECONDS)


def test_a_full_data_partition_is_said_on_the_card_and_once_freed_all_goes_on(
    image: Path, site: Site, tmp_path: Path
) -> None:
    """What is left of it takes certificate and configuration, and no outbox."""
    card = site.flash(image, site.invite(DEVICE), tmp_path / "sd.img")
    fill(card, tmp_path)

    with Emulator(card, tmp_path / "computer", site.ports, script=FREED_LATER) as computer:
        computer.wait_said("=== freed", BOOT_SECONDS)
        assert site.captions(DEVICE) == []
        wait_until(lambda: site.captions(DEVICE), "the first sentence", BOOT_SECONDS)
        wait_until(lambda: "full" not in on_card(card, boot_partition.STATUS), "its status to be right", BOOT_SECONDS)
    print(computer.serial)  # noqa: T201 - what the device said while it had no room


def fill(card: Path, work: Path) -> None:
    """Fill the data partition of a card but for a few blocks: a file that is written, and one that is not."""
    data = layout.layout().data
    partition, ballast, spare = work / "data.ext4", work / "ballast", work / "spare"
    spare.write_bytes(bytes([1]) * SPARE_BYTES)
    with card.open("r+b") as file:
        file.seek(data.start)
        partition.write_bytes(file.read(data.size))
        ballast.write_bytes(b"\xaa" * data.size)
        for words in (f"write {spare} spare", f"write {ballast} full", "rm spare"):
            subprocess.run(["debugfs", "-w", "-R", words, str(partition)], check=False, env=PATH, capture_output=True)
        file.seek(data.start)
        file.write(partition.read_bytes())
    partition.unlink()
    ballast.unlink()


def test_a_server_that_is_away_for_an_hour_gets_the_first_sentence_when_it_is_back(
    image: Path, site: Site, tmp_path: Path
) -> None:
    """The hour is the device's own: its clock is set forward while the server is away."""
    card = site.flash(image, site.invite(DEVICE), tmp_path / "sd.img")
    site.gate.close()

    with Emulator(card, tmp_path / "computer", site.ports, script=AN_HOUR_LATER) as computer:
        computer.wait_said("=== an hour later", BOOT_SECONDS)
        assert DEVICE not in site.certificates
        site.gate.open()
        wait_until(lambda: site.captions(DEVICE), "the first sentence", BOOT_SECONDS)
