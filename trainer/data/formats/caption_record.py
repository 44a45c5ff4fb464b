"""A record that every reader of captions yields: an image file and one caption of it."""

from typing import NamedTuple


class CaptionRecord(NamedTuple):
    """A caption as it stands in its file, or an image that a file lists."""

    file: str
    """Name of the image, relative to the folder of images."""
    text: str | None
    """None where the file only lists the image."""
