"""Machines of a test: network namespaces that a cable each joins, and every packet on it kept."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from testing.waiting import PATIENCE_SECONDS, wait_until

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Machine:
    """A network namespace."""

    name: str

    def start(self, *arguments: object, log: Path) -> subprocess.Popen[bytes]:
        """Start a program of Python in it."""
        program = ["ip", "netns", "exec", self.name, sys.executable, *map(str, arguments)]
        with log.open("ab") as file:
            return subprocess.Popen(program, cwd=ROOT, stdout=file, stderr=file)

    @contextmanager
    def running(self, *arguments: object, log: Path) -> Iterator[subprocess.Popen[bytes]]:
        """Run a program in it while the block lasts."""
        process = self.start(*arguments, log=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


def ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no network namespaces here: ip {' '.join(arguments)}: {done.stderr.strip()}")


@contextmanager
def machines(*names: str) -> Iterator[list[Machine]]:
    """Make namespaces; skips the test where that is not possible."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces need root and the program `ip` (package iproute2)")
    made = [f"wordcam-{name}-{os.getpid()}" for name in names]
    with ExitStack() as stack:
        for name in made:
            ip("netns", "add", name)
            stack.callback(subprocess.run, ["ip", "netns", "del", name], check=False)
            # IPv6 finds its neighbours by itself; without it, what is left on a cable is what somebody said.
            switch = "net.ipv6.conf.all.disable_ipv6=1"
            subprocess.run(["ip", "netns", "exec", name, "sysctl", "-qw", switch], check=False, capture_output=True)
            ip("-n", name, "link", "set", "lo", "up")
        yield [Machine(name) for name in made]


def join(device: Machine, other: Machine, cable: str, device_address: str, other_address: str) -> None:
    """Lay a cable, `cable` at the device's end."""
    far = f"far-{cable}"
    ip("-n", device.name, "link", "add", cable, "type", "veth", "peer", "name", far, "netns", other.name)
    for machine, end, address in ((device, cable, device_address), (other, far, other_address)):
        ip("-n", machine.name, "address", "add", f"{address}/24", "dev", end)
        ip("-n", machine.name, "link", "set", end, "up")


@contextmanager
def captured(machine: Machine, cable: str, file: Path) -> Iterator[Path]:
    """Keep every packet on a cable, in both directions, in a file."""
    with machine.running("-m", "tests.wire.capture", cable, file, log=file.with_suffix(".log")):
        wait_until(file.exists, "the capture to begin")
        yield file
