"""The Debian package of a device (arm64, amd64): units, users and a Python environment of its own."""

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contract import release
from edge.errors import TryAgain
from edge.image import device, program, wheelhouse

MACHINES: Final = {"arm64": "aarch64", "amd64": "x86_64"}
"""Architectures as Debian and as wheels call them."""

PYTHONS: Final = ("3.11", "3.12", "3.13")
"""Those of Debian 12 and Raspberry Pi OS 12, Ubuntu 24.04, and Debian 13 and Raspberry Pi OS 13."""

NAME: Final = "wordcam-edge"

_CONTROL: Final = """\
Package: {name}
Version: {version}
Architecture: {architecture}
Maintainer: wordcam maintainers <maintainers@wordcam.invalid>
Section: video
Priority: optional
Installed-Size: {size_kib}
Depends: python3 (>= {python}), python3 (<< {next_python}), libstdc++6, libgcc-s1, systemd (>= 250), init-system-helpers
Recommends: ca-certificates
Suggests: python3-picamera2
Description: camera that sends sentences instead of video
 Watches a camera, writes what it sees as sentences, and sends these to an MQTT
 server. No picture leaves the device. The model that comes along may be used
 for research only.
"""

_POSTINST: Final = """\
#!/bin/sh
set -e
if [ "$1" = configure ]; then
  systemd-sysusers wordcam.conf
  systemd-tmpfiles --create wordcam.conf || true
  install -d -m 2770 -g wordcam /var/lib/wordcam
  /opt/wordcam/bin/python -m compileall -q /opt/wordcam/lib || true
  mkdir -p /etc/wordcam
  # A card with an invitation gets its file by enrolment.
  if [ ! -e /etc/wordcam/edge.yaml ] && [ ! -d /boot/firmware/wordcam ]; then
    /opt/wordcam/bin/wordcam-edge init --config /etc/wordcam/edge.yaml --outbox /var/lib/wordcam/outbox.sqlite
    echo "Next: wordcam-edge enroll FILE --config /etc/wordcam/edge.yaml, or edit that file; then"
    echo "  systemctl enable --now wordcam-look wordcam-send"
  fi
  if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || true
    systemctl try-restart {units} || true
  fi
fi
"""

_PRERM: Final = """\
#!/bin/sh
set -e
if [ "$1" = remove ]; then
  if [ -d /run/systemd/system ]; then
    systemctl stop {units} || true
  fi
  systemctl disable --quiet {units} || true
fi
find /opt/wordcam -name __pycache__ -prune -exec rm -rf {{}} + || true
"""

_POSTRM: Final = """\
#!/bin/sh
set -e
if [ "$1" = purge ]; then
  rm -rf /etc/wordcam /var/lib/wordcam
fi
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload || true
fi
"""

_UNITS: Final = "wordcam-look.service wordcam-send.service wordcam-pull.service"


@dataclass(frozen=True, slots=True)
class Target:
    """Which systems a package is for."""

    architecture: str
    python: str

    @property
    def file_name(self) -> str:
        """As Debian names packages, with the Python in the version."""
        return f"{NAME}_{self.version}_{self.architecture}.deb"

    @property
    def version(self) -> str:
        """Of the package."""
        return f"{release.VERSION}+py{self.python}"


def build(target: Target, wheels: Path, cache: Path, to: Path, epoch: int) -> Path:
    """Build the package in a folder, and return it; raises `Misconfigured` or `TryAgain`."""
    machine = MACHINES[target.architecture]
    folder = cache / f"wheels-{machine}-{target.python}-{hashlib.sha256(wheels.read_bytes()).hexdigest()[:16]}"
    found = wheelhouse.fetch(wheels, folder, machine=machine, python=target.python)
    tree = cache / f".making-{target.file_name}"
    shutil.rmtree(tree, ignore_errors=True)
    try:
        _fill(tree, target, found)
        _describe(tree, target)
        for path in sorted(tree.rglob("*"), reverse=True):
            os.utime(path, (epoch, epoch), follow_symlinks=False)
        done = to / target.file_name
        command = ["dpkg-deb", "--root-owner-group", "-Zzstd", "-z9", "--build", str(tree), str(done)]
        environ = os.environ | {"SOURCE_DATE_EPOCH": str(epoch)}
        said = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
        if said.returncode != 0:
            raise TryAgain(f"dpkg-deb failed: {said.stderr.strip()}")
    finally:
        shutil.rmtree(tree, ignore_errors=True)
    return done


def _fill(tree: Path, target: Target, wheels: list[wheelhouse.Wheel]) -> None:
    tree.mkdir(parents=True)
    tree.chmod(0o755)
    libraries = tree / program.libraries(target.python)
    wheelhouse.unpack(wheels, libraries)
    # picamera2 of Debian 12 needs an older NumPy than ours.
    program.write(tree, target.python, with_system=target.python == "3.13")
    units = tree / "usr/lib/systemd/system"
    units.mkdir(parents=True)
    for unit in sorted(device.UNITS.glob("wordcam-*.service")):
        shutil.copy(unit, units)
    for name, where in (("sysusers", "sysusers.d"), ("tmpfiles", "tmpfiles.d")):
        (tree / "usr/lib" / where).mkdir()
        shutil.copy(device.UNITS / f"wordcam.{name}.conf", tree / "usr/lib" / where / "wordcam.conf")
    _card_units(tree / "usr/share/wordcam/card")
    (tree / "usr/bin").mkdir()
    (tree / "usr/bin/wordcam-edge").symlink_to("../../opt/wordcam/bin/wordcam-edge")
    copyright_file = tree / "usr/share/doc" / NAME / "copyright"
    copyright_file.parent.mkdir(parents=True)
    lines = [f"{wheel.name} {wheel.version}: {wheel.licence or 'see its METADATA'}\n" for wheel in wheels]
    copyright_file.write_text(
        "wordcam: Apache-2.0 (/usr/share/common-licenses/Apache-2.0); the model wordcam-1: research only, see\n"
        "its card.md. Libraries below /opt/wordcam:\n" + "".join(lines),
        encoding="utf-8",
    )


def _card_units(folder: Path) -> None:
    """Put aside what a card with a boot partition of ours needs besides: `image build --base` has it copied."""
    where = Path("usr/lib/systemd/system")
    for name in ("wordcam-boot-partition.service", "wordcam-enroll.service", *program.DROP_INS):
        (folder / where / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(device.OVERLAY / where / name, folder / where / name)


def _describe(tree: Path, target: Target) -> None:
    folder = tree / "DEBIAN"
    size = sum(path.stat().st_size for path in tree.rglob("*") if path.is_file()) // 1024
    folder.mkdir()
    major, minor = target.python.split(".")
    control = _CONTROL.format(
        name=NAME,
        version=target.version,
        architecture=target.architecture,
        size_kib=size,
        python=target.python,
        next_python=f"{major}.{int(minor) + 1}",
    )
    (folder / "control").write_text(control, encoding="utf-8")
    for name, text in (("postinst", _POSTINST), ("prerm", _PRERM), ("postrm", _POSTRM)):
        (folder / name).write_text(text.format(units=_UNITS) if "{units}" in text else text, encoding="utf-8")
        (folder / name).chmod(0o755)
    sums = [
        f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  {path.relative_to(tree)}\n"
        for path in sorted(tree.rglob("*"))
        if path.is_file() and not path.is_symlink() and folder not in path.parents
    ]
    (folder / "md5sums").write_text("".join(sums), encoding="utf-8")
