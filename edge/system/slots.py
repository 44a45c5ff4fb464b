"""Which of a card's two systems starts, and what becomes of an update: decisions alone, no clock and no disk."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from contract.system import SystemProgress, SystemReason

MAX_TRIES: Final = 2
"""Starts of a new system; after so many that failed, the one before it stays."""

MAX_INTERRUPTIONS: Final = 3
"""Power cuts while one update is being written, after which it is left alone."""

MAX_DETAIL: Final = 120
"""Characters of a detail that a status carries."""


class Slot(StrEnum):
    """One of the two systems: a root, and a folder of the boot partition."""

    A = "a"
    B = "b"

    @property
    def other(self) -> "Slot":
        """The other one."""
        return Slot.B if self is Slot.A else Slot.A


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the last update; kept on the data partition, which both systems mount."""

    progress: SystemProgress
    slot: Slot
    """Where it is written to."""
    at: Annotated[datetime, Meta(tz=True)]
    """When it came to this stage."""
    version: str = ""
    tries: int = 0
    """Starts of it that were begun."""
    has_started: bool = False
    """Whether it came up at the last of them."""
    interruptions: int = 0
    """Power cuts while it was being written."""
    is_bad: bool = False
    """Whether what the slot holds cannot be started: RAUC says so before it writes."""
    reason: SystemReason | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """What a running system sees of itself."""

    running: Slot
    """By the kernel's command line."""
    committed: Slot
    """With which the card starts, where nothing else is asked of the firmware: `os_prefix` of `config.txt`."""

    @property
    def is_trial(self) -> bool:
        """Whether the running system was started to be tried."""
        return self.running is not self.committed


class Step(Enum):
    """What a system has to do when it has come up."""

    NOTHING = "nothing"
    TRY = "try"
    """Start the other one, once."""
    PROVE = "prove"
    """This is the new one: it has to reach the server."""


def settle(card: Card, record: Record | None, now: datetime) -> tuple[Step, Record | None]:
    """Return what to do after a start, and what is known from then on, which is to be on disk before it is done."""
    if record is not None and record.progress is SystemProgress.INSTALLING:
        return Step.NOTHING, _interrupted(record, now)
    if record is None or record.progress is not SystemProgress.TRYING:
        return Step.NOTHING, record
    if card.committed is record.slot:
        # The power failed between the two steps of `proved`.
        return Step.NOTHING, proved(record, now)
    if card.running is record.slot:
        return Step.PROVE, msgspec.structs.replace(record, has_started=True)
    if record.tries >= MAX_TRIES:
        return Step.NOTHING, _rolled_back(record, now)
    return Step.TRY, tried(record)


def tried(record: Record) -> Record:
    """Count a start before it is made: one that ends at once counts as well."""
    return msgspec.structs.replace(record, tries=record.tries + 1, has_started=False)


def proved(record: Record, now: datetime) -> Record:
    """The new system has reached the server, and the card starts with it."""
    return msgspec.structs.replace(record, progress=SystemProgress.RUNNING, at=now, reason=None, detail="")


def refused(record: Record, reason: SystemReason, detail: str, now: datetime) -> Record:
    """The update was turned down before it was started."""
    text = "".join(sign if sign.isprintable() else " " for sign in detail)[:MAX_DETAIL]
    return msgspec.structs.replace(record, progress=SystemProgress.REFUSED, at=now, reason=reason, detail=text)


def primary(card: Card, record: Record | None) -> Slot:
    """Return the slot that the next start should be of, as RAUC asks."""
    if record is not None and record.progress is SystemProgress.TRYING and card.committed is not record.slot:
        return record.slot
    return card.committed


def make_primary(card: Card, record: Record | None, slot: Slot, now: datetime) -> Record | None:
    """RAUC has written a slot, and wants it to be started; asked for the committed one, an update is called off."""
    if slot is not card.committed:
        known = record or Record(progress=SystemProgress.TRYING, slot=slot, at=now)
        return msgspec.structs.replace(
            known, progress=SystemProgress.TRYING, slot=slot, at=now, tries=0, has_started=False, is_bad=False
        )
    if record is not None and record.progress is SystemProgress.TRYING:
        return refused(record, SystemReason.INTERRUPTED, "called off", now)
    return record


def _interrupted(record: Record, now: datetime) -> Record:
    counted = msgspec.structs.replace(record, interruptions=record.interruptions + 1)
    return refused(counted, SystemReason.INTERRUPTED, "the power failed while it was being written", now)


def _rolled_back(record: Record, now: datetime) -> Record:
    reason = SystemReason.NO_SERVER if record.has_started else SystemReason.DID_NOT_START
    detail = f"after {record.tries} starts"
    return msgspec.structs.replace(
        record, progress=SystemProgress.ROLLED_BACK, at=now, reason=reason, detail=detail, is_bad=True
    )
