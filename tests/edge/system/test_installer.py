"""Installing a bundle: what RAUC does not take is refused with a reason, and what it takes is tried."""

import configparser
import subprocess
import tarfile
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import pytest

from contract.system import SystemProgress, SystemReason
from edge.errors import Misconfigured, TryAgain
from edge.image import device, recipe
from edge.system import boot_partition, installer, trial
from edge.system.installer import Info, Refused
from edge.system.place import Place
from edge.system.slots import Record, Slot
from tests.edge.system.conftest import NEW, NOW, OLD, Computer, PowerCut

BUNDLE = Path("update.raucb")


@dataclass
class Rauc:
    """A RAUC that asks the boot loader what RAUC asks, and writes nothing."""

    place: Place
    found: Info = field(default_factory=lambda: Info(installer.COMPATIBLE, NEW))
    fails: BaseException | None = None
    installed: int = 0

    def info(self, bundle: Path) -> Info:
        return self.found

    def install(self, bundle: Path) -> None:
        slot = trial.answer(self.place, ["get-current"], NOW)
        other = Slot(slot).other.value
        trial.answer(self.place, ["set-state", other, "bad"], NOW)
        if self.fails is not None:
            raise self.fails
        self.installed += 1
        trial.answer(self.place, ["set-primary", other], NOW)


def test_an_update_that_is_written_is_on_trial(computer: Computer) -> None:
    record = installer.install(computer.place, Rauc(computer.place), BUNDLE, NOW)

    assert record is not None
    assert (record.progress, record.slot, record.version, record.tries) == (SystemProgress.TRYING, Slot.B, NEW, 0)


def test_the_system_that_runs_is_not_installed_again(computer: Computer) -> None:
    rauc = Rauc(computer.place, Info(installer.COMPATIBLE, OLD))

    assert installer.install(computer.place, rauc, BUNDLE, NOW) is None
    assert rauc.installed == 0


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (Info("wordcam-amd64", NEW), SystemReason.INCOMPATIBLE),
        (Info(installer.COMPATIBLE, "0.1.9+202701010000.cccccccc"), SystemReason.OLDER_SYSTEM),
    ],
)
def test_what_is_signed_and_not_for_this_device_is_refused(
    computer: Computer, found: Info, reason: SystemReason
) -> None:
    record = installer.install(computer.place, Rauc(computer.place, found), BUNDLE, NOW)

    assert record is not None
    assert (record.progress, record.reason) == (SystemProgress.REFUSED, reason)


def test_an_image_without_a_certificate_takes_no_updates(computer: Computer) -> None:
    computer.place.keyring.unlink()

    record = installer.install(computer.place, Rauc(computer.place), BUNDLE, NOW)

    assert record is not None
    assert record.reason is SystemReason.NO_KEYRING


def test_what_fails_while_it_is_written_is_refused_and_never_started(computer: Computer) -> None:
    rauc = Rauc(computer.place, fails=Refused(SystemReason.ALTERED, "Input/output error"))

    record = installer.install(computer.place, rauc, BUNDLE, NOW)

    assert record is not None
    assert (record.progress, record.reason, record.version) == (SystemProgress.REFUSED, SystemReason.ALTERED, NEW)
    assert trial.answer(computer.place, ["get-primary"], NOW) == "a"
    assert trial.answer(computer.place, ["get-state", "b"], NOW) == "bad"


def test_a_power_cut_while_it_is_written_is_counted_and_it_may_be_installed_again(computer: Computer) -> None:
    with pytest.raises(PowerCut):
        installer.install(computer.place, Rauc(computer.place, fails=PowerCut()), BUNDLE, NOW)
    computer.start()
    trial.settle(computer.place, computer, NOW)

    record = installer.install(computer.place, Rauc(computer.place), BUNDLE, NOW)

    assert record is not None
    assert (record.progress, record.interruptions) == (SystemProgress.TRYING, 1)


def test_nothing_is_installed_while_an_update_is_on_trial(computer: Computer) -> None:
    computer.place.keep(Record(progress=SystemProgress.TRYING, slot=Slot.B, at=NOW, version=NEW))

    with pytest.raises(TryAgain, match="on trial"):
        installer.install(computer.place, Rauc(computer.place), BUNDLE, NOW)


def test_a_system_that_is_no_image_is_not_updated(computer: Computer) -> None:
    computer.place.command_line.write_text("root=/dev/sda1")

    with pytest.raises(Misconfigured, match="own image"):
        installer.install(computer.place, Rauc(computer.place), BUNDLE, NOW)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("rauc-Message: Verifying bundle signature...\nsignature verification failed: x", SystemReason.SIGNATURE),
        ("Invalid bundle format: Signature size (17) exceeds bundle size", SystemReason.NOT_A_BUNDLE),
        ("LastError: Failed updating slot rootfs.1: Input/output error\nidle", SystemReason.ALTERED),
        ("LastError: Failed updating slot: no space left\nidle", SystemReason.NO_SPACE),
        ("", SystemReason.NOT_WRITTEN),
    ],
)
def test_why_rauc_fails_is_read_from_its_words(said: str, reason: SystemReason) -> None:
    assert installer.reason_of(said)[0] is reason


def test_what_rauc_keeps_to_its_log_is_said() -> None:
    log = "rauc-Message: Verifying bundle signature...\nInstallation error: Failed to copy data: Input/output error\nx"

    said = installer.reason_of("Installing `/mnt/altered.raucb` failed\n", log)

    assert said == (SystemReason.ALTERED, "Failed to copy data: Input/output error")


def archive(tmp_path: Path, *members: tarfile.TarInfo) -> Path:
    path = tmp_path / "boot.tar"
    with tarfile.open(path, "w") as packed:
        for member in members:
            packed.addfile(member, BytesIO(b"x" * member.size))
    return path


def member(name: str, size: int = 3, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.size, made.type = size, kind
    return made


def test_boot_files_replace_those_of_the_other_system_with_its_own_command_line(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b/old.dtb").touch()
    made = archive(tmp_path, member("vmlinuz"), member("cmdline.a.txt", 1), member("cmdline.b.txt", 2))

    boot_partition.write_files(made, tmp_path, Slot.B)

    found = {path.name: path.stat().st_size for path in (tmp_path / "b").iterdir()}
    assert found == {"vmlinuz": 3, "cmdline.txt": 2}


@pytest.mark.parametrize(
    "bad",
    [member("../config.txt"), member("a/vmlinuz"), member("link", 0, tarfile.SYMTYPE), member("d", 0, tarfile.DIRTYPE)],
)
def test_boot_files_lie_in_their_folder_also_where_the_signature_is_right(tmp_path: Path, bad: tarfile.TarInfo) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b/vmlinuz").touch()

    with pytest.raises(Misconfigured, match="not a plain file"):
        boot_partition.write_files(archive(tmp_path, member("vmlinuz"), bad), tmp_path, Slot.B)

    assert (tmp_path / "b/vmlinuz").exists(), "nothing was changed"


def test_the_command_line_of_each_slot_names_its_root_and_itself() -> None:
    assert "rauc.slot=a" in recipe.command_line("a")
    assert recipe.command_line("b").split() == [
        word.replace("776f7264-02", "776f7264-03").replace("slot=a", "slot=b")
        for word in recipe.command_line("a").split()
    ]


def test_rauc_knows_both_slots_as_the_command_lines_do() -> None:
    conf = configparser.ConfigParser()
    conf.read(device.OVERLAY / "etc/rauc/system.conf")

    slots = {conf[f"slot.rootfs.{n}"]["bootname"]: conf[f"slot.rootfs.{n}"]["device"][-11:] for n in (0, 1)}
    assert slots == recipe.SLOTS
    assert conf["system"]["compatible"] == installer.COMPATIBLE
    assert conf["system"]["bundle-formats"] == "verity"
    for handler in conf["handlers"].values():
        path = device.OVERLAY / handler.lstrip("/")
        assert subprocess.run(["sh", "-n", str(path)], check=False).returncode == 0
