"""What comes of a danger that a rule found in a caption."""

from enum import StrEnum


class Outcome(StrEnum):
    """The last word on one rule and one caption."""

    FIRST = "first"
    """Told, for the first time."""
    UPDATE = "update"
    """Told: it grew more serious, or another camera sees it."""
    REPEAT = "repeat"
    """Told again: the last message is long ago."""
    TOO_SOON = "too-soon"
    """Not told: people have just been."""
    LATER = "later"
    """Not told yet: another camera sees it, which is said with the next message."""
    WAITING = "waiting"
    """Not told: a message about it is still on its way."""
    TOLD_AS = "told-as"
    """Not told on its own: a more urgent rule tells of the same caption."""
    INHIBITED = "inhibited"
    """Not told on its own: people know of a greater danger at this site."""
    SILENCED = "silenced"
    """Not told: someone has silenced it."""
    CLOSED = "closed"
    """Not told: someone has just closed an incident of the same camera."""
    NOT_YET = "not-yet"
    """Not told: it has not been seen often enough."""
    NOBODY = "nobody"
    """Not told: no recipient wants it."""
    CANCELLED = "cancelled"
    """No danger: the rule's own exceptions say so."""

    @property
    def tells(self) -> bool:
        """Whether people are told."""
        return self in (Outcome.FIRST, Outcome.UPDATE, Outcome.REPEAT)

    @property
    def is_sighting(self) -> bool:
        """Whether the rule saw its danger in the caption."""
        return self is not Outcome.CANCELLED
