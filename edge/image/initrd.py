"""The initial RAM disk: busybox, the modules without which no root is found, and a script that mounts it."""

import gzip
import io
import lzma
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

MODULES: Final = (
    *("squashfs", "ext4", "vfat", "nls_ascii", "nls_cp437", "crc32c_generic"),
    *("mmc_block", "sdhci_iproc", "sdhci_brcmstb", "bcm2835", "bcm2835_sdhost", "bcm2835_dma", "i2c_bcm2835"),
    *("raspberrypi_hwmon", "clk_raspberrypi", "gpio_raspberrypi_exp", "raspberrypi_power", "bcm2835_rng"),
    *("reset_raspberrypi", "gpio_regulator", "pcie_brcmstb", "xhci_pci", "xhci_hcd", "dwc2"),
    *("usb_storage", "uas", "sd_mod", "nvme"),
    *("virtio_blk", "virtio_pci", "virtio_mmio", "virtio_net", "virtio_rng"),
)
"""For cards, USB disks and NVMe of a Raspberry Pi, and for the emulator."""

GIVE_BACK: Final = """\
# A system that was lent the card gives it back before it is started: whatever happens then, the one before starts next.
# The file has the length of the other one and lies in one sector, so that it is put back whole or not at all.
if [ -f /boot/wordcam/return.txt ] && ! cmp -s /boot/wordcam/return.txt /boot/config.txt; then
  dd if=/boot/wordcam/return.txt of=/boot/config.txt conv=notrunc,fsync 2>/dev/null
fi
"""

INIT: Final = """\
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in $(cat /modules.order); do insmod "/modules/$module" 2>/dev/null; done
root=
for word in $(cat /proc/cmdline); do
  case $word in root=PARTUUID=*) root=${word#root=PARTUUID=} ;; esac
done
found=
tries=0
while [ -z "$found" ] && [ "$tries" -lt 600 ]; do
  for block in /sys/class/block/*; do
    if grep -qi "^PARTUUID=$root\\$" "$block/uevent" 2>/dev/null; then found=/dev/${block##*/}; fi
    if [ -z "$found" ] && [ -f "$block/partition" ]; then
      disk=$(readlink -f "$block/..")
      signature=$(dd if="/dev/${disk##*/}" bs=1 skip=440 count=4 2>/dev/null | hexdump -e '1/4 "%08x"')
      number=$(printf %02x "$(cat "$block/partition")")
      if [ "$signature-$number" = "$root" ]; then found=/dev/${block##*/}; fi
    fi
  done
  if [ -z "$found" ]; then sleep 0.1; fi
  tries=$((tries + 1))
done
boot=${found%2}
boot=${boot%3}1
if [ -n "$found" ] && mount -t vfat "$boot" /boot; then
  . /give-back
  umount /boot
fi
if [ -z "$found" ]; then
  echo "wordcam: there is no root PARTUUID=$root on any disk; flash the card again"
  sleep 10
  reboot -f
fi
if ! mount -t squashfs -o ro "$found" /root; then
  echo "wordcam: the root on $found cannot be read; flash the card again"
  sleep 10
  reboot -f
fi
mount --move /dev /root/dev
mount --move /sys /root/sys
mount --move /proc /root/proc
exec switch_root /root /sbin/init
"""


def build(root: Path, version: str, init: str = INIT) -> bytes:
    """Return the archive (newc in gzip) for a kernel of the root; the same root gives the same bytes."""
    archive = _Archive()
    for folder in ("bin", "dev", "proc", "sys", "root", "modules", "run", "boot"):
        archive.add(folder, stat.S_IFDIR | 0o755)
    archive.add("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
    archive.add("bin/busybox", stat.S_IFREG | 0o755, (root / "usr/bin/busybox").read_bytes())
    archive.add("init", stat.S_IFREG | 0o755, init.encode())
    archive.add("give-back", stat.S_IFREG | 0o644, GIVE_BACK.encode())
    names = []
    for path in _with_dependencies(root / "usr/lib/modules" / version):
        name = path.name.partition(".ko")[0] + ".ko"
        packed = path.read_bytes()
        archive.add(
            f"modules/{name}", stat.S_IFREG | 0o644, lzma.decompress(packed) if path.suffix == ".xz" else packed
        )
        names.append(name)
    archive.add("modules.order", stat.S_IFREG | 0o644, "".join(f"{name}\n" for name in names).encode())
    return gzip.compress(archive.finished(), 6, mtime=0)


def _with_dependencies(folder: Path) -> Iterator[Path]:
    """Yield the modules that are wanted, each after those that it needs; what is built into the kernel is left out."""
    needs = {}
    for line in (folder / "modules.dep").read_text(encoding="utf-8").splitlines():
        path, _, others = line.partition(":")
        needs[path] = others.split()
    by_name = {Path(path).name.partition(".ko")[0].replace("-", "_"): path for path in needs}
    order: dict[str, None] = {}

    def add(path: str) -> None:
        for other in reversed(needs[path]):
            add(other)
        order.setdefault(path)

    for name in MODULES:
        if name in by_name:
            add(by_name[name])
    return (folder / path for path in order)


class _Archive:
    """A cpio archive of the kind that the kernel unpacks ("newc")."""

    def __init__(self) -> None:
        self._buffer = io.BytesIO()
        self._count = 0

    def add(self, name: str, mode: int, content: bytes = b"", *, device: tuple[int, int] = (0, 0)) -> None:
        """Add an entry of root's, from 1970."""
        self._count += 1
        path = name.encode() + b"\0"
        numbers = (self._count, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(path), 0)
        head = b"070701" + b"".join(b"%08x" % number for number in numbers) + path
        for part in (head, content):
            self._buffer.write(part + bytes(-len(part) % 4))

    def finished(self) -> bytes:
        """End the archive and return it."""
        self.add("TRAILER!!!", 0)
        return self._buffer.getvalue()
