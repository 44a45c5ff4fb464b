"""Reads the text files of Flickr8k and Flickr30k: captions as `image.jpg#0<TAB>caption`, splits as lists of names."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from trainer.data.formats import lines
from trainer.data.formats.caption_record import CaptionRecord
from trainer.data.quality.issues import Kind, Notes

LINE: Final = re.compile(r"(?P<file>[^\t]+\.\w+)#\d+\t(?P<text>.*)")
"""One caption of an image, with its number."""

NAME: Final = re.compile(r"[^\t,|]*[^\s\t,|]")
"""One line of a list of names."""


def captions(path: Path, notes: Notes) -> Iterator[CaptionRecord]:
    """Yield every caption; lines in another format are noted and left out."""
    for number, line in lines.read(path):
        match = LINE.fullmatch(line)
        if match:
            yield CaptionRecord(match["file"].strip(), match["text"])
        elif line.strip():
            notes.add(Kind.NOT_A_CAPTION, f"{path}:{number}: {line[:60]}")


class Listing:
    """The images of a split; a name may go without its ending, as Flickr30k Entities writes it."""

    def __init__(self, path: Path, notes: Notes) -> None:
        self.names: dict[str, None] = {}
        for number, line in lines.read(path):
            name = line.strip()
            if name in self.names:
                notes.add(Kind.REPEATED, f"{path}:{number}: {name}")
            elif NAME.fullmatch(name):
                self.names[name] = None
            elif name:
                notes.add(Kind.NOT_A_CAPTION, f"{path}:{number}: {name[:60]}")

    def name_of(self, file: str) -> str | None:
        """Return the listed name of an image file; None for an image of another split."""
        return next((name for name in (file, file.rpartition(".")[0]) if name in self.names), None)
