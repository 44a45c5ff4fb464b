"""What every reader of captions gives: which picture a line is of, and what it says."""

from typing import NamedTuple


class Said(NamedTuple):
    """A caption as it stands in its file, or a picture that a file lists."""

    file: str
    """Name of the picture, relative to the folder of pictures."""
    text: str | None
    """None where the file only lists the picture."""
