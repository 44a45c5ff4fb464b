"""Checks the image files of both splits, and leaves out what the recipe says to leave out."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from trainer.data.dataset import BoxDataset, CaptionDataset
from trainer.data.quality import duplicates, image_check
from trainer.data.quality.duplicates import Fingerprints
from trainer.data.quality.image_check import ImageFactStore
from trainer.data.quality.issues import Findings, Kind
from trainer.recipe.data import Data

Either = TypeVar("Either", CaptionDataset, BoxDataset)
Mask = npt.NDArray[np.bool_]

LEFT_OUT: Final = "left out"


@dataclass(slots=True)
class CheckProgress:
    """Progress over all images; `opened` counts those that were not in the store."""

    report: Callable[["CheckProgress"], None] = lambda _: None
    total: int = 0
    seen: int = 0
    opened: int = 0
    begun: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    """From the start to the last image that had to be opened."""

    def one(self, *, new: bool) -> None:
        """Count an image."""
        if new:
            self.seconds = time.monotonic() - self.begun
        self.seen += 1
        self.opened += new
        self.report(self)


@dataclass(frozen=True, slots=True)
class Checker:
    """Checks the images of both splits by the recipe's rules."""

    data: Data
    findings: Findings
    store: ImageFactStore | None
    """Facts about each file; without it, files must exist and are not opened."""
    progress: CheckProgress

    def splits(self, what: str, train: Either, val: Either) -> tuple[Either, Either]:
        """Return the usable images of train and val; `what` names them in findings."""
        self._in_both(what, train, val)
        fingerprints = Fingerprints(), Fingerprints()
        kept_train = self._readable(f"{what} train", train, fingerprints[0])
        kept_val = self._readable(f"{what} val", val, fingerprints[1])
        if self.store is not None:
            kept_train &= self._single(what, (train, val), fingerprints)
        return self._only(train, kept_train), self._only(val, kept_val)

    def _in_both(self, what: str, train: Either, val: Either) -> None:
        judges = set(map(str, val.paths()))
        for path in train.paths():
            if str(path) in judges:
                self.findings.note(what, Kind.IN_BOTH_SPLITS, str(path))

    def _readable(self, where: str, dataset: Either, fingerprints: Fingerprints) -> Mask:
        kept = np.ones(len(dataset), bool)
        for row, fault in enumerate(self._faults(dataset, fingerprints)):
            if fault is not None:
                kept[row] = False
                self.findings.note(where, *fault)
        skip = self.data.unreadable == "skip" and bool(kept.any())
        for kind in (Kind.MISSING, Kind.BROKEN):
            self.findings.decide(where, kind, LEFT_OUT if skip else "refused")
        return kept if skip else np.ones(len(dataset), bool)

    def _faults(self, dataset: Either, fingerprints: Fingerprints) -> Iterator[tuple[Kind, str] | None]:
        """Yield the problem of each image's file; None where there is none."""
        if self.store is None:
            yield from (None if path.is_file() else (Kind.MISSING, str(path)) for path in dataset.paths())
            return
        for path, facts, new in image_check.inspect(dataset.paths(), self.store):
            self.progress.one(new=new)
            fingerprints.add(facts)
            if not facts.fault:
                yield None
            else:
                yield (Kind.BROKEN, f"{path}: {facts.fault}") if facts.there else (Kind.MISSING, str(path))

    def _single(
        self, what: str, datasets: tuple[Either, Either], fingerprints: tuple[Fingerprints, Fingerprints]
    ) -> Mask:
        """Return which images of train to keep, bool [M]: all, or those without a duplicate in val."""
        (train, val), single = datasets, np.ones(len(datasets[0]), bool)
        duplicate: set[int] = set()
        for row, other in duplicates.duplicates(*fingerprints):
            duplicate.add(other)
            if train.path(row) != val.path(other):
                single[row] = False
                self.findings.note(what, Kind.DUPLICATE, f"{val.path(other)} = {train.path(row)}")
        for row, other in duplicates.near_duplicates(*fingerprints):
            if other not in duplicate:
                self.findings.note(what, Kind.NEAR_DUPLICATE, f"{val.path(other)} ~ {train.path(row)}")
        done = {"keep": "kept", "drop": "left out of train", "refuse": "refused"}[self.data.duplicates]
        self.findings.decide(what, Kind.DUPLICATE, done)
        return single if self.data.duplicates == "drop" else np.ones(len(train), bool)

    def _only(self, dataset: Either, kept: Mask) -> Either:
        return dataset if kept.all() else dataset.select(kept)
