"""Reads the text files of Flickr8k and Flickr30k: captions as `picture.jpg#0<TAB>caption`, splits as lists of names."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from trainer.data.formats import lines
from trainer.data.formats.caption_record import Said
from trainer.data.quality.issues import Kind, Notes

LINE: Final = re.compile(r"(?P<file>[^\t]+\.\w+)#\d+\t(?P<text>.*)")
"""One caption of a picture, with its number."""

NAME: Final = re.compile(r"[^\t,|]*[^\s\t,|]")
"""One line of a list of names."""


def captions(path: Path, notes: Notes) -> Iterator[Said]:
    """Yield every caption; lines of another shape are noted and left out."""
    for number, line in lines.read(path):
        match = LINE.fullmatch(line)
        if match:
            yield Said(match["file"].strip(), match["text"])
        elif line.strip():
            notes.add(Kind.MALFORMED, f"{path}:{number}: {line[:60]}")


class Listing:
    """The pictures of a split; a name may go without its ending, as Flickr30k Entities writes it."""

    def __init__(self, path: Path, notes: Notes) -> None:
        self.names: dict[str, None] = {}
        for number, line in lines.read(path):
            name = line.strip()
            if name in self.names:
                notes.add(Kind.REPEATED, f"{path}:{number}: {name}")
            elif NAME.fullmatch(name):
                self.names[name] = None
            elif name:
                notes.add(Kind.MALFORMED, f"{path}:{number}: {name[:60]}")

    def name_of(self, file: str) -> str | None:
        """Give the listed name of a picture file; None for a picture of another split."""
        return next((name for name in (file, file.rpartition(".")[0]) if name in self.names), None)
