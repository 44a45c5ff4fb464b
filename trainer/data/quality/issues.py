"""What `prepare` finds wrong with data, counted and named."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

KEPT: Final = 1000
"""Examples of one kind that are kept for `--json`; all are counted."""


class Kind(Enum):
    """A kind of fault; the value says it of a number of things."""

    MISSING = "pictures are not there"
    BROKEN = "pictures cannot be decoded"
    BOTH = "pictures are in both train and val"
    TWIN = "pictures of val are in train under another name"
    ALIKE = "pictures of val look like one in train"
    WORDLESS = "pictures have no caption"
    EMPTY = "captions have no word"
    STRAY = "captions or boxes are of pictures that the file does not list"
    REPEATED = "pictures are listed more than once"
    MALFORMED = "lines are no caption"
    UNNAMED = "sentences written for a danger do not name it"
    OUTSIDE = "boxes reach beyond their picture"
    HOLLOW = "boxes have no area"
    UNDRAWN = "boxes are of a class that their source is not said to draw"


DONE: Final[Mapping[Kind, str]] = {
    Kind.TWIN: "kept",
    Kind.ALIKE: "kept",
    Kind.WORDLESS: "left out",
    Kind.EMPTY: "left out",
    Kind.STRAY: "left out",
    Kind.REPEATED: "joined",
    Kind.MALFORMED: "left out",
    Kind.UNNAMED: "kept",
    Kind.OUTSIDE: "clipped",
    Kind.HOLLOW: "left out",
    Kind.UNDRAWN: "left out",
}
"""What is done about each kind, unless the recipe says otherwise."""


@dataclass(slots=True)
class Finding:
    """One kind of fault in one set."""

    where: str
    """Set and split."""
    kind: Kind
    count: int = 0
    examples: list[str] = field(default_factory=list)
    """The first `KEPT`, each naming a file, and its line or field where it has one."""
    done: str = ""
    """`refused` or what was done about it."""


class Findings:
    """All that was found, in the order in which it was met."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, Kind], Finding] = {}

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._found.values())

    def __len__(self) -> int:
        return len(self._found)

    def of(self, where: str) -> "Notes":
        """Give what readers of one set write into."""
        return Notes(self, where)

    def note(self, where: str, kind: Kind, example: str) -> None:
        """Count one more."""
        found = self._found.setdefault((where, kind), Finding(where, kind, done=DONE.get(kind, "refused")))
        found.count += 1
        if len(found.examples) < KEPT:
            found.examples.append(example.replace("\n", " ").strip().encode("utf-8", "backslashreplace").decode())

    def decide(self, where: str, kind: Kind, done: str) -> None:
        """Say what is done about a kind, if there is any of it."""
        if (where, kind) in self._found:
            self._found[where, kind].done = done

    def refused(self) -> list[Finding]:
        """Give what the data cannot be used with."""
        return [found for found in self if found.done == "refused"]


@dataclass(frozen=True, slots=True)
class Notes:
    """The findings of one set and split."""

    findings: Findings
    where: str

    def add(self, kind: Kind, example: str) -> None:
        """Count one more."""
        self.findings.note(self.where, kind, example)
