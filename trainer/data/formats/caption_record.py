"""What every reader of captions gives: which image a line is of, and what it says."""

from typing import NamedTuple


class CaptionRecord(NamedTuple):
    """A caption as it stands in its file, or an image that a file lists."""

    file: str
    """Name of the image, relative to the folder of images."""
    text: str | None
    """None where the file only lists the image."""
