"""The budget: several cameras share the processor."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from edge.look.budget import Budget, Slots


class Machine:
    """Cameras that look as often as they may, on a clock of the test's own."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self.path, self.stack, self.now = path, stack, 100.0

    def camera(self, number: int, cores: float = 1.0) -> Budget:
        slots = self.stack.enter_context(closing(Slots(self.path, number)))
        return Budget(cores, slots, lambda: self.now)

    def run(self, cameras: list[tuple[Budget, bool, bool]], *, seconds: int) -> list[int]:
        """Offer ten frames a second to each; return how many looks of 0.1 s of processor time each had."""
        looks = [0] * len(cameras)
        for _ in range(seconds * 10):
            self.now += 0.1
            for number, (budget, wanted, is_danger) in enumerate(cameras):
                if budget.may_look(wanted=wanted, is_danger=is_danger) and wanted:
                    budget.spend(0.1)
                    looks[number] += 1
        return looks


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with ExitStack() as stack:
        yield Machine(tmp_path / "outbox.budget", stack)


def test_one_camera_takes_no_more_than_the_budget(machine: Machine) -> None:
    (looks,) = machine.run([(machine.camera(0, 0.5), True, False)], seconds=100)

    assert 490 <= looks <= 520, "0.5 cores make 500 looks of 0.1 s"


def test_cameras_as_busy_share_alike(machine: Machine) -> None:
    looks = machine.run([(machine.camera(number), True, False) for number in range(4)], seconds=100)

    assert all(230 <= one <= 270 for one in looks), looks


def test_the_busiest_camera_is_looked_at_most_and_a_quiet_one_leaves_it_nearly_all(machine: Machine) -> None:
    busy, *quiet = (machine.camera(number) for number in range(4))
    offered = [(busy, True, False), *((one, False, False) for one in quiet)]

    machine.run(offered, seconds=60)
    looks = machine.run(offered, seconds=100)

    assert 820 <= looks[0] <= 900, looks


def test_a_danger_goes_before_what_merely_moves(machine: Machine) -> None:
    danger, busy = machine.camera(0), machine.camera(1)
    offered = [(danger, True, True), (busy, True, False)]

    machine.run(offered, seconds=30)
    looks = machine.run(offered, seconds=100)

    assert looks[0] > 2.5 * looks[1] > 0


def test_a_camera_that_is_no_longer_watched_leaves_its_share_to_the_others(machine: Machine) -> None:
    first, second = machine.camera(0), machine.camera(1)
    machine.run([(first, True, False), (second, True, False)], seconds=60)

    (looks,) = machine.run([(first, True, False)], seconds=100)

    assert looks > 930


def test_a_file_of_anything_is_survived(machine: Machine) -> None:
    machine.path.write_bytes(b"\xff" * 1000)

    (looks,) = machine.run([(machine.camera(0), True, False)], seconds=10)

    assert looks > 90
