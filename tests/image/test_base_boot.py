"""wordcam put into a Debian with cloud-init, which installs it at its first start: to the first sentence."""

import os
import shutil
from pathlib import Path

import pytest

from edge import cli as edge_cli
from testing.emulator import Emulator
from testing.waiting import wait_until
from tests.image import cloud_init_base
from tests.image.conftest import Site
from tests.image.test_boot import DEVICE
from tests.image.test_root import newest

pytestmark = [pytest.mark.image, pytest.mark.timeout(7200)]

BOOT_SECONDS = 5400
"""The first start installs the package and compiles it, by an emulated processor."""


@pytest.fixture
def base(image_cache: Path, tmp_path: Path) -> Path:
    if os.geteuid() != 0 or shutil.which("mmdebstrap") is None:
        pytest.skip("needs root and mmdebstrap")
    work = tmp_path / "base"
    work.mkdir()
    cloud_init_base.build(newest(image_cache, "root-*") / "root", tmp_path / "base.img", work)
    return tmp_path / "base.img"


def test_a_base_with_cloud_init_installs_wordcam_and_sends_its_first_sentence(
    base: Path, image_cache: Path, site: Site, tmp_path: Path
) -> None:
    image = tmp_path / "wordcam-base.img"
    words = ["image", "build", "--base", str(base), "--to", str(image), "--cache", str(image_cache)]
    assert edge_cli.main(words) == 0
    base.unlink()
    card = site.flash(image, site.invite(DEVICE), tmp_path / "sd.img", "--camera", "/dev/video0")
    image.unlink()

    with Emulator(card, tmp_path / "computer", site.ports) as computer:
        for condition, what in (
            (lambda: DEVICE in site.certificates, "certificate issued"),
            (lambda: site.has_heard(DEVICE), "device in the console"),
            (lambda: site.captions(DEVICE), "first sentence stored"),
        ):
            wait_until(condition, f"{what}; {computer.serial[-2000:]}", BOOT_SECONDS)
            print(f"{computer.seconds_on:7.1f} s  from power on: {what}")  # noqa: T201 - the test takes an hour
