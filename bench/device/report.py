"""A report of one device: what machine it is, and what the process that looks takes of it."""

import os
import platform
import re
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import msgspec

from bench.device import commands
from contract import release

FORMAT: Final = 1

LIBRARIES: Final = ("ai-edge-litert", "tflite-runtime", "numpy", "opencv-python-headless", "av", "paho-mqtt")

_BOARD: Final = Path("/proc/device-tree/model")
"""Where a Raspberry Pi or a Jetson says what it is."""

_TEMPERATURE: Final = Path("/sys/class/thermal/thermal_zone0/temp")
"""In thousandths of a degree Celsius."""


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured on; it holds no name of a host, a user or a network."""

    board: str
    """As the board says it, or the processor where it says nothing."""
    architecture: str
    cores: int
    memory_mib: int
    kernel: str
    python: str
    libraries: dict[str, str]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One file that an owner can send in."""

    format: int
    wordcam: str
    machine: Machine
    runs: tuple[dict[str, Any], ...]
    """What `wordcam-edge bench --json` says for each number of threads."""
    celsius_before: float | None
    celsius_after: float | None


def measure(bundle: Path, frames: int) -> Report:
    """Measure with one thread and with two, where there are two cores; raises `commands.Failed`."""
    before = _celsius()
    threads = (1, 2) if (os.cpu_count() or 1) > 1 else (1,)
    runs = tuple(commands.device(bundle, frames, None, threads=count) for count in threads)
    return Report(
        format=FORMAT,
        wordcam=release.VERSION,
        machine=machine(),
        runs=runs,
        celsius_before=before,
        celsius_after=_celsius(),
    )


def machine() -> Machine:
    """Describe this machine."""
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return Machine(
        board=_board(),
        architecture=platform.machine(),
        cores=os.cpu_count() or 1,
        memory_mib=pages * size >> 20,
        kernel=platform.release(),
        python=platform.python_version(),
        libraries=_libraries(),
    )


def _board() -> str:
    try:
        return _BOARD.read_bytes().rstrip(b"\0").decode("utf-8", "replace")
    except OSError:
        cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        found = re.search(r"^model name\s*:\s*(.+)$", cpu, re.MULTILINE)
        return found[1].strip() if found else "unknown"


def _libraries() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _celsius() -> float | None:
    try:
        return int(_TEMPERATURE.read_text(encoding="ascii")) / 1000
    except (OSError, ValueError):
        return None
