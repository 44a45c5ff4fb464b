"""Which disks may be written on, by a made-up sysfs."""

from pathlib import Path

import pytest

from edge.flash import disk
from edge.flash.disk import Disk, Reason


class Machine:
    """A tree as /sys and /proc have it."""

    def __init__(self, folder: Path) -> None:
        self.sys, self.proc = folder / "sys", folder / "proc"
        (self.sys / "class/block").mkdir(parents=True)
        (self.proc / "self").mkdir(parents=True)
        self.mounts: list[str] = []

    def disk(self, name: str, number: str, *, gigabytes: int = 32, removable: bool = True, ro: bool = False) -> Path:
        folder = self.sys / "devices" / name
        self._device(folder, name, number)
        (folder / "size").write_text(f"{gigabytes * 10**9 // 512}\n")
        (folder / "removable").write_text(f"{int(removable)}\n")
        (folder / "ro").write_text(f"{int(ro)}\n")
        (folder / "device").mkdir()
        (folder / "device/vendor").write_text("Generic \n")
        (folder / "device/model").write_text("Card Reader\n")
        return folder

    def partition(self, of: Path, name: str, number: str) -> Path:
        self._device(of / name, name, number)
        (of / name / "partition").write_text("1\n")
        return of / name

    def mapped(self, on: Path, name: str, number: str) -> None:
        self._device(self.sys / "devices" / name, name, number)
        (on / "holders" / name).mkdir()

    def mount(self, number: str, point: str, source: str) -> None:
        self.mounts.append(f"36 25 {number} / {point} rw,noatime shared:1 - ext4 {source} rw\n")
        (self.proc / "self/mountinfo").write_text("".join(self.mounts))

    def find(self, name: str) -> Disk:
        found = disk.find(name, self.sys, self.proc)
        assert found is not None
        return found

    def refuses(self, name: str, needed: int = 1) -> tuple[Reason, tuple[str, ...]] | None:
        found = disk.refusal(self.find(name), needed)
        return None if found is None else (found.reason, found.about)

    def _device(self, folder: Path, name: str, number: str) -> None:
        (folder / "holders").mkdir(parents=True)
        (folder / "dev").write_text(f"{number}\n")
        (self.sys / "class/block" / name).symlink_to(folder)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path)
    made.mount("0:25", "/proc", "proc")
    return made


def test_an_unused_card_is_named_and_taken(machine: Machine) -> None:
    machine.partition(machine.disk("sdb", "8:16"), "sdb1", "8:17")

    found = machine.find("sdb")
    assert (found.model, found.size_bytes, found.is_removable) == ("Generic Card Reader", 32 * 10**9, True)
    assert machine.refuses("sdb") is None


def test_the_disk_of_the_system_is_refused(machine: Machine) -> None:
    machine.partition(machine.disk("nvme0n1", "259:0", removable=False), "nvme0n1p2", "259:2")
    machine.mount("259:2", "/", "/dev/nvme0n1p2")

    assert machine.refuses("nvme0n1") == (Reason.SYSTEM_DISK, ("/",))


def test_an_encrypted_system_disk_is_refused_too(machine: Machine) -> None:
    partition = machine.partition(machine.disk("sda", "8:0"), "sda2", "8:2")
    machine.mapped(partition, "dm-0", "254:0")
    machine.mapped(machine.sys / "devices/dm-0", "dm-1", "254:1")
    machine.mount("254:1", "/", "/dev/mapper/vg-root")

    assert machine.refuses("sda") == (Reason.SYSTEM_DISK, ("/",))


def test_a_file_system_with_numbers_of_its_own_is_found_by_its_source(machine: Machine) -> None:
    machine.partition(machine.disk("sda", "8:0"), "sda1", "8:1")
    machine.mount("0:31", "/", "/dev/sda1")

    assert machine.refuses("sda") == (Reason.SYSTEM_DISK, ("/",))


def test_a_mounted_card_is_refused_by_its_mount_point(machine: Machine) -> None:
    machine.partition(machine.disk("mmcblk0", "179:0"), "mmcblk0p1", "179:1")
    machine.mount("179:1", "/media/me/MY\\040CARD", "/dev/mmcblk0p1")

    assert machine.refuses("mmcblk0") == (Reason.MOUNTED, ("/media/me/MY CARD",))


def test_swap_and_what_stands_on_a_disk_are_in_the_way(machine: Machine) -> None:
    machine.partition(machine.disk("sdb", "8:16"), "sdb1", "8:17")
    machine.mapped(machine.partition(machine.disk("sdc", "8:32"), "sdc1", "8:33"), "md0", "9:0")
    (machine.proc / "swaps").write_text("Filename Type Size Used Priority\n/dev/sdb1 partition 1 0 -2\n")

    assert machine.refuses("sdb") == (Reason.SWAP, ("/dev/sdb1",))
    assert machine.refuses("sdc") == (Reason.IN_USE, ("md0",))


def test_a_partition_is_no_disk(machine: Machine) -> None:
    machine.partition(machine.disk("sdb", "8:16"), "sdb1", "8:17")

    assert machine.refuses("sdb1") == (Reason.A_PARTITION, ("sdb",))


def test_small_empty_and_protected_cards_are_refused(machine: Machine) -> None:
    machine.disk("sdb", "8:16", gigabytes=1)
    machine.disk("sdc", "8:32", gigabytes=0)
    machine.disk("sdd", "8:48", ro=True)

    assert machine.refuses("sdb", 2 * 10**9) == (Reason.TOO_SMALL, ())
    assert machine.refuses("sdc") == (Reason.NO_MEDIUM, ())
    assert machine.refuses("sdd") == (Reason.READ_ONLY, ())


def test_what_the_kernel_does_not_know_is_not_found(machine: Machine) -> None:
    assert disk.find("sdz", machine.sys, machine.proc) is None
