"""A card in folders: a boot partition, a state folder, and what the kernel and the system say of themselves."""

import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.image import initrd, recipe
from edge.system import trial
from edge.system.place import Place
from edge.system.slots import Slot
from testing import firmware

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)

OLD, NEW = "0.2.0+202611290000.aaaaaaaa", "0.2.0+202611300000.bbbbbbbb"


class PowerCut(BaseException):
    """The power fails: no line of the program after this one runs."""


@dataclass
class Computer:
    """A device whose firmware starts one of two systems; a restart is the end of what runs."""

    folder: Path
    can_try_once: bool
    """Whether the kernel reaches the firmware; else a system is lent the card, and gives it back in its first steps."""
    tryboot: bool = False
    restarts: list[str] = field(default_factory=list)

    @property
    def place(self) -> Place:
        return Place(
            boot=self.folder / "boot",
            state=self.folder / "state",
            command_line=self.folder / "cmdline",
            os_release=self.folder / "os-release",
            keyring=self.folder / "keyring.pem",
            model=self.folder / "model",
            mailbox=self.folder / "vcio",
        )

    def restart(self, argument: str = "") -> None:
        """As `Machine`: the firmware keeps the flag until the next start."""
        self.restarts.append(argument)
        self.tryboot = argument == trial.TRYBOOT

    def start(self) -> Slot:
        """Start what the firmware starts; return which system that is."""
        config = (self.place.boot / "config.txt").read_text()
        slot = Slot(firmware.folder(config, tryboot=self.tryboot).as_posix())
        self.tryboot = False
        self.give_back()
        self.place.command_line.write_text(recipe.command_line(slot))
        self.place.os_release.write_text(f'ID=debian\nIMAGE_VERSION="{NEW if slot is Slot.B else OLD}"\n')
        return slot

    def give_back(self) -> None:
        """Run that part of the initial RAM disk."""
        script = initrd.GIVE_BACK.replace("/boot/", f"{self.place.boot}/")
        subprocess.run(["sh", "-c", script], check=False)


@pytest.fixture(params=["tryboot", "lent"])
def computer(tmp_path: Path, request: pytest.FixtureRequest) -> Computer:
    """A device that runs system A, and has had no update."""
    made = Computer(tmp_path, can_try_once=request.param == "tryboot")
    (tmp_path / "model").write_bytes(b"Raspberry Pi 4 Model B Rev 1.4\0")
    if made.can_try_once:
        (tmp_path / "vcio").touch()
    (made.place.boot / "wordcam").mkdir(parents=True)
    (made.place.boot / "config.txt").write_text(recipe.CONFIG_TXT)
    made.place.keyring.write_text("certificate")
    made.start()
    return made
