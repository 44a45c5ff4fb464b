"""What becomes of a system update: tried, proved and committed, or rolled back; whenever the power fails."""

import re
import subprocess
from pathlib import Path

import pytest

from contract.status import Ledger
from contract.system import SystemProgress, SystemReason
from edge.errors import Misconfigured, TryAgain
from edge.image import device, recipe
from edge.system import boot_partition, slots, trial
from edge.system.place import BUNDLE, SET_ASIDE, described, is_older
from edge.system.slots import Record, Slot, Step
from tests.edge.system.conftest import NEW, NOW, OLD, Computer


def written(computer: Computer) -> None:
    """RAUC has written system B and made it the primary one."""
    computer.place.keep(Record(progress=SystemProgress.INSTALLING, slot=Slot.B, at=NOW, version=NEW))
    trial.answer(computer.place, ["set-state", "b", "bad"], NOW)
    trial.answer(computer.place, ["set-primary", "b"], NOW)


def settle(computer: Computer) -> Step:
    return trial.settle(computer.place, computer, NOW)


def start(computer: Computer) -> tuple[Slot, Step]:
    return computer.start(), settle(computer)


def test_a_new_system_is_tried_once_and_committed_to_when_it_has_proved_itself(computer: Computer) -> None:
    written(computer)

    assert settle(computer) is Step.TRY
    assert computer.restarts == ["0 tryboot" if computer.can_try_once else ""]
    assert start(computer) == (Slot.B, Step.PROVE)
    assert computer.place.card.is_trial
    trial.commit(computer.place, NOW)

    assert start(computer) == (Slot.B, Step.NOTHING)
    said = described(computer.place)
    assert said is not None
    assert (said.version, said.progress, said.offered) == (NEW, SystemProgress.RUNNING, NEW)


def test_one_that_does_not_start_is_tried_twice_and_rolled_back(computer: Computer) -> None:
    written(computer)
    settle(computer)
    assert computer.start() is Slot.B  # and panics
    assert start(computer) == (Slot.A, Step.TRY)
    assert computer.start() is Slot.B  # and panics again

    assert start(computer) == (Slot.A, Step.NOTHING)
    said = described(computer.place)
    assert said is not None
    assert (said.version, said.progress) == (OLD, SystemProgress.ROLLED_BACK)
    assert (said.reason, said.detail) == (SystemReason.DID_NOT_START, "after 2 starts")
    assert trial.answer(computer.place, ["get-state", "b"], NOW) == "bad"
    assert start(computer) == (Slot.A, Step.NOTHING), "it is not tried a third time"


def test_one_that_comes_up_and_does_not_reach_the_server_is_rolled_back(computer: Computer) -> None:
    written(computer)
    settle(computer)
    for _ in range(slots.MAX_TRIES):
        assert start(computer) == (Slot.B, Step.PROVE)
        computer.start()
        settle(computer)

    record = computer.place.record
    assert record is not None
    assert record.reason is SystemReason.NO_SERVER
    assert computer.start() is Slot.A


def test_a_power_cut_between_counting_a_start_and_making_it_counts_as_a_start(computer: Computer) -> None:
    written(computer)
    settle(computer)
    computer.tryboot = False  # the power fails while it shuts down

    if computer.can_try_once:
        assert start(computer) == (Slot.A, Step.TRY)
    assert start(computer) == (Slot.B, Step.PROVE)


def test_a_power_cut_before_the_restart_finds_the_update_and_tries_it(computer: Computer) -> None:
    written(computer)

    assert start(computer) == (Slot.A, Step.TRY)


def test_a_power_cut_between_the_two_steps_of_committing_leaves_it_committed(computer: Computer) -> None:
    written(computer)
    settle(computer)
    start(computer)
    boot_partition.take_back(computer.place.boot)
    boot_partition.commit(computer.place.boot, Slot.B)  # and the power fails

    assert start(computer) == (Slot.B, Step.NOTHING)
    record = computer.place.record
    assert record is not None
    assert record.progress is SystemProgress.RUNNING


def test_a_power_cut_just_before_committing_tries_it_again(computer: Computer) -> None:
    written(computer)
    settle(computer)
    start(computer)
    boot_partition.take_back(computer.place.boot)  # and the power fails

    assert start(computer) == (Slot.A, Step.TRY)
    assert start(computer) == (Slot.B, Step.PROVE)


def test_a_power_cut_while_it_is_written_is_said_and_the_third_one_sets_it_aside(computer: Computer) -> None:
    bundle = computer.place.boot / BUNDLE
    bundle.write_bytes(b"bundle")
    for number in range(slots.MAX_INTERRUPTIONS):
        assert bundle.exists()
        computer.place.keep(
            Record(progress=SystemProgress.INSTALLING, slot=Slot.B, at=NOW, version=NEW, interruptions=number)
        )
        assert start(computer) == (Slot.A, Step.NOTHING)

    said = described(computer.place)
    assert said is not None
    assert (said.progress, said.reason) == (SystemProgress.REFUSED, SystemReason.INTERRUPTED)
    assert (bundle.exists(), (computer.place.boot / SET_ASIDE).exists()) == (False, True)


def test_the_update_leaves_the_boot_partition_before_it_is_tried(computer: Computer) -> None:
    (computer.place.boot / BUNDLE).write_bytes(b"bundle")
    written(computer)

    settle(computer)

    assert not (computer.place.boot / BUNDLE).exists()


def test_a_lent_card_is_given_back_before_anything_of_the_new_system_runs(computer: Computer) -> None:
    written(computer)
    settle(computer)
    assert computer.start() is Slot.B

    assert computer.place.card.committed is Slot.A
    assert computer.place.can_try_once is computer.can_try_once


@pytest.mark.parametrize("is_kept", [True, False])
def test_nothing_of_a_trial_remains_on_the_boot_partition(computer: Computer, is_kept: bool) -> None:
    written(computer)
    settle(computer)
    for _ in range(slots.MAX_TRIES):
        computer.start()
        if is_kept:
            trial.commit(computer.place, NOW)
        start(computer)

    assert not (computer.place.boot / boot_partition.RETURN).exists()
    config = (computer.place.boot / "config.txt").read_bytes()
    assert boot_partition.committed(config) is (Slot.B if is_kept else Slot.A)


def test_a_computer_that_is_no_raspberry_pi_is_asked_as_one_that_can_try(computer: Computer) -> None:
    computer.place.model.unlink()

    assert computer.place.can_try_once
    computer.place.command_line.write_text("rauc.slot=a wordcam.tryboot=no")
    assert not computer.place.can_try_once


def test_rauc_is_told_the_truth_and_can_call_an_update_off(computer: Computer) -> None:
    def ask(*words: str) -> str:
        return trial.answer(computer.place, list(words), NOW)

    assert (ask("get-primary"), ask("get-current"), ask("get-state", "a")) == ("a", "a", "good")
    written(computer)
    assert (ask("get-primary"), ask("get-current"), ask("get-state", "b")) == ("b", "a", "good")
    ask("set-primary", "a")
    assert ask("get-primary") == "a"
    assert start(computer) == (Slot.A, Step.NOTHING)
    with pytest.raises(ValueError, match="expected get-primary"):
        ask("get-moon")


def test_rauc_marks_the_running_system_good_by_committing_to_it(computer: Computer) -> None:
    written(computer)
    settle(computer)
    start(computer)

    trial.answer(computer.place, ["set-state", "b", "good"], NOW)

    assert computer.start() is Slot.B


def test_a_damaged_record_is_no_update(computer: Computer) -> None:
    written(computer)
    (computer.place.state / "record.json").write_bytes(b"{")

    assert start(computer) == (Slot.A, Step.NOTHING)


def test_committing_changes_two_signs_of_one_sector() -> None:
    before = recipe.CONFIG_TXT.encode()

    after = boot_partition.with_committed(before, Slot.B)

    assert len(after) == len(before) <= boot_partition.SECTOR_BYTES
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 2
    assert boot_partition.committed(after) is Slot.B
    assert boot_partition.with_committed(after, Slot.A) == before


@pytest.mark.parametrize("config", [b"", b"os_prefix=a/\n", b"os_prefix=a/\n[tryboot]\nos_prefix=a/\n", b"#" * 600])
def test_a_boot_partition_that_is_not_ours_is_not_changed(tmp_path: Path, config: bytes) -> None:
    (tmp_path / "config.txt").write_bytes(config)

    with pytest.raises(Misconfigured, match="as wordcam's image has it"):
        boot_partition.commit(tmp_path, Slot.B)

    assert (tmp_path / "config.txt").read_bytes() == config


@pytest.mark.parametrize(
    ("version", "than", "older"),
    [
        (OLD, NEW, True),
        (NEW, OLD, False),
        (NEW, NEW, False),
        ("0.10.0+202601010000.aaaaaaaa", "0.9.0+202701010000.aaaaaaaa", False),
        ("something", OLD, True),
    ],
)
def test_systems_are_ordered_by_version_and_then_by_when_they_were_built(version: str, than: str, older: bool) -> None:
    assert is_older(version, than) is older


def test_only_an_acknowledgement_that_comes_after_the_start_proves_a_system() -> None:
    ledgers = iter([Ledger(captions=9, waiting=1, given_up=2), Ledger(captions=12, waiting=4, given_up=2)] * 2)
    seconds = iter(range(0, 1000, 10))

    with pytest.raises(TryAgain, match="no caption within 15 s"):
        trial.wait_until_acknowledged(
            lambda: next(ledgers), seconds=15, clock=lambda: next(seconds), sleep=lambda _: None
        )


def test_a_new_acknowledgement_proves_a_system() -> None:
    ledgers = iter([Ledger(captions=9, waiting=1), Ledger(captions=10, waiting=2), Ledger(captions=10, waiting=1)])

    trial.wait_until_acknowledged(lambda: next(ledgers), sleep=lambda _: None)

    assert next(ledgers, None) is None


def test_what_reads_the_boot_partition_is_run_by_root() -> None:
    """Nobody else may read it: `umask=0077`."""
    unit = (device.OVERLAY / "usr/lib/systemd/system/wordcam-system-prove.service").read_text()

    commands = re.findall(r"^Exec\w+=(\+?)(\S+)(?: system (\w+))?$", unit, re.MULTILINE)
    assert {(name or path): prefix for prefix, path, name in commands} == {
        "/usr/lib/wordcam/is-trial": "+",
        "prove": "",
        "commit": "+",
    }


def test_the_units_shell_knows_a_trial_as_the_program_does(computer: Computer, tmp_path: Path) -> None:
    text = (device.OVERLAY / "usr/lib/wordcam/is-trial").read_text()
    place = computer.place
    script = tmp_path / "is-trial"
    script.write_text(re.sub("/proc/cmdline", str(place.command_line), text).replace("/boot/firmware", str(place.boot)))

    def answers() -> tuple[bool, bool]:
        return subprocess.run(["sh", str(script)], check=False).returncode == 0, place.card.is_trial

    assert answers() == (False, False)
    written(computer)
    settle(computer)
    computer.start()
    assert answers() == (True, True)
    trial.commit(place, NOW)
    assert answers() == (False, False)
    (place.boot / "config.txt").unlink()
    assert subprocess.run(["sh", str(script)], check=False).returncode == 1, "what is not known restarts nothing"
