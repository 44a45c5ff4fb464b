"""Standard output that never fails for a character that the terminal cannot show."""

import io
import sys
from typing import Final, TextIO

REPLACED: Final = "replace"
"""`?` for each such character, for people."""

ESCAPED: Final = "backslashreplace"
"""`\\uac00` for each such character, for files and pipes: nothing is lost, and JSON stays JSON."""


def accept_every_character() -> None:
    """Let standard output and error write any text in any locale, where they are ordinary streams."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=REPLACED if shows(stream) else ESCAPED)


def shows(stream: TextIO) -> bool:
    """Say whether a person reads the stream on a terminal."""
    try:
        return stream.isatty()
    except ValueError:  # it is closed
        return False
