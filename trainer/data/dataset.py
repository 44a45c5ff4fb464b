"""Datasets of any size in a few flat arrays; each example becomes an object when it is accessed.

COCO 2017's 118,287 images with 591,753 captions take about 60 MB this way.
"""

from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Generic, TypeVar, overload

import numpy as np
import numpy.typing as npt

from trainer.data.columns import Groups, StringColumn
from trainer.data.example import BoxExample, CaptionExample

Kind = TypeVar("Kind")
Made = TypeVar("Made")
Tokenize = Callable[[str], Sequence[str]]
"""Splits a caption into the tokens of the vocabulary."""


class ImagePaths(Generic[Kind]):
    """The file of each image, with the attributes that it shares with many others."""

    def __init__(self) -> None:
        self._names, self._kinds = StringColumn(), array("I")
        self._known: dict[tuple[Path, Kind], int] = {}
        self._listed: list[tuple[Path, Kind]] = []

    def __len__(self) -> int:
        return len(self._names)

    def add(self, folder: Path, file: str, kind: Kind) -> int:
        """Add an image; returns its row."""
        shared = (folder, kind)
        if shared not in self._known:
            self._known[shared] = len(self._listed)
            self._listed.append(shared)
        self._names.append(file)
        self._kinds.append(self._known[shared])
        return len(self._names) - 1

    def kinds(self) -> set[Kind]:
        """Return every set of shared attributes."""
        return {kind for _, kind in self._listed}

    def __getitem__(self, row: int) -> tuple[Path, Kind]:
        folder, kind = self._listed[self._kinds[row]]
        return folder / self._names[row], kind


class Rows(Sequence[Made]):
    """Some rows of a builder, made into objects one by one; slices are lists."""

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


class CaptionDatasetBuilder:
    """Collects images and captions as they are read, in any order."""

    def __init__(self, tokenize: Tokenize) -> None:
        self.tokenize = tokenize
        self.places: ImagePaths[tuple[str, str]] = ImagePaths()
        self._ids: dict[str, int] = {}
        self.words: list[str] = []
        self.owners, self.tokens, self.ends = array("I"), array("I"), array("Q", [0])

    def add_image(self, folder: Path, file: str, dataset: str, label: str = "") -> int:
        """Add an image; returns the row to add sentences to."""
        return self.places.add(folder, file, (dataset, label))

    def add_caption(self, row: int, sentence: Sequence[str]) -> None:
        """Add a tokenized sentence of an image."""
        for word in sentence:
            token = self._ids.setdefault(word, len(self.words))
            if token == len(self.words):
                self.words.append(word)
            self.tokens.append(token)
        self.owners.append(row)
        self.ends.append(len(self.tokens))

    def build(self) -> "CaptionDataset":
        """Return the dataset of everything collected so far."""
        return CaptionDataset(self, np.arange(len(self.places)))


class CaptionDataset(Rows[CaptionExample]):
    """Captioned images."""

    def __init__(
        self, builder: CaptionDatasetBuilder, rows: npt.NDArray[np.intp], groups: Groups | None = None
    ) -> None:
        super().__init__(rows)
        self._builder, self._groups = builder, groups or Groups.of(builder.owners, len(builder.places))

    def _make(self, row: int) -> CaptionExample:
        path, (dataset, label) = self._builder.places[row]
        return CaptionExample(
            path, tuple(self._sentence(entry) for entry in self._groups[row].tolist()), dataset, label
        )

    def _sentence(self, entry: int) -> tuple[str, ...]:
        tokens = self._builder.tokens[self._builder.ends[entry] : self._builder.ends[entry + 1]]
        return tuple(self._builder.words[token] for token in tokens)

    def paths(self) -> Iterator[Path]:
        """Return each image's file, without its sentences."""
        return (self._builder.places[int(row)][0] for row in self._rows)

    def path(self, index: int) -> Path:
        """Return one image's file."""
        return self._builder.places[int(self._rows[index])][0]

    def select(self, kept: npt.NDArray[np.bool_]) -> "CaptionDataset":
        """Return the images where `kept` [M] is true."""
        return CaptionDataset(self._builder, self._rows[kept], self._groups)

    def captioned(self) -> npt.NDArray[np.bool_]:
        """Return for each image [M] whether it has a sentence."""
        counts: npt.NDArray[np.bool_] = np.diff(self._groups.starts)[self._rows] > 0
        return counts

    def longer_than(self, words: int) -> Iterator[tuple[Path, int]]:
        """Yield the image and the number of words of each caption that has more than `words`."""
        lengths = np.diff(np.frombuffer(self._builder.ends, np.uint64).astype(np.int64))
        for row in self._rows.tolist():
            entries = self._groups[row]
            for length in lengths[entries][lengths[entries] > words].tolist():
                yield self._builder.places[row][0], length

    def labelled(self) -> npt.NDArray[np.bool_]:
        """Return for each image [M] whether it has a label."""
        return np.array([bool(self._builder.places[int(row)][1][1]) for row in self._rows], np.bool_)


class BoxDatasetBuilder:
    """Collects images and boxes as they are read, in any order."""

    def __init__(self) -> None:
        self.places: ImagePaths[frozenset[str]] = ImagePaths()
        self._ids: dict[str, int] = {}
        self.names: list[str] = []
        self.owners, self.classes, self.sides = array("I"), array("I"), array("d")

    def add_image(self, folder: Path, file: str, labelled: frozenset[str]) -> int:
        """Add an image with the classes that were annotated; returns the row to add boxes to."""
        return self.places.add(folder, file, labelled)

    def labelled(self) -> frozenset[str]:
        """Return every class that was annotated in some image."""
        return frozenset().union(*self.places.kinds())

    def add_box(self, row: int, name: str, sides: Sequence[float]) -> None:
        """Add a box: left, top, width and height as shares of the image."""
        number = self._ids.setdefault(name, len(self.names))
        if number == len(self.names):
            self.names.append(name)
        self.owners.append(row)
        self.classes.append(number)
        self.sides.extend(sides)

    def build(self) -> "BoxDataset":
        """Return the dataset of everything collected so far."""
        return BoxDataset(self, np.arange(len(self.places)))


class BoxDataset(Rows[BoxExample]):
    """Boxed images."""

    def __init__(self, builder: BoxDatasetBuilder, rows: npt.NDArray[np.intp], groups: Groups | None = None) -> None:
        super().__init__(rows)
        self._builder, self._groups = builder, groups or Groups.of(builder.owners, len(builder.places))

    def _make(self, row: int) -> BoxExample:
        path, labelled = self._builder.places[row]
        return BoxExample(path, tuple(self._box(entry) for entry in self._groups[row].tolist()), labelled)

    def _box(self, entry: int) -> tuple[str, float, float, float, float]:
        left, top, width, height = self._builder.sides[4 * entry : 4 * entry + 4]
        return self._builder.names[self._builder.classes[entry]], left, top, width, height

    def paths(self) -> Iterator[Path]:
        """Return each image's file, without its boxes."""
        return (self._builder.places[int(row)][0] for row in self._rows)

    def path(self, index: int) -> Path:
        """Return one image's file."""
        return self._builder.places[int(self._rows[index])][0]

    def select(self, kept: npt.NDArray[np.bool_]) -> "BoxDataset":
        """Return the images where `kept` [M] is true."""
        return BoxDataset(self._builder, self._rows[kept], self._groups)
