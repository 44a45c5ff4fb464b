"""What makes a root of Debian's a device: our files, users who cannot log in, and the units that start."""

import shutil
from pathlib import Path
from typing import Final

from edge.image import foreign

OVERLAY: Final = Path(__file__).parent / "root"
"""Files of the image that are ours, as they lie in its root."""

UNITS: Final = Path(__file__).parent / "units"


def furnish(root: Path) -> None:
    """Make a root a device; its `etc` must be its own, what else is there may be links to what is kept."""
    _own_files(root)
    _users(root)
    foreign.run(root, "usr/bin/systemctl", f"--root={root}", "preset-all")


def identify(root: Path, version: str, update_certificate: Path | None) -> None:
    """Write which system this is, and by whose signature it may be replaced."""
    about = root / "usr/lib/os-release"
    text = about.read_text(encoding="utf-8")
    about.unlink()  # a link to what is kept
    about.write_text(f'{text.rstrip()}\nIMAGE_ID=wordcam\nIMAGE_VERSION="{version}"\n', encoding="utf-8")
    if update_certificate is not None:
        shutil.copy(update_certificate, root / "etc/rauc/keyring.pem")


def _own_files(root: Path) -> None:
    shutil.copytree(OVERLAY, root, dirs_exist_ok=True)
    for unit in sorted(UNITS.glob("wordcam-*.service")):
        shutil.copy(unit, root / "usr/lib/systemd/system")
    for name, place in (
        ("wordcam.sysusers.conf", "usr/lib/sysusers.d/wordcam.conf"),
        ("wordcam.tmpfiles.conf", "usr/lib/tmpfiles.d/wordcam.conf"),
    ):
        shutil.copy(UNITS / name, root / place)
    for link, points_to in (
        ("etc/wordcam", "/var/lib/wordcam-config"),
        ("etc/resolv.conf", "/run/systemd/resolve/resolv.conf"),
        ("etc/localtime", "/usr/share/zoneinfo/Etc/UTC"),
        ("usr/lib/firmware/regulatory.db", "regulatory.db-debian"),
        ("usr/lib/firmware/regulatory.db.p7s", "regulatory.db.p7s-debian"),
    ):
        path = root / link
        path.unlink(missing_ok=True)
        path.symlink_to(points_to)
    (root / "etc/machine-id").write_bytes(b"")
    (root / "usr/lib/clock-epoch").touch()
    for masked in ("systemd-logind.service", "getty.target", "systemd-sysupdate.timer", "ldconfig.service"):
        (root / "etc/systemd/system" / masked).unlink(missing_ok=True)
        (root / "etc/systemd/system" / masked).symlink_to("/dev/null")


def _users(root: Path) -> None:
    """Nobody may log in: no account has a password, and no shell asks for one."""
    for name in ("passwd", "group"):
        shutil.copy(root / f"usr/share/base-passwd/{name}.master", root / "etc" / name)
    foreign.run(root, "usr/bin/systemd-sysusers", f"--root={root}")
    passwd = root / "etc/passwd"
    lines = [line.split(":") for line in passwd.read_text(encoding="utf-8").splitlines()]
    passwd.write_text("".join(":".join([*line[:6], "/usr/sbin/nologin"]) + "\n" for line in lines), encoding="utf-8")
    shadow = "".join(f"{line[0]}:!*:0::::::\n" for line in lines)
    (root / "etc/shadow").write_text(shadow, encoding="utf-8")
    (root / "etc/shadow").chmod(0o600)
    for leftover in ("passwd-", "group-", "shadow-", "gshadow-", ".pwd.lock"):
        (root / "etc" / leftover).unlink(missing_ok=True)
