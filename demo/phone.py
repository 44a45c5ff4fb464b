"""Shows a text message as large as a telephone shows it, in the terminal."""

import re
import textwrap
from collections.abc import Iterator
from typing import Final
from unicodedata import east_asian_width

COLUMNS: Final = 36
"""Width of a line of text on the telephone; a Korean letter takes two columns."""

_MESSAGE: Final = re.compile(r"^--- (?P<heading>.*)\n(?P<text>[\s\S]*?)\n---$", re.MULTILINE)
"""A message as the alert service prints it where no account is set."""


def drawn(printed: str) -> str:
    """Replace every message that the alert service printed by a telephone that shows it."""
    return _MESSAGE.sub(lambda found: "\n".join(_telephone(found["heading"], found["text"])), printed)


def _telephone(heading: str, text: str) -> Iterator[str]:
    yield "  ╭" + "─" * (COLUMNS + 2) + "╮"
    for line in _wrapped(heading):
        yield f"  │ {line} │"
    yield "  ├" + "─" * (COLUMNS + 2) + "┤"
    for line in _wrapped(text):
        yield f"  │ {line} │"
    yield "  ╰" + "─" * (COLUMNS + 2) + "╯"


def _wrapped(text: str) -> Iterator[str]:
    """Break lines at words so that each fits, and fill them up."""
    for paragraph in text.split("\n"):
        # Wide letters are doubled by a mark, so that `textwrap`, which counts letters, counts columns.
        wide = "".join(f"{letter}\0" if width(letter) == 2 else letter for letter in paragraph)
        for line in textwrap.wrap(wide, COLUMNS, break_on_hyphens=False) or [""]:
            plain = line.replace("\0", "")
            yield plain + " " * max(0, COLUMNS - width(plain))


def width(text: str) -> int:
    """Count the columns that a terminal needs for a text."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
