"""What can go wrong in the alert service, sorted by who can correct it."""

from foundation.errors import Failure, Misconfigured, TryAgain

__all__ = ["Failure", "Misconfigured"]


class Unavailable(TryAgain):
    """Something this service needs is not there just now; trying again may work."""


class Locked(Unavailable):
    """The database cannot be written just now: another process holds it, or the disk is full."""
