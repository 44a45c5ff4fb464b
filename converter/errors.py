"""What stops a conversion, by who can mend it."""

from typing import Final

TRY_AGAIN: Final = 75
"""Exit code when the machine is at fault, as a full disk (EX_TEMPFAIL of sysexits.h)."""

FIX_THE_INPUT: Final = 78
"""Exit code when a file that was given must be mended (EX_CONFIG of sysexits.h)."""


class Unusable(Exception):
    """A file that was given is not what it should be; the message names it and says what would be right."""
