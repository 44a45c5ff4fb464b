"""What follows from a danger that a rule found in a caption."""

from enum import StrEnum


class Outcome(StrEnum):
    """The decision about one rule and one caption."""

    FIRST = "first"
    """Notified, for the first time."""
    UPDATE = "update"
    """Notified: it became more severe, or another camera sees it."""
    REPEAT = "repeat"
    """Notified again: the last notification is long ago."""
    TOO_SOON = "too-soon"
    """Not notified: within the cooldown."""
    LATER = "later"
    """Not notified yet: another camera sees it, which the next notification says."""
    WAITING = "waiting"
    """Not notified: the last notification is still to be sent."""
    NOTIFIED_AS = "told-as"
    """Not notified on its own: a more severe rule fired on the same caption."""
    INHIBITED = "inhibited"
    """Inhibited: people know of a greater danger at this site."""
    SILENCED = "silenced"
    """Not notified: a silence applies."""
    CLOSED = "closed"
    """Not notified: someone has just closed an incident of the same camera."""
    NOT_YET = "not-yet"
    """Not notified: it was not seen often enough yet."""
    NOBODY = "nobody"
    """Not notified: no recipient asked for it."""
    CANCELLED = "cancelled"
    """No danger: the rule's own exceptions apply."""

    @property
    def notifies(self) -> bool:
        """Whether people are notified."""
        return self in (Outcome.FIRST, Outcome.UPDATE, Outcome.REPEAT)

    @property
    def is_sighting(self) -> bool:
        """Whether the rule saw its danger in the caption."""
        return self is not Outcome.CANCELLED
