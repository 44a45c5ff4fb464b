"""What can go wrong in the alert service, sorted by who can mend it."""

from typing import Final

TRY_AGAIN: Final = 75
"""Exit code when time or another machine may mend it (EX_TEMPFAIL of sysexits.h)."""

FIX_THE_CONFIG: Final = 78
"""Exit code when the operator must edit a file (EX_CONFIG of sysexits.h)."""


class BrokerError(Exception):
    """Base of every error that ends the program with one line and an exit code of its own."""

    exit_code = 1


class Misconfigured(BrokerError):
    """The operator can mend it by editing what the message names."""

    exit_code = FIX_THE_CONFIG


class Unavailable(BrokerError):
    """Something this service needs is not there just now; trying again may work."""

    exit_code = TRY_AGAIN


class Locked(Unavailable):
    """The database cannot be written just now: another process holds it, or the disk is full."""
