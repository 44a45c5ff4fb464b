"""A processor for programs that qemu-user runs: what the kernel of this machine says of its own is none for them."""

from pathlib import Path
from typing import Final

QEMU_CPU: Final = "cortex-a72"
"""That of a Raspberry Pi 4."""

CPU: Final = """\
processor\t: 0
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid
CPU implementer\t: 0x41
CPU architecture: 8
CPU part\t: 0xd08

"""
"""`/proc/cpuinfo`. In that of another kind of processor LiteRT finds none, and ends by a segmentation fault."""


def describe(root: Path) -> None:
    """Put the processor where programs below a root look for it."""
    for name, text in (
        ("proc/cpuinfo", CPU),
        ("sys/devices/system/cpu/possible", "0\n"),
        ("sys/devices/system/cpu/present", "0\n"),
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
