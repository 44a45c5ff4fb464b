"""What can go wrong on a device, sorted by who can correct it."""

from foundation.errors import MISCONFIGURED, TRY_AGAIN, Failure, Misconfigured, TryAgain

__all__ = ["MISCONFIGURED", "TRY_AGAIN", "Failure", "Misconfigured", "TryAgain"]


class CameraGone(TryAgain):
    """The camera delivers no picture."""


class CameraUnreachable(CameraGone):
    """The camera delivers no picture for now; it may be asked again."""


class DiskFull(TryAgain):
    """Nothing more can be written; what was written before stays."""


class NotIsolated(Misconfigured):
    """A process that meets pictures cannot give up what it is to give up, and its owner has not allowed that."""


class OutboxDamaged(TryAgain):
    """The outbox cannot be read; opening it for work sets it aside and begins a new one."""
