"""Checks the picture files of both splits, and leaves out what the recipe says to leave out."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from trainer.data.dataset import Album, BoxedAlbum
from trainer.data.quality import duplicates, image_check
from trainer.data.quality.duplicates import Sight
from trainer.data.quality.image_check import Store
from trainer.data.quality.issues import Findings, Kind
from trainer.recipe.data import Data

Either = TypeVar("Either", Album, BoxedAlbum)
Mask = npt.NDArray[np.bool_]

LEFT_OUT: Final = "left out"


@dataclass(slots=True)
class Watch:
    """Who is told of every picture that was looked at; `opened` counts those that nothing was known of."""

    tell: Callable[["Watch"], None] = lambda _: None
    total: int = 0
    seen: int = 0
    opened: int = 0
    begun: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    """From the start to the last picture that had to be opened."""

    def one(self, *, new: bool) -> None:
        """Count a picture."""
        if new:
            self.seconds = time.monotonic() - self.begun
        self.seen += 1
        self.opened += new
        self.tell(self)


@dataclass(frozen=True, slots=True)
class Checker:
    """What is checked by which rules."""

    data: Data
    findings: Findings
    store: Store | None
    """What is known of each file; without one, files must be there and are not opened."""
    watch: Watch

    def splits(self, what: str, train: Either, val: Either) -> tuple[Either, Either]:
        """Give the pictures of train and val that can be used; `what` they are for names them in findings."""
        self._in_both(what, train, val)
        sights = Sight(), Sight()
        kept_train = self._readable(f"{what} train", train, sights[0])
        kept_val = self._readable(f"{what} val", val, sights[1])
        if self.store is not None:
            kept_train &= self._single(what, (train, val), sights)
        return self._only(train, kept_train), self._only(val, kept_val)

    def _in_both(self, what: str, train: Either, val: Either) -> None:
        judges = set(map(str, val.paths()))
        for path in train.paths():
            if str(path) in judges:
                self.findings.note(what, Kind.BOTH, str(path))

    def _readable(self, where: str, album: Either, sight: Sight) -> Mask:
        kept = np.ones(len(album), bool)
        for row, fault in enumerate(self._faults(album, sight)):
            if fault is not None:
                kept[row] = False
                self.findings.note(where, *fault)
        skip = self.data.unreadable == "skip" and bool(kept.any())
        for kind in (Kind.MISSING, Kind.BROKEN):
            self.findings.decide(where, kind, LEFT_OUT if skip else "refused")
        return kept if skip else np.ones(len(album), bool)

    def _faults(self, album: Either, sight: Sight) -> Iterator[tuple[Kind, str] | None]:
        """Yield what is wrong with each picture's file, if anything."""
        if self.store is None:
            yield from (None if path.is_file() else (Kind.MISSING, str(path)) for path in album.paths())
            return
        for path, facts, new in image_check.inspect(album.paths(), self.store):
            self.watch.one(new=new)
            sight.add(facts)
            if not facts.fault:
                yield None
            else:
                yield (Kind.BROKEN, f"{path}: {facts.fault}") if facts.there else (Kind.MISSING, str(path))

    def _single(self, what: str, albums: tuple[Either, Either], sights: tuple[Sight, Sight]) -> Mask:
        """Say which pictures of train no picture of val repeats, where the recipe wants that."""
        (train, val), single = albums, np.ones(len(albums[0]), bool)
        twin: set[int] = set()
        for row, other in duplicates.same(*sights):
            twin.add(other)
            if train.path(row) != val.path(other):
                single[row] = False
                self.findings.note(what, Kind.TWIN, f"{val.path(other)} = {train.path(row)}")
        for row, other in duplicates.alike(*sights):
            if other not in twin:
                self.findings.note(what, Kind.ALIKE, f"{val.path(other)} ~ {train.path(row)}")
        done = {"keep": "kept", "drop": "left out of train", "refuse": "refused"}[self.data.twins]
        self.findings.decide(what, Kind.TWIN, done)
        return single if self.data.twins == "drop" else np.ones(len(train), bool)

    def _only(self, album: Either, kept: Mask) -> Either:
        return album if kept.all() else album.only(kept)
