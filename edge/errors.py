"""What can go wrong on a device, sorted by who can mend it."""

from typing import Final

TRY_AGAIN: Final = 75
"""Exit code for what may pass by itself (sysexits.h: EX_TEMPFAIL)."""

MISCONFIGURED: Final = 78
"""Exit code for what the operator must mend (sysexits.h: EX_CONFIG)."""


class EdgeError(Exception):
    """Says in one line what is wrong, where, and what to do about it."""

    exit_code: int = 1


class Misconfigured(EdgeError):
    """The operator mends it: a configuration, a file, a password; trying again cannot help."""

    exit_code = MISCONFIGURED


class TryAgain(EdgeError):
    """It may pass: a camera unplugged, a full disk, a locked database, an MQTT server that is down."""

    exit_code = TRY_AGAIN


class CameraGone(TryAgain):
    """The camera gives no picture."""


class DiskFull(TryAgain):
    """Nothing more can be written; what was written before stays."""
