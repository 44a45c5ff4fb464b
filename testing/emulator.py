"""Boots the image of a card in an emulated 64-bit ARM computer, which reaches only chosen ports of this machine."""

import base64
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Final, Self

from testing import firmware
from testing.errors import NotInstalled
from testing.waiting import wait_until

QEMU: Final = "qemu-system-aarch64"

SERVER: Final = "10.0.2.100"
"""Address by which the emulated computer reaches this machine."""

CAMERA: Final = "modules_load=vivid vivid.n_devs=1 vivid.node_types=0x1"
"""A camera of the kernel's own, `/dev/video0`, which shows test pictures."""

_BOOT_OFFSET: Final = 1 << 20

_RUN_SCRIPT: Final = """\
[Unit]
DefaultDependencies=no
After=basic.target
[Service]
ExecStart=/bin/sh /dev/vdb
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyAMA0
"""


@dataclass
class Emulator:
    """One computer with a card, on while entered; a file is the card and keeps what is written."""

    card: Path
    folder: Path
    ports: Mapping[int, int]
    """Ports of `SERVER`, and those of this machine that answer in their place."""
    script: str = ""
    """Shell commands that the computer runs as root from a second disk; they write on the serial line."""
    camera: bool = True
    options: Sequence[str] = ()
    """More of QEMU's."""
    starts: int = 0
    """How often it was started, by a person or by itself."""
    _tryboot: bool = field(default=False, repr=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _on_since: float = 0.0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.cut_power()

    @property
    def slot(self) -> str:
        """Folder of the boot partition that its firmware starts next."""
        config = self._boot_text(PurePosixPath("config.txt"))
        return firmware.folder(config, tryboot=self._tryboot).as_posix()

    @property
    def serial(self) -> str:
        """All that came on the serial line since the computer was last switched on."""
        path = self.folder / "serial.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def start(self) -> None:
        """Switch it on; raises `NotInstalled`."""
        for program in (QEMU, "mcopy"):
            if shutil.which(program) is None:
                raise NotInstalled(f"{program} is not installed")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.starts += 1
        serial = self.folder / "serial.log"
        if serial.exists():
            serial.replace(self.folder / f"serial-{self.starts - 1}.log")
        kernel, initrd, words = (self._boot_file(name) for name in ("vmlinuz", "initrd.img", "cmdline.txt"))
        command_line = f"{words.read_text(encoding='utf-8').strip()} {self._more_words()}"
        command = [QEMU, "-machine", "virt", "-cpu", "cortex-a72", "-smp", "2", "-m", "2048"]
        command += ["-accel", "tcg,thread=multi", "-nographic", "-no-reboot", "-monitor", "none"]
        command += ["-serial", f"file:{self.folder / 'serial.log'}"]
        command += ["-kernel", str(kernel), "-initrd", str(initrd), "-append", command_line]
        command += [*_disk("card", self.card), *_disk("script", self._script_disk()), *self._network()]
        command += ["-device", "virtio-rng-pci", *self.options]
        self._tryboot = False
        with (self.folder / "qemu.log").open("wb") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._on_since = time.monotonic()

    @property
    def seconds_on(self) -> float:
        """Time since it was last switched on."""
        return time.monotonic() - self._on_since

    def restart_when_reset(self, seconds: float) -> None:
        """Wait until the computer resets itself, and start what its firmware starts then."""
        wait_until(self._has_ended, "a reset", seconds)
        self._tryboot = firmware.sets_tryboot(self.serial)
        self.cut_power()
        self.start()

    def cut_power(self) -> None:
        """Switch it off at once; what it asked of its firmware is forgotten."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop its clock for a while: what is on the card then is what a power cut would leave.

        What the device has written counts as being on the card; one that loses what it has confirmed is not emulated.
        """
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def wait_said(self, text: str, seconds: float) -> None:
        """Wait until a text has come on the serial line."""
        wait_until(lambda: text in self.serial or self._has_ended(), f"{text!r} on the serial line", seconds)
        assert text in self.serial, f"the emulator ended:\n{self.serial[-2000:]}"

    def _has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _more_words(self) -> str:
        unit = base64.b64encode(_RUN_SCRIPT.encode()).decode()
        run = f"systemd.set_credential_binary=systemd.extra-unit.script.service:{unit} systemd.wants=script.service"
        return " ".join([*([CAMERA] if self.camera else []), *([run] if self.script else [])])

    def _boot_file(self, name: str) -> Path:
        to = self.folder / name
        command = ["mcopy", "-o", "-n", "-i", f"{self.card}@@{_BOOT_OFFSET}", f"::/{self.slot}/{name}", str(to)]
        subprocess.run(command, check=True, env=os.environ | {"MTOOLS_SKIP_CHECK": "1"})
        return to

    def _boot_text(self, path: PurePosixPath) -> str:
        command = ["mtype", "-i", f"{self.card}@@{_BOOT_OFFSET}", f"::/{path}"]
        environ = os.environ | {"MTOOLS_SKIP_CHECK": "1"}
        return subprocess.run(command, capture_output=True, text=True, check=True, env=environ).stdout

    def _script_disk(self) -> Path:
        disk = self.folder / "script"
        disk.write_bytes(f"{self.script}\nexit 0\n".encode().ljust(1 << 20, b"\n"))
        return disk

    def _network(self) -> list[str]:
        relay = Path(__file__).with_name("relay.py")
        ways = "".join(
            f",guestfwd=tcp:{SERVER}:{port}-cmd:{sys.executable} -S -E {relay} {here}"
            for port, here in self.ports.items()
        )
        return ["-netdev", f"user,id=net,restrict=on{ways}", "-device", "virtio-net-pci,netdev=net,romfile="]


def _disk(name: str, path: Path) -> list[str]:
    drive = f"if=none,id={name},format=raw,file={path},cache=unsafe"
    return ["-drive", drive, "-device", f"virtio-blk-pci,drive={name}"]
