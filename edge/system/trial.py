"""The steps of an update around RAUC: try the other system, prove it and commit to it, or stay with the one before."""

import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Protocol

import msgspec

from contract.status import Ledger
from edge.errors import TryAgain
from edge.system import boot_partition, slots
from edge.system.place import Place
from edge.system.slots import Record, Slot, Step

TRYBOOT: Final = "0 tryboot"
"""Argument of a restart by which the firmware starts `[tryboot]` of `config.txt`, once."""

PROVE_SECONDS: Final = 600.0
"""How long a new system has for its first acknowledged caption. A still scene is captioned every minute."""

LOOK_SECONDS: Final = 2.0


class Machine(Protocol):
    """What is asked of the computer."""

    def restart(self, argument: str = "") -> None:
        """Restart it, with an argument for the firmware."""


def now() -> datetime:
    """Return the time, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def settle(place: Place, machine: Machine, moment: datetime) -> Step:
    """Do what is due when a system has come up; raises `OSError` or `Misconfigured`.

    What is known is on disk before it is acted on, so that a power cut at any moment finds it.
    """
    record = place.record
    step, known = slots.settle(place.card, record, moment)
    if known is not None and known != record:
        place.keep(known)
    if step is Step.TRY:
        place.remove_bundle()
        _start_other(place, machine)
    elif step is Step.NOTHING:
        _put_in_order(place, known)
    return step


def _put_in_order(place: Place, known: Record | None) -> None:
    """Nothing is on trial: let nothing of one remain on the boot partition."""
    if (place.boot / boot_partition.RETURN).exists():
        with place.writable():
            boot_partition.take_back(place.boot)
    if known is not None and known.interruptions >= slots.MAX_INTERRUPTIONS:
        place.remove_bundle(set_aside=True)


def _start_other(place: Place, machine: Machine) -> None:
    """Start the other system once: by the firmware, or where that cannot be asked by lending it the card."""
    if place.can_try_once:
        machine.restart(TRYBOOT)
        return
    with place.writable():
        boot_partition.lend(place.boot, place.card.running.other)
    machine.restart()


def commit(place: Place, moment: datetime) -> None:
    """The running system has reached the server: from now on the card starts with it.

    The boot partition first: where the power fails between the two, the next start finds that it is done.
    """
    card = place.card
    with place.writable():
        boot_partition.take_back(place.boot)
        boot_partition.commit(place.boot, card.running)
    record = place.record
    if record is not None and record.slot is card.running:
        place.keep(slots.proved(record, moment))


def wait_until_acknowledged(
    ledger: Callable[[], Ledger],
    *,
    seconds: float = PROVE_SECONDS,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Return once the server has acknowledged a caption since this was called; raises `TryAgain` where it does not."""
    before, until = _acknowledged(ledger()), clock() + seconds
    while _acknowledged(ledger()) <= before:
        if clock() > until:
            raise TryAgain(f"the server has acknowledged no caption within {seconds:.0f} s")
        sleep(LOOK_SECONDS)


class Computer:
    """This one, run by systemd."""

    def restart(self, argument: str = "") -> None:
        """Restart in order: what is on disk stays."""
        words = [f"--reboot-argument={argument}"] if argument else []
        subprocess.run(["systemctl", "--no-block", *words, "reboot"], check=True)


def answer(place: Place, words: list[str], moment: datetime) -> str:
    """Answer one question of RAUC's to a boot loader ("custom bootloader backend"); raises `OSError`, `Misconfigured`.

    Raises `ValueError` for a question that it has not.
    """
    match words:
        case ["get-primary"]:
            return slots.primary(place.card, place.record).value
        case ["get-current"]:
            return place.card.running.value
        case ["set-primary", slot]:
            known = slots.make_primary(place.card, place.record, Slot(slot), moment)
            if known is not None:
                place.keep(known)
        case ["get-state", slot]:
            return "bad" if _is_bad(place, Slot(slot)) else "good"
        case ["set-state", slot, "good"]:
            if place.card.running is Slot(slot):
                commit(place, moment)
        case ["set-state", slot, "bad"]:
            _mark_bad(place, Slot(slot), moment)
        case _:
            raise ValueError(f"{words}: expected get-primary, set-primary, get-state, set-state or get-current")
    return ""


def _is_bad(place: Place, slot: Slot) -> bool:
    record = place.record
    return record is not None and record.slot is slot and record.is_bad


def _mark_bad(place: Place, slot: Slot, moment: datetime) -> None:
    record = place.record
    if record is None or record.slot is not slot:
        return
    place.keep(msgspec.structs.replace(record, is_bad=True, at=moment))


def _acknowledged(ledger: Ledger) -> int:
    return ledger.captions - ledger.waiting - ledger.given_up
