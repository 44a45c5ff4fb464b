"""Findings of `prepare`: problems of the data, counted, with examples."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

KEPT: Final = 1000
"""Examples of one kind that are kept for `--json`; all are counted."""


class Kind(Enum):
    """A kind of problem; the value follows a count in messages."""

    MISSING = "images are not there"
    BROKEN = "images cannot be decoded"
    IN_BOTH_SPLITS = "images are in both train and val"
    DUPLICATE = "images of val are in train under another name"
    NEAR_DUPLICATE = "images of val look like one in train"
    UNCAPTIONED = "images have no caption"
    EMPTY_CAPTION = "captions have no word"
    UNLISTED = "captions or boxes are of images that the file does not list"
    REPEATED = "images are listed more than once"
    NOT_A_CAPTION = "lines are no caption"
    OPEN_QUOTE = "lines open a quotation mark that is never closed"
    TOO_LONG = "captions are longer than decoder.max_tokens"
    TERM_MISSING = "sentences written for a danger do not name it"
    OUTSIDE = "boxes reach beyond their image"
    EMPTY_BOX = "boxes have no area"
    NORMALIZED_BOX = "boxes are smaller than a pixel: are they shares of the image, 0 to 1? `bbox` is in pixels"
    UNLABELLED_CLASS = "boxes are of a class that their source is not said to draw"


DONE: Final[Mapping[Kind, str]] = {
    Kind.DUPLICATE: "kept",
    Kind.NEAR_DUPLICATE: "kept",
    Kind.UNCAPTIONED: "left out",
    Kind.EMPTY_CAPTION: "left out",
    Kind.UNLISTED: "left out",
    Kind.REPEATED: "joined",
    Kind.NOT_A_CAPTION: "left out",
    Kind.OPEN_QUOTE: "left out",
    Kind.TOO_LONG: "their end is cut",
    Kind.TERM_MISSING: "kept",
    Kind.OUTSIDE: "clipped",
    Kind.EMPTY_BOX: "left out",
    Kind.UNLABELLED_CLASS: "left out",
}
"""The action for each kind, unless the recipe says otherwise."""


@dataclass(slots=True)
class Finding:
    """One kind of problem in one set."""

    where: str
    """Set and split."""
    kind: Kind
    count: int = 0
    examples: list[str] = field(default_factory=list)
    """The first `KEPT`, each naming a file, and its line or field where it has one."""
    done: str = ""
    """`refused` or what was done about it."""


class Findings:
    """All findings, in the order of their first occurrence."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, Kind], Finding] = {}

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._found.values())

    def __len__(self) -> int:
        return len(self._found)

    def of(self, where: str) -> "Notes":
        """Return the findings of one set, for a reader to add to."""
        return Notes(self, where)

    def note(self, where: str, kind: Kind, example: str) -> None:
        """Count one more."""
        found = self._found.setdefault((where, kind), Finding(where, kind, done=DONE.get(kind, "refused")))
        found.count += 1
        if len(found.examples) < KEPT:
            found.examples.append(example.replace("\n", " ").strip().encode("utf-8", "backslashreplace").decode())

    def decide(self, where: str, kind: Kind, done: str) -> None:
        """Set the action for a kind, if there is any of it."""
        if (where, kind) in self._found:
            self._found[where, kind].done = done

    def count(self, where: str, kind: Kind) -> int:
        """Return how many of a kind were noted in a set."""
        return self._found[where, kind].count if (where, kind) in self._found else 0

    def refused(self) -> list[Finding]:
        """Return the findings that make the data unusable."""
        return [found for found in self if found.done == "refused"]


@dataclass(frozen=True, slots=True)
class Notes:
    """The findings of one set and split."""

    findings: Findings
    where: str

    def add(self, kind: Kind, example: str) -> None:
        """Count one more."""
        self.findings.note(self.where, kind, example)

    def decide(self, kind: Kind, done: str) -> None:
        """Set the action for a kind, if there is any of it."""
        self.findings.decide(self.where, kind, done)

    def count(self, kind: Kind) -> int:
        """Return how many of a kind were noted so far."""
        return self.findings.count(self.where, kind)
