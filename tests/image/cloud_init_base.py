"""A Debian for arm64 with cloud-init, laid out as Raspberry Pi OS is: a base to put wordcam into.

Its packages are unpacked, and its users and units made, without running a maintainer script; dpkg knows all of them.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from edge.image import debian, foreign, initrd

PACKAGES: Final = (
    *("base-files", "base-passwd", "bash", "dash", "coreutils", "libc-bin", "dpkg", "tar", "sed", "grep", "findutils"),
    *("gzip", "diffutils", "util-linux", "mount", "passwd", "hostname", "iproute2", "netbase", "kmod", "e2fsprogs"),
    *("systemd", "systemd-sysv", "systemd-resolved", "systemd-timesyncd", "udev", "dbus", "init-system-helpers"),
    *("python3", "libstdc++6", "ca-certificates", "busybox-static", "cloud-init"),
)

SIGNATURE: Final = 0x62617365
MIB: Final = 1 << 20
BOOT_MIB, ROOT_MIB = 512, 2560

COMMAND_LINE: Final = (
    f"console=ttyAMA0,115200 root=PARTUUID={SIGNATURE:08x}-02 rw rootwait systemd.getty_auto=0 systemd.firstboot=off"
)

FILES: Final = {
    "etc/fstab": (
        f"PARTUUID={SIGNATURE:08x}-02 / ext4 defaults,noatime 0 1\n"
        f"PARTUUID={SIGNATURE:08x}-01 /boot/firmware vfat defaults,x-systemd.device-timeout=600 0 2\n"
    ),
    "etc/cloud/cloud.cfg.d/99_boot.cfg": (
        "datasource_list: [NoCloud, None]\ndatasource: {NoCloud: {seedfrom: 'file:///boot/firmware/'}}\n"
    ),
    "etc/systemd/network/20-wired.network": "[Match]\nName=en* eth*\n[Network]\nDHCP=yes\n",
    "etc/systemd/system.conf.d/slow.conf": "[Manager]\nDefaultDeviceTimeoutSec=900\nDefaultTimeoutStartSec=1800\n",
    "etc/hostname": "base\n",
    "etc/machine-id": "",
}

MASKED: Final = ("systemd-networkd-wait-online.service", "getty.target", "systemd-firstboot.service")


def build(kernel: Path, to: Path, work: Path) -> None:
    """Write the image, with kernel and modules of the root `kernel`; raises `CalledProcessError`."""
    root = work / "root"
    keyring = "--keyring=/usr/share/keyrings/debian-archive-keyring.gpg"
    command = ["mmdebstrap", "--quiet", "--mode=root", "--variant=extract", "--architectures=arm64", keyring]
    command += ["--skip=check/qemu,cleanup/apt", '--aptopt=APT::Install-Recommends "false"']
    subprocess.run([*command, f"--include={','.join(PACKAGES)}", "trixie", str(root)], check=True)
    tell_dpkg(root)
    finish(root)
    version = debian.kernel_version(kernel)
    shutil.copytree(kernel / "usr/lib/modules", root / "usr/lib/modules", symlinks=True, dirs_exist_ok=True)
    init = initrd.INIT.replace("mount -t squashfs -o ro", "mount -t ext4 -o rw")
    boot = {
        "a/vmlinuz": (kernel / f"boot/vmlinuz-{version}").read_bytes(),
        "a/initrd.img": initrd.build(kernel, version, init),
        "a/cmdline.txt": f"{COMMAND_LINE}\n".encode(),
        "user-data": b"#cloud-config\n{}\n",
        "meta-data": b"instance-id: base\n",
    }
    assemble(root, boot, to, work)
    shutil.rmtree(root)


def tell_dpkg(root: Path) -> None:
    """Have dpkg know the packages as installed."""
    said = []
    for deb in sorted((root / "var/cache/apt/archives").glob("*.deb")):
        text = subprocess.run(["dpkg-deb", "-f", str(deb)], capture_output=True, text=True, check=True).stdout
        name, _, rest = text.partition("\n")
        said.append(f"{name}\nStatus: install ok installed\n{rest}\n")
        deb.unlink()
    (root / "var/lib/dpkg/status").write_text("".join(said), encoding="utf-8")


def finish(root: Path) -> None:
    """Make users and units, and write the files that a base has."""
    for name in ("passwd", "group"):
        shutil.copy(root / f"usr/share/base-passwd/{name}.master", root / "etc" / name)
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    (root / "boot/firmware").mkdir(parents=True, exist_ok=True)
    foreign.run(root, "usr/bin/systemd-sysusers", f"--root={root}")
    foreign.run(root, "usr/bin/systemctl", f"--root={root}", "preset-all")
    for unit in MASKED:
        (root / "etc/systemd/system" / unit).unlink(missing_ok=True)
        (root / "etc/systemd/system" / unit).symlink_to("/dev/null")


def assemble(root: Path, boot: dict[str, bytes], to: Path, work: Path) -> None:
    """Write the table of partitions, a boot partition with FAT and a root with ext4."""
    environ = os.environ | {"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin", "MTOOLS_SKIP_CHECK": "1"}
    fat, ext4 = work / "boot.fat", work / "root.ext4"
    for path, size in ((fat, BOOT_MIB), (ext4, ROOT_MIB)):
        with path.open("wb") as file:
            file.truncate(size * MIB)
    subprocess.run(["mkfs.vfat", "-F", "32", "-n", "BOOTFS", str(fat)], check=True, env=environ, capture_output=True)
    subprocess.run(["mmd", "-i", str(fat), "::/a"], check=True, env=environ)
    for name, content in boot.items():
        subprocess.run(["mcopy", "-i", str(fat), "-", f"::/{name}"], input=content, check=True, env=environ)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", str(root), str(ext4)], check=True, env=environ)
    with to.open("wb") as image:
        image.truncate((1 + BOOT_MIB + ROOT_MIB) * MIB)
        image.write(table())
    for path, at in ((fat, 1), (ext4, 1 + BOOT_MIB)):
        command = ["dd", f"if={path}", f"of={to}", "bs=1M", f"seek={at}", "conv=notrunc,sparse", "status=none"]
        subprocess.run(command, check=True)
        path.unlink()


def table() -> bytes:
    """Return the master boot record."""
    entries, start = b"", 1
    for kind, size in ((0x0C, BOOT_MIB), (0x83, ROOT_MIB)):
        entries += bytes([0, 0xFE, 0xFF, 0xFF, kind, 0xFE, 0xFF, 0xFF])
        entries += (start * MIB // 512).to_bytes(4, "little") + (size * MIB // 512).to_bytes(4, "little")
        start += size
    return bytes(440) + SIGNATURE.to_bytes(4, "little") + bytes(2) + entries.ljust(64, b"\0") + b"\x55\xaa"
