"""A card in folders: a boot partition, a state folder, and what the kernel and the system say of themselves."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.image import recipe
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
        self.place.command_line.write_text(recipe.command_line(slot))
        self.place.os_release.write_text(f'ID=debian\nIMAGE_VERSION="{NEW if slot is Slot.B else OLD}"\n')
        return slot


@pytest.fixture
def computer(tmp_path: Path) -> Computer:
    """A device that runs system A, and has had no update."""
    made = Computer(tmp_path)
    (made.place.boot / "wordcam").mkdir(parents=True)
    (made.place.boot / "config.txt").write_text(recipe.CONFIG_TXT)
    made.place.keyring.write_text("certificate")
    made.start()
    return made
