"""Sequences of pictures that hold a data set of any size in a few flat arrays, and make each picture when asked.

COCO 2017's 118,287 pictures with 591,753 captions take about 60 MB so.
"""

from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Generic, TypeVar, overload

import numpy as np
import numpy.typing as npt

from trainer.data.columns import Groups, Texts
from trainer.data.example import BoxedPicture, Picture

Kind = TypeVar("Kind")
Made = TypeVar("Made")
Tokenize = Callable[[str], Sequence[str]]
"""Splits a sentence into the tokens that the captioner speaks in."""


class Places(Generic[Kind]):
    """Where each picture's file is, with what it shares with many others."""

    def __init__(self) -> None:
        self._names, self._kinds = Texts(), array("I")
        self._known: dict[tuple[Path, Kind], int] = {}
        self._listed: list[tuple[Path, Kind]] = []

    def __len__(self) -> int:
        return len(self._names)

    def add(self, folder: Path, file: str, kind: Kind) -> int:
        """Add a picture; gives its row."""
        shared = (folder, kind)
        if shared not in self._known:
            self._known[shared] = len(self._listed)
            self._listed.append(shared)
        self._names.append(file)
        self._kinds.append(self._known[shared])
        return len(self._names) - 1

    def kinds(self) -> set[Kind]:
        """Give all that pictures share with others."""
        return {kind for _, kind in self._listed}

    def __getitem__(self, row: int) -> tuple[Path, Kind]:
        folder, kind = self._listed[self._kinds[row]]
        return folder / self._names[row], kind


class Rows(Sequence[Made]):
    """Some rows of what was collected, made into objects one by one; slices are lists."""

    def __init__(self, rows: npt.NDArray[np.intp]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Made: ...
    @overload
    def __getitem__(self, index: slice) -> list[Made]: ...
    def __getitem__(self, index: int | slice) -> Made | list[Made]:
        if isinstance(index, slice):
            return [self._make(row) for row in self._rows[index].tolist()]
        return self._make(int(self._rows[index]))

    def __iter__(self) -> Iterator[Made]:
        return (self._make(int(row)) for row in self._rows)

    def _make(self, row: int) -> Made:
        raise NotImplementedError


class CaptionDraft:
    """Pictures and sentences as they are read, in any order."""

    def __init__(self, tokenize: Tokenize) -> None:
        self.tokenize = tokenize
        self.places: Places[tuple[str, str]] = Places()
        self._ids: dict[str, int] = {}
        self.words: list[str] = []
        self.owners, self.tokens, self.ends = array("I"), array("I"), array("Q", [0])

    def place(self, folder: Path, file: str, dataset: str, label: str = "") -> int:
        """Add a picture; gives the row to say sentences of."""
        return self.places.add(folder, file, (dataset, label))

    def say(self, row: int, sentence: Sequence[str]) -> None:
        """Add a tokenized sentence of a picture."""
        for word in sentence:
            token = self._ids.setdefault(word, len(self.words))
            if token == len(self.words):
                self.words.append(word)
            self.tokens.append(token)
        self.owners.append(row)
        self.ends.append(len(self.tokens))

    def album(self) -> "Album":
        """Give what was collected so far."""
        return Album(self, np.arange(len(self.places)))


class Album(Rows[Picture]):
    """Captioned pictures."""

    def __init__(self, draft: CaptionDraft, rows: npt.NDArray[np.intp], groups: Groups | None = None) -> None:
        super().__init__(rows)
        self._draft, self._groups = draft, groups or Groups.of(draft.owners, len(draft.places))

    def _make(self, row: int) -> Picture:
        path, (dataset, label) = self._draft.places[row]
        return Picture(path, tuple(self._sentence(entry) for entry in self._groups[row].tolist()), dataset, label)

    def _sentence(self, entry: int) -> tuple[str, ...]:
        tokens = self._draft.tokens[self._draft.ends[entry] : self._draft.ends[entry + 1]]
        return tuple(self._draft.words[token] for token in tokens)

    def paths(self) -> Iterator[Path]:
        """Give each picture's file, without its sentences."""
        return (self._draft.places[int(row)][0] for row in self._rows)

    def path(self, index: int) -> Path:
        """Give one picture's file."""
        return self._draft.places[int(self._rows[index])][0]

    def only(self, kept: npt.NDArray[np.bool_]) -> "Album":
        """Give the pictures where `kept` [M] is true."""
        return Album(self._draft, self._rows[kept], self._groups)

    def spoken(self) -> npt.NDArray[np.bool_]:
        """Say of each picture [M] whether it has a sentence."""
        counts: npt.NDArray[np.bool_] = np.diff(self._groups.starts)[self._rows] > 0
        return counts

    def labelled(self) -> npt.NDArray[np.bool_]:
        """Say of each picture [M] whether it has a label."""
        return np.array([bool(self._draft.places[int(row)][1][1]) for row in self._rows], np.bool_)


class BoxDraft:
    """Pictures and boxes as they are read, in any order."""

    def __init__(self) -> None:
        self.places: Places[frozenset[str]] = Places()
        self._ids: dict[str, int] = {}
        self.names: list[str] = []
        self.owners, self.classes, self.sides = array("I"), array("I"), array("d")

    def place(self, folder: Path, file: str, labelled: frozenset[str]) -> int:
        """Add a picture with the classes that were looked for; gives the row to draw boxes on."""
        return self.places.add(folder, file, labelled)

    def labelled(self) -> frozenset[str]:
        """Give every class that was looked for in some picture."""
        return frozenset().union(*self.places.kinds())

    def draw(self, row: int, name: str, sides: Sequence[float]) -> None:
        """Add a box: left, top, width and height as shares of the picture."""
        number = self._ids.setdefault(name, len(self.names))
        if number == len(self.names):
            self.names.append(name)
        self.owners.append(row)
        self.classes.append(number)
        self.sides.extend(sides)

    def album(self) -> "BoxedAlbum":
        """Give what was collected so far."""
        return BoxedAlbum(self, np.arange(len(self.places)))


class BoxedAlbum(Rows[BoxedPicture]):
    """Boxed pictures."""

    def __init__(self, draft: BoxDraft, rows: npt.NDArray[np.intp], groups: Groups | None = None) -> None:
        super().__init__(rows)
        self._draft, self._groups = draft, groups or Groups.of(draft.owners, len(draft.places))

    def _make(self, row: int) -> BoxedPicture:
        path, labelled = self._draft.places[row]
        return BoxedPicture(path, tuple(self._box(entry) for entry in self._groups[row].tolist()), labelled)

    def _box(self, entry: int) -> tuple[str, float, float, float, float]:
        left, top, width, height = self._draft.sides[4 * entry : 4 * entry + 4]
        return self._draft.names[self._draft.classes[entry]], left, top, width, height

    def paths(self) -> Iterator[Path]:
        """Give each picture's file, without its boxes."""
        return (self._draft.places[int(row)][0] for row in self._rows)

    def path(self, index: int) -> Path:
        """Give one picture's file."""
        return self._draft.places[int(self._rows[index])][0]

    def only(self, kept: npt.NDArray[np.bool_]) -> "BoxedAlbum":
        """Give the pictures where `kept` [M] is true."""
        return BoxedAlbum(self._draft, self._rows[kept], self._groups)
