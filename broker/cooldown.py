"""Decides whether a danger that was told of already is told of again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Outcome(StrEnum):
    """What comes of a danger that a rule found in a caption."""

    FIRST = "first"
    """Told, for the first time."""
    REPEAT = "repeat"
    """Told again: the last message is long ago."""
    TOO_SOON = "too-soon"
    """Not told: people have just been."""
    WAITING = "waiting"
    """Not told: a message about it is still on its way."""
    TOLD_AS = "told-as"
    """Not told on its own: a more urgent rule tells of the same caption."""
    NOBODY = "nobody"
    """Not told: no recipient wants it."""
    CANCELLED = "cancelled"
    """No danger: the rule's own exceptions say so."""

    @property
    def tells(self) -> bool:
        """Whether people are told."""
        return self in (Outcome.FIRST, Outcome.REPEAT)


@dataclass(frozen=True, slots=True)
class Notice:
    """What became of the alerts of one rule at one site."""

    sent_at: datetime | None
    """When the last of them was sent, if any was."""
    waiting: bool
    """Whether one made since then is still to be sent."""


def decide(last: Notice, *, now: datetime, repeat_after: timedelta) -> Outcome:
    """Choose what to do with a new danger of a rule at a site; the time counts from the last *sent* message."""
    if last.waiting:
        return Outcome.WAITING
    if last.sent_at is None:
        return Outcome.FIRST
    return Outcome.REPEAT if now - last.sent_at >= repeat_after else Outcome.TOO_SOON
