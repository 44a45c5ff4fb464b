"""A card from its image to its first sentence: flashed for a made-up device and booted in an emulator."""

import re
import time
from pathlib import Path

import pytest

from testing.emulator import Emulator
from testing.waiting import wait_until
from tests.image import pictures
from tests.image.conftest import Site

pytestmark = [pytest.mark.image, pytest.mark.timeout(1800)]

DEVICE = "north-gate/pi-01"

BOOT_SECONDS = 3600
"""The longest that an emulated boot may take on a machine that has much else to do."""

REPORT = r"""
exec 2>&1
busybox dmesg -n 1
until [ -e /run/wordcam-enroll/done ] && systemctl -q is-active wordcam-look wordcam-send; do sleep 2; done
until [ ! -e /boot/firmware/wordcam/device.enroll ]; do sleep 1; done
section() { echo; echo "=== $1"; }
section sockets; busybox netstat -tuln
section mounts; cat /proc/mounts
section root; touch /usr/x; touch /etc/x; touch /opt/wordcam/x; mount -o remount,rw /
section boot; ls -a /boot/firmware/wordcam; cat /boot/firmware/wordcam/status.txt
section config; ls -ln /etc/wordcam/ /etc/wordcam/tls; id wordcam-send
section failed; systemctl --failed --no-legend --plain
for _ in 1 2 3 4 5 6 7 8 9 10; do systemd-analyze >/dev/null 2>&1 && break; sleep 3; done
section time; systemd-analyze; systemd-analyze blame --no-pager | busybox head -12
section exposure; systemd-analyze security --no-pager | busybox grep wordcam
section memory; for u in look send; do echo $u $(cat /sys/fs/cgroup/system.slice/wordcam-$u.service/memory.peak); done
section journal; journalctl -b -o short-monotonic --no-pager -u 'wordcam-*' -u systemd-networkd | busybox tail -60
section users; busybox grep -v '!\*' /etc/shadow; busybox find /usr /etc /opt -xdev -perm /6000
section processes; ps 2>/dev/null || busybox ps -o user,args | busybox grep -v '\['
section end
"""


def sections(report: str) -> dict[str, str]:
    """Split what the computer says of itself."""
    parts = re.split(r"^=== (\w+)\r?$", report.replace("\r", ""), flags=re.MULTILINE)
    return {name: text.strip() for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def test_from_a_blank_card_to_the_first_sentence(image: Path, site: Site, tmp_path: Path) -> None:
    """As a person does it: add the device in the console, write its card, switch it on, and watch the console."""
    with site.administrator() as admin:
        asked = admin.send("/enrolment", {"site": "north-gate", "device": "pi-01"}, form="/enrolment")
        page = str(asked.headers["location"])
        invitation = tmp_path / "north-gate_pi-01.enroll"
        invitation.write_bytes(admin.http.get(f"/enrol/{page.rpartition('/')[2]}").content)
        pictures.take(site, page, "add-device")
        started = time.monotonic()
        card = site.flash(image, invitation, tmp_path / "sd.img")
        story = [("card flashed and read back", time.monotonic() - started)]

        with Emulator(card, tmp_path / "computer", site.ports, script=REPORT) as computer:
            for condition, what in (
                (lambda: DEVICE in site.certificates, "certificate issued"),
                (lambda: site.has_heard(DEVICE), "device in the console"),
                (lambda: site.captions(DEVICE), "first sentence stored"),
                (lambda: site.acknowledged(DEVICE), "acknowledgement counted by the device"),
            ):
                wait_until(condition, what, BOOT_SECONDS)
                story.append((f"from power on: {what}", computer.seconds_on))
            assert "pi-01" in admin.http.get("/devices").text
            assert site.captions(DEVICE)[0] in admin.http.get(page).text.replace("&#39;", "'")
            pictures.take(site, page, "first-sentence")
            computer.wait_said("=== end", BOOT_SECONDS)
    said = sections(computer.serial)
    print_story(story, said, site.captions(DEVICE))

    assert listening(said["sockets"]) == set()
    assert "/ squashfs ro" in said["mounts"]
    assert said["root"].count("Read-only file system") == 3
    assert "device.enroll" not in said["boot"]
    assert "The device has its certificate" in said["boot"]
    assert said["failed"] == ""
    assert exposure(said["exposure"])["wordcam-look.service"] < 3
    assert exposure(said["exposure"])["wordcam-send.service"] < 3
    assert re.search(r"-rw------- \d+ (\d+) .* device.key", said["config"])
    assert said["users"] == "", "accounts with a password, or programs that take another user's rights"


def listening(text: str) -> set[str]:
    """Return what listens: every TCP port, and UDP but that by which an address is asked for (DHCP)."""
    rows = [line.split() for line in text.splitlines() if line.startswith(("tcp", "udp"))]
    return {" ".join(row) for row in rows if not row[3].endswith((":68", ":546"))}


def exposure(text: str) -> dict[str, float]:
    """Return systemd's figure of each unit: from 0, locked in, to 10."""
    return {unit: float(figure) for unit, figure in re.findall(r"^(wordcam-\S+)\s+([\d.]+) ", text, re.MULTILINE)}


def print_story(story: list[tuple[str, float]], said: dict[str, str], captions: list[str]) -> None:
    print()  # noqa: T201 - `make test-image` shows it
    for name, seconds in story:
        print(f"{seconds:7.1f} s  {name}")  # noqa: T201 - as above
    for name in ("time", "exposure", "memory", "sockets", "boot", "journal", "processes"):
        print(f"--- {name}\n{said[name]}")  # noqa: T201 - as above
    print("sentences:", *captions, sep="\n  ")  # noqa: T201 - as above
