"""What goes wrong at a first start: power cuts, mistakes on the boot partition, a clock of the past, a copied card."""

import shutil
import time
from pathlib import Path, PurePosixPath

import pytest

from edge import boot_partition
from edge.flash import fat
from testing.emulator import Emulator
from testing.waiting import wait_until
from tests.image.conftest import Site
from tests.image.test_boot import BOOT_SECONDS

pytestmark = [pytest.mark.image, pytest.mark.timeout(7200)]

DEVICE = "north-gate/pi-01"

BOOT_OFFSET = 1 << 20

EARLY_SECONDS = 20
"""The kernel runs, and the data partition is being mounted for the first time; any other moment is as good."""


def on_card(card: Path, path: PurePosixPath) -> str:
    return (fat.read(card, path, offset=BOOT_OFFSET) or b"").decode()


def test_the_power_may_fail_at_any_moment_of_the_first_start(image: Path, site: Site, tmp_path: Path) -> None:
    """Cut early in the start, when the certificate is issued, and when the invitation is erased."""
    card = site.flash(image, DEVICE, tmp_path / "sd.img")
    computer = Emulator(card, tmp_path / "computer", site.ports)

    with computer:
        time.sleep(EARLY_SECONDS)
    with computer:
        wait_until(lambda: DEVICE in site.certificates, "the certificate", BOOT_SECONDS)
    with computer:
        wait_until(lambda: not on_card(card, boot_partition.INVITATION), "the invitation to be erased", BOOT_SECONDS)
    with computer:
        wait_until(lambda: site.captions(DEVICE), "a sentence after all power cuts", BOOT_SECONDS)

    assert on_card(card, boot_partition.INVITATION) == ""


def test_mistakes_and_a_clock_of_the_past_do_not_keep_a_device_from_its_first_sentence(
    image: Path, site: Site, tmp_path: Path
) -> None:
    card = site.flash(image, DEVICE, tmp_path / "sd.img")
    mistake = {boot_partition.SETTINGS: b"wifi:\n  nmae: home\n", boot_partition.CONFIG: b"site: [\n"}
    fat.write(card, mistake, offset=BOOT_OFFSET)

    with Emulator(card, tmp_path / "computer", site.ports, options=["-rtc", "base=2001-01-01"]):
        wait_until(lambda: site.captions(DEVICE), "the first sentence", BOOT_SECONDS)

    status = on_card(card, boot_partition.STATUS)
    assert "settings.yaml:2: wifi.nmae" in status
    assert "edge.yaml" in status
    assert on_card(card, boot_partition.SETTINGS) != ""


def test_a_card_that_was_copied_is_worth_one_device(image: Path, site: Site, tmp_path: Path) -> None:
    card = site.flash(image, DEVICE, tmp_path / "sd.img")
    copy = Path(shutil.copy(card, tmp_path / "copy.img"))
    with Emulator(card, tmp_path / "first", site.ports):
        wait_until(lambda: DEVICE in site.certificates, "the certificate", BOOT_SECONDS)

    with Emulator(copy, tmp_path / "second", site.ports):
        said = "another device has used this invitation"
        wait_until(lambda: said in on_card(copy, boot_partition.STATUS), "its status to say so", BOOT_SECONDS)

    assert on_card(copy, boot_partition.INVITATION) != ""
