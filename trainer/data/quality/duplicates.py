"""Finds images that are in train and in val under different names: the same bytes, or nearly the same look."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from trainer.data.quality.image_check import ImageFacts

NEAR: Final = 10
"""Bits of 128 in which two looks may differ.

Between Flickr8k's own splits no two images differ in fewer than 16 bits, among 3,000 of COCO in fewer than 20;
frames of one scene mostly differ in 0 to 10.
"""

FLAT: Final = 16
"""Fewest bits a look must have set: a plain wall looks like every other."""


@dataclass(slots=True)
class Fingerprints:
    """Digests and looks of a list of images; 32 bytes an image."""

    digests: bytearray = field(default_factory=bytearray)
    dhashes: bytearray = field(default_factory=bytearray)

    def add(self, facts: ImageFacts) -> None:
        """Add an image; one that cannot be read or decoded is like no other."""
        self.digests += facts.digest or bytes(16)
        self.dhashes += facts.dhash or bytes(16)

    def digest_column(self) -> npt.NDArray[np.void]:
        """Return the digests [M]."""
        return np.frombuffer(self.digests, np.dtype((np.void, 16)))

    def dhash_column(self) -> npt.NDArray[np.uint64]:
        """Return the looks [M, 2]."""
        return np.frombuffer(self.dhashes, np.uint64).reshape(-1, 2)


def duplicates(train: Fingerprints, val: Fingerprints) -> Iterator[tuple[int, int]]:
    """Yield (row in train, row in val) of images whose bytes are the same."""
    rows: dict[bytes, int] = {}
    for row, digest in enumerate(val.digest_column()):
        rows.setdefault(digest.tobytes(), row)
    rows.pop(bytes(16), None)
    for row, digest in enumerate(train.digest_column()):
        other = rows.get(digest.tobytes())
        if other is not None:
            yield row, other


def near_duplicates(train: Fingerprints, val: Fingerprints) -> Iterator[tuple[int, int]]:
    """Yield (row in train, row in val) for each image of val that looks like one of train, with the most alike."""
    dhashes = train.dhash_column()
    telling = np.flatnonzero(_telling(dhashes))
    words = np.ascontiguousarray(dhashes[telling])
    if not len(words):
        return
    for row, dhash in enumerate(val.dhash_column()):
        if not _telling(dhash[None])[0]:
            continue
        differing = _bits(words ^ dhash)
        best = int(differing.argmin())
        if differing[best] <= NEAR:
            yield int(telling[best]), row


def _bits(dhashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    """Count the bits set in each look: [M, 2] -> [M], up to 128."""
    count: npt.NDArray[np.uint8] = np.bitwise_count(dhashes).sum(1, dtype=np.uint8)
    return count


def _telling(dhashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Return which looks [M, 2] are of more than a plain ground."""
    ones = _bits(dhashes)
    return (ones >= FLAT) & (ones <= 128 - FLAT)
